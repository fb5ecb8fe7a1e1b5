"""Least privilege: every operation of the four services refuses exactly whom its document says.

`x-access` in an OpenAPI document is who may call; this test walks all of them as each caller.
What may be open to anybody, and what is closed to all but some, is said here once more.
"""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from pipeline.contracts import keys
from pipeline.runtime.clock import new_id
from tests.conftest import Stack
from tests.integration.users_door import PASSWORD

SERVICES = ("catalog", "users", "checkout", "analytics")
ROLES = ("shopper", "analyst", "operator", "admin")
EVERYBODY = {"anonymous", *ROLES}
SAFE = ("get", "head")

# Writes that need no token: a guest's own cart and orders (bound to a signed cookie), signing in,
# what a secret in a letter or a cookie proves, what the card gateway has signed, and clicks.
# Whoever adds to this says why.
OPEN_WRITES = {
    "/api/users/register", "/api/users/login", "/api/users/refresh", "/api/users/logout",
    "/api/users/verification/confirm", "/api/users/password-reset",
    "/api/users/password-reset/confirm", "/api/checkout/cart", "/api/checkout/cart/items/{sku}",
    "/api/checkout/cart/saved/{sku}", "/api/checkout/cart/promotion",
    "/api/checkout/orders", "/api/checkout/orders/{order_id}/cancel",
    "/api/checkout/payments/webhook", "/api/analytics/events",
}  # fmt: skip


@dataclass(frozen=True)
class Operation:
    service: str
    method: str
    path: str
    access: frozenset[str]

    @property
    def url(self) -> str:
        # A form that every path parameter accepts; nothing is there under it.
        return re.sub(r"\{\w+\}", "01ARZ3NDEKTSV4RRFFQ69G5FAV", self.path)


@pytest.fixture(scope="module")
def documents(emulator: Stack) -> dict[str, Any]:
    """As the services give them where reports are not public, as on every stage but a laptop."""
    from storefront_api.contracts import documents

    return dict(documents())


@pytest.fixture(scope="module")
def operations(documents: dict[str, Any]) -> list[Operation]:
    return [
        Operation(service, method, path, frozenset(operation["x-access"]))
        for service in SERVICES
        for path, methods in documents[f"openapi/{service}.json"]["paths"].items()
        for method, operation in methods.items()
    ]


@pytest.fixture(scope="module")
def tokens(stack: Stack) -> dict[str, dict[str, str]]:
    """An account for each role; the header to send, by caller."""
    headers: dict[str, dict[str, str]] = {"anonymous": {}}
    with stack.http() as http:
        for role in ROLES:
            email = f"{role}-{new_id().lower()}@shop.test"
            account = {"email": email, "password": PASSWORD, "name": role}
            user = http.post("/api/users/register", json=account).json()["user"]
            stack.table("users").update_item(
                Key=keys.user(user["user_id"]),
                UpdateExpression="SET #role = :role",
                ExpressionAttributeNames={"#role": "role"},
                ExpressionAttributeValues={":role": role},
            )
            known = {"email": email, "password": PASSWORD}
            token = http.post("/api/users/login", json=known).json()["access_token"]
            headers[role] = {"Authorization": f"Bearer {token}"}
    return headers


@pytest.fixture(scope="module")
def closed_reports(stack: Stack) -> Iterator[Any]:
    """Analytics as on AWS: `call(method, url, headers)`."""
    from storefront_api.analytics.main import build_app
    from storefront_api.analytics.settings import AnalyticsSettings

    app = build_app(AnalyticsSettings(stage=stack.at.stage, reports_public=False, trace_ratio=0))
    with asyncio.Runner() as runner:
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop")
        yield lambda method, url, headers: runner.run(
            client.request(method, url, headers=headers, timeout=20)
        )


def test_every_operation_refuses_exactly_whom_its_document_says(
    stack: Stack, operations: list[Operation], tokens: dict[str, Any], closed_reports: Any
) -> None:
    wrong = []
    with stack.http() as http:
        for operation in operations:
            for caller, headers in tokens.items():
                http.cookies.clear()
                if operation.service == "analytics":
                    answer = closed_reports(operation.method, operation.url, headers)
                else:
                    sent = headers | {"Idempotency-Key": "k"}  # asked for before who one is
                    answer = http.request(operation.method, operation.url, headers=sent)
                verdict = _refusal(answer)
                if caller in operation.access:
                    is_right = verdict is None
                else:
                    is_right = verdict == (401 if caller == "anonymous" else 403)
                if not is_right:
                    wrong.append((operation.method, operation.path, caller, answer.status_code))
    assert wrong == []
    assert len(operations) > 50


def test_a_bad_token_is_refused_where_none_is_needed(
    stack: Stack, documents: dict[str, Any]
) -> None:
    """An expired session must not turn into a guest's without a word."""
    bad = {"Authorization": "Bearer x.y.z", "Idempotency-Key": "k"}
    for service in ("users", "checkout"):
        for path, methods in documents[f"openapi/{service}.json"]["paths"].items():
            for method, operation in methods.items():
                if "security" not in operation:
                    continue
                url = Operation(service, method, path, frozenset()).url
                with stack.http() as http:
                    answer = http.request(method, url, headers=bad)
                assert answer.status_code == 401, (method, path)


def test_nobody_writes_without_a_token_but_where_it_is_meant(operations: list[Operation]) -> None:
    found = {o.path for o in operations if o.method not in SAFE and "anonymous" in o.access}
    assert found - OPEN_WRITES == set()


def test_goods_are_changed_by_operators_alone(operations: list[Operation]) -> None:
    for operation in operations:
        if operation.service == "catalog" and operation.method not in SAFE:
            assert operation.access == {"operator", "admin"}, operation


def test_reports_are_for_staff_and_ones_own_account_for_its_owner(
    operations: list[Operation],
) -> None:
    for operation in operations:
        if operation.path.startswith("/api/users/me"):
            assert operation.access == set(ROLES), operation
        if operation.service == "analytics" and operation.path.count("/") == 3:
            is_open = operation.path.endswith(("/events", "/healthz", "/readyz"))
            expected = EVERYBODY if is_open else {"analyst", "operator", "admin"}
            assert operation.access == expected, operation


def _refusal(answer: httpx.Response) -> int | None:
    """401 or 403 for who one is; a wrong password, cookie or signature is another matter."""
    if answer.status_code not in (401, 403):
        assert answer.status_code < 500, answer.text
        return None
    path = answer.request.url.path
    others = ("/login", "/refresh", "/payments/webhook")
    return None if path.endswith(others) else answer.status_code
