"""Every route under made-up input, right and wrong: never a 5xx, never an answer nobody documented,
and neither wrong input taken nor right input refused. All of schemathesis' checks of one answer.

`make fuzz CASES=2000` makes up so many for each service, and other ones each time, beside the edges
of every schema; `make test` takes few, always the same, to stay quick.
"""

import os
from uuid import uuid4

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case
from schemathesis.checks import CheckFunction
from schemathesis.core.result import Ok
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    ignored_auth,
    negative_data_rejection,
    positive_data_acceptance,
)

from iac.local.ports import ROOT
from pipeline.contracts import keys
from tests.conftest import Stack

FEW = 12  # a route
CASES = int(os.environ.get("HAS_FUZZ_CASES") or "0")  # a service
CURSOR, SPELLING = "a cursor of another list", "letters that no pattern can tell"
COUNTRY, ETAG = "a country that there is not", "428 without If-Match"
SECRET, CODE = "a password or code that is not the right one", "a code that there is not"
# What these refuse beside what their schema says, which no schema can say.
REFUSES_MORE = {
    "GET /api/catalog/products": CURSOR,
    "POST /api/catalog/products": SPELLING,
    "PUT /api/catalog/products/{product_id}": SPELLING,
    "DELETE /api/catalog/products/{product_id}": ETAG,
    "POST /api/catalog/stock/{sku}/adjustments": SPELLING,
    "POST /api/catalog/imports": "an empty file, or one of another kind",
    "POST /api/users/register": SPELLING,
    "PATCH /api/users/me": SPELLING,
    "DELETE /api/users/me": SECRET,
    "POST /api/users/me/addresses": SPELLING,
    "PUT /api/users/me/addresses/{address_id}": SPELLING,
    "POST /api/users/me/password": SECRET,
    "POST /api/users/password-reset/confirm": SECRET,
    "POST /api/users/verification/confirm": SECRET,
    "GET /api/users/me/addresses": CURSOR,
    "GET /api/users/me/sessions": CURSOR,
    "GET /api/checkout/cart": COUNTRY,
    "DELETE /api/checkout/cart": COUNTRY,
    "PUT /api/checkout/cart/items/{sku}": COUNTRY,
    "DELETE /api/checkout/cart/items/{sku}": COUNTRY,
    "PUT /api/checkout/cart/saved/{sku}": COUNTRY,
    "DELETE /api/checkout/cart/saved/{sku}": COUNTRY,
    "PUT /api/checkout/cart/promotion": CODE,
    "DELETE /api/checkout/cart/promotion": COUNTRY,
    "GET /api/checkout/orders": CURSOR,
    "POST /api/checkout/orders": COUNTRY,
    "POST /api/checkout/orders/{order_id}/refunds": "400 without Idempotency-Key",
    "GET /api/checkout/promotions": CURSOR,
    "PUT /api/checkout/promotions/{code}": "an amount without its kind",
    "DELETE /api/checkout/promotions/{code}": ETAG,
    "POST /api/checkout/payments/webhook": "a signature of somebody else",
    "GET /api/analytics/sales": "a range that ends before it begins",
    "GET /api/analytics/funnel": "a range that ends before it begins",
    "GET /api/analytics/searches-without-results": "a range that ends before it begins",
    "GET /api/analytics/top-products": "a range that ends before it begins",
}
# These take a body whole and say afterwards which of its events or lines do not fit.
TAKE_IN_PART = {"POST /api/analytics/events", "POST /api/catalog/imports"}


def document(service: str) -> BaseSchema:
    path = ROOT / "docs" / "contracts" / "openapi" / f"{service}.json"
    schema = schemathesis.openapi.from_path(path)
    routes = sum(isinstance(each, Ok) for each in schema.get_all_operations())
    # The token is ours, not made up; `ignored_auth` asks once more without it.
    schema.config.generation.update(
        max_examples=max(FEW, -(-CASES // routes)), with_security_parameters=False
    )
    coverage = schema.config.phases.coverage
    coverage.enabled = CASES > 0
    # Envoy's reader of HTTP does not know this method of 2025, and answers 400 itself.
    coverage.unexpected_methods = coverage.unexpected_methods - {"query"}
    return schema


catalog, users, checkout, analytics = map(document, ("catalog", "users", "checkout", "analytics"))
made_up = settings(
    deadline=None,
    derandomize=CASES == 0,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def operator(stack: Stack) -> dict[str, str]:
    """Headers of an operator nobody else is: what is made up may sign them out or rename them."""
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
    return {"Authorization": f"Bearer {token}", "X-Synthetic": "1"}


def is_right(case: Case, stack: Stack, operator: dict[str, str], *excluded: CheckFunction) -> None:
    left_out = list(excluded)
    if case.operation.label in REFUSES_MORE:
        left_out.append(positive_data_acceptance)
    if case.operation.label in TAKE_IN_PART:
        left_out.append(negative_data_rejection)
    case.call_and_validate(base_url=stack.edge_url, headers=operator, excluded_checks=left_out)


# It has no writer for lines of JSON, and says so; imports have tests of their own.
@pytest.mark.filterwarnings("ignore:Skipped test cases with unsupported payload")
@catalog.parametrize()
@made_up
def test_catalog(case: Case, stack: Stack, operator: dict[str, str]) -> None:
    is_right(case, stack, operator)


@users.parametrize()
@made_up
def test_users(case: Case, stack: Stack, operator: dict[str, str]) -> None:
    is_right(case, stack, operator)


@checkout.parametrize()
@made_up
def test_checkout(case: Case, stack: Stack, operator: dict[str, str]) -> None:
    is_right(case, stack, operator)


@analytics.parametrize()
@made_up
def test_analytics(case: Case, stack: Stack, operator: dict[str, str]) -> None:
    # On a laptop reports are everybody's (HAS_REPORTS_PUBLIC): without a token, too.
    is_right(case, stack, operator, ignored_auth)


def test_what_is_left_out_is_a_route() -> None:
    labels = {
        each.ok().label
        for schema in (catalog, users, checkout, analytics)
        for each in schema.get_all_operations()
        if isinstance(each, Ok)
    }
    assert {*REFUSES_MORE, *TAKE_IN_PART} - labels == set()
