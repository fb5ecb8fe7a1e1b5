"""How often a request asks DynamoDB, as its own trace says: what it costs and how it scales."""

import json
import secrets
import time
from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import Stack, wait_until
from tests.integration.checkout_shop import SYNTHETIC, an_order, bearer, put_on_sale, stock_of


def sampled() -> tuple[str, dict[str, str]]:
    """An X-Ray root id, and the headers that ask for its trace to be kept."""
    root = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    return root, {"X-Amzn-Trace-Id": f"Root={root};Sampled=1", **SYNTHETIC}


def calls_of(stack: Stack, root: str, service: str) -> list[str]:
    """The DynamoDB operations of the one request that `service` answered in this trace."""

    def answered() -> list[dict[str, Any]]:
        traces = stack.aws("xray").batch_get_traces(TraceIds=[root])["Traces"]
        found = [json.loads(s["Document"]) for trace in traces for s in trace["Segments"]]
        assert any(s["name"] == service and s.get("type") != "subsegment" for s in found)
        return found

    found = wait_until(answered, pause_s=0.3)
    own = {s["id"] for s in found if s["name"] == service and s.get("type") != "subsegment"}
    below = [s for s in found if s.get("parent_id") in own]
    below += [part for s in found if s["id"] in own for part in s.get("subsegments", ())]
    return sorted(s["name"] for s in below if s["name"].startswith("DynamoDB/"))


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/api/catalog/products?q=boots&sort=price_asc", 0),
        ("/api/catalog/suggest?q=boo", 0),
        ("/api/catalog/categories", 0),
        ("/api/catalog/products/OD-001", 1),
    ],
)
def test_reading_the_catalogue_asks_the_table_once_at_most(
    stack: Stack, path: str, most: int
) -> None:
    root, headers = sampled()
    fresh = {**headers, "Cache-Control": "no-cache"}
    with stack.http() as http:
        assert http.get(path, headers=fresh).status_code == 200
    assert len(calls_of(stack, root, "catalog")) == most


def test_placing_an_order_is_two_round_trips(stack: Stack) -> None:
    skus = [put_on_sale(stack, units=5) for _ in range(3)]
    root, headers = sampled()
    with stack.http() as http:
        for sku in skus:
            http.put(f"/api/checkout/cart/items/{sku}", json={"quantity": 1}).raise_for_status()
        key = {"Idempotency-Key": uuid4().hex}
        placed = http.post("/api/checkout/orders", json=an_order(), headers=headers | key)
    assert placed.status_code == 201, placed.text
    calls = calls_of(stack, root, "checkout")
    assert len(calls) == 2, calls
    assert "DynamoDB/TransactWriteItems" in calls


def test_the_first_order_after_signing_in_takes_the_guests_goods_along_in_the_same_two(
    stack: Stack,
) -> None:
    sku, other = put_on_sale(stack, units=5), put_on_sale(stack, units=5)
    root, headers = sampled()
    person = bearer(stack, uuid4().hex)
    with stack.http() as http:
        http.put(f"/api/checkout/cart/items/{sku}", json={"quantity": 2}, headers=person)
        http.cookies.clear()
        http.put(f"/api/checkout/cart/items/{other}", json={"quantity": 1}).raise_for_status()
        key = {"Idempotency-Key": uuid4().hex}
        placed = http.post("/api/checkout/orders", json=an_order(), headers=headers | key | person)
        after = http.get("/api/checkout/cart", headers=person).json()
        guests = http.get("/api/checkout/cart").json()
    assert placed.status_code == 201, placed.text
    assert (stock_of(stack, sku)["available"], stock_of(stack, other)["available"]) == (3, 4)
    assert (after["items"], guests["items"]) == ([], [])
    assert len(calls_of(stack, root, "checkout")) == 2
