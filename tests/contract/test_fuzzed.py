"""Every route under made-up input, right and wrong: never a 5xx, never an answer nobody documented.

`make fuzz CASES=2000` makes up so many for each service; `make test` takes few, to stay quick.
"""

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from iac.local.ports import ROOT
from pipeline.contracts import keys
from tests.conftest import Stack

FEW = 12  # a route
CASES = int(os.environ.get("HAS_FUZZ_CASES") or "0")  # a service
DOCUMENTS = {
    path.stem: schemathesis.openapi.from_path(path)
    for path in sorted((ROOT / "docs" / "contracts" / "openapi").glob("*.json"))
}
FOUND = [
    (service, operation)
    for service, schema in DOCUMENTS.items()
    for operation in (each.ok() for each in schema.get_all_operations() if isinstance(each, Ok))
]
ROUTES = Counter(service for service, _ in FOUND)
OPERATIONS = [
    pytest.param(
        operation,
        max(FEW, -(-CASES // ROUTES[service])),
        id=f"{service} {operation.method.upper()} {operation.path}",
    )
    for service, operation in FOUND
]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def operator(stack: Stack) -> Iterator[requests.Session]:
    """An operator nobody else is: what is made up here may sign them out or rename them."""
    person = {"email": f"{uuid4().hex}@fuzz.test", "password": f"long-{uuid4().hex}"}
    with stack.http() as http:
        registered = http.post("/api/users/register", json={**person, "name": "Fuzz"})
        user_id = registered.raise_for_status().json()["user"]["user_id"]
        stack.table("users").update_item(
            Key=dict(keys.user(user_id)),
            UpdateExpression="SET #role = :role",
            ExpressionAttributeNames={"#role": "role"},
            ExpressionAttributeValues={":role": "operator"},
            ConditionExpression="attribute_exists(pk)",
        )
        token = http.post("/api/users/login", json=person).raise_for_status().json()["access_token"]
    with requests.Session() as session:
        session.headers.update({"Authorization": f"Bearer {token}", "X-Synthetic": "1"})
        yield session


@pytest.mark.parametrize(("operation", "cases"), OPERATIONS)
def test_made_up_input_gets_a_documented_answer(
    stack: Stack, operator: requests.Session, operation: Any, cases: int
) -> None:
    @settings(
        max_examples=cases,
        deadline=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def answers(case: Any) -> None:
        case.call_and_validate(base_url=stack.edge_url, session=operator, checks=CHECKS)

    answers()
