"""Refunds and expired reservations, through the edge."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest
from checkout_shop import Browser, assert_problem, audit_of, bearer, put_on_sale, stock_of

from pipeline.contracts import keys
from pipeline.contracts.events import parse_event
from pipeline.contracts.orders import OrderStatus
from pipeline.relay.domain import to_event
from pipeline.runtime.clock import now
from pipeline.runtime.order_store import OrderStore
from tests.conftest import wait_until


@pytest.fixture
def guest(stack: Any) -> Iterator[Browser]:
    with Browser(stack) as browser:
        yield browser


@pytest.fixture(scope="module")
def operator(stack: Any) -> Iterator[Browser]:
    with Browser(stack, bearer(stack, "operator-1", "operator")) as browser:
        yield browser


def refund(browser: Browser, order_id: str, key: str | None = None, **body: Any) -> httpx.Response:
    headers = {"Idempotency-Key": key or uuid4().hex}
    return browser.request("POST", f"/orders/{order_id}/refunds", json=body, headers=headers)


def delivered(stack: Any, browser: Browser, *goods: tuple[str, int]) -> dict[str, Any]:
    """An order that came all the way: paid by the worker, for what is to be refunded has to be at
    the gateway; the other steps are taken here, or were taken by the workers."""
    for sku, quantity in goods:
        browser.put(sku, quantity)
    order_id = browser.order().json()["order_id"]
    store = OrderStore(stack.names)
    wait_until(lambda: store.get_order(order_id)["status"] != "placed")
    for to in (OrderStatus.PACKED, OrderStatus.SHIPPED, OrderStatus.DELIVERED):
        store.advance(order_id, to, now())
    order: dict[str, Any] = browser.get(f"/orders/{order_id}").json()
    assert order["status"] == "delivered"
    return order


def test_lines_are_refunded_and_then_the_rest_to_the_penny(
    stack: Any, guest: Browser, operator: Browser
) -> None:
    sku, other = put_on_sale(stack, 9, 1999), put_on_sale(stack, 9, 250)
    order = delivered(stack, guest, (sku, 3), (other, 1))
    order_id, path = order["order_id"], f"/orders/{order['order_id']}"

    first = refund(operator, order_id, lines=[{"sku": sku, "quantity": 1}], reason="Damaged")

    assert first.status_code == 201, first.text
    told = first.json()
    assert (told["subtotal"]["amount_minor"], told["shipping"]["amount_minor"]) == (1999, 0)
    assert told["order_status"] == "delivered"
    seen = guest.get(path).json()
    assert (seen["refunded"], seen["can_cancel"]) == (told["total"], False)
    assert seen["timeline"][-1]["note"].startswith("Refunded: 1 × Kettle")
    rest = refund(operator, order_id)
    assert rest.json()["order_status"] == "refunded"
    seen = guest.get(path).json()
    assert (seen["status"], seen["refunded"]) == ("refunded", order["total"])
    assert len(seen["refunds"]) == 2
    entries = audit_of(stack, order_id)
    assert {(e["actor"], e["action"]) for e in entries} == {("operator-1", "order.refunded")}
    assert f"{told['total']['amount_minor']} GBP minor units: Damaged" in {
        e["detail"] for e in entries
    }
    assert len(entries) == 2
    assert_problem(refund(operator, order_id), 409, "nothing-to-refund")
    assert stock_of(stack, sku)["sold"] == 3  # it had left, and nobody said that it is back
    event = parse_event(to_event(OrderStore(stack.names).get_order(order_id)).model_dump_json())
    assert event.payload["total_minor"] == -rest.json()["total"]["amount_minor"]


def test_goods_that_were_sent_back_are_returned_to_the_shelf_with_their_refund(
    stack: Any, guest: Browser, operator: Browser
) -> None:
    sku = put_on_sale(stack, 9, 1000)
    order_id = delivered(stack, guest, (sku, 3))["order_id"]
    key, lines = uuid4().hex, [{"sku": sku, "quantity": 2}]
    for _ in range(2):  # the second is the first again
        answer = refund(operator, order_id, key, lines=lines, goods_are_back=True)
        assert answer.status_code == 201, answer.text
    assert stock_of(stack, sku) == {"received": 9, "available": 8, "held": 0, "sold": 1}
    assert refund(operator, order_id, lines=[{"sku": sku, "quantity": 1}]).status_code == 201
    assert stock_of(stack, sku)["sold"] == 1, "the third stays where it went"


def test_one_key_refunds_once_and_another_body_under_it_is_refused(
    stack: Any, guest: Browser, operator: Browser
) -> None:
    sku = put_on_sale(stack, 9, 1000)
    order_id = delivered(stack, guest, (sku, 3))["order_id"]
    key, lines = uuid4().hex, [{"sku": sku, "quantity": 1}]
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: refund(operator, order_id, key, lines=lines), range(12))
        )  # fmt: skip
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert sum("idempotent-replay" not in answer.headers for answer in answers) == 1
    assert_problem(refund(operator, order_id, key), 422, "idempotency-key-reused")
    assert len(guest.get(f"/orders/{order_id}").json()["refunds"]) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"lines": []},
        {"lines": [{"sku": "NO-SUCH-SKU", "quantity": 1}]},
        {"lines": [{"sku": "A", "quantity": 0}]},
        {"lines": [{"sku": "A", "quantity": 1}, {"sku": "A", "quantity": 1}]},
        {"lines": "all"},
        {"amount": 5},
        {"goods_are_back": "yes"},
        {"reason": "a\nb"},
    ],
)
def test_a_wrong_refund_is_refused_and_gives_nothing(
    guest: Browser, operator: Browser, a_delivered_order: str, body: Any
) -> None:
    answer = refund(operator, a_delivered_order, **body)
    assert_problem(answer, 422, "unprocessable")
    assert operator.get(f"/orders/{a_delivered_order}").json()["refunds"] == []


@pytest.fixture(scope="module")
def a_delivered_order(stack: Any) -> str:
    with Browser(stack) as browser:
        return str(delivered(stack, browser, (put_on_sale(stack, 2), 1))["order_id"])


def test_only_operators_refund(stack: Any, guest: Browser, a_delivered_order: str) -> None:
    assert_problem(refund(guest, a_delivered_order), 401, "unauthenticated")
    with Browser(stack, bearer(stack, "u-1")) as shopper:
        assert_problem(refund(shopper, a_delivered_order), 403, "forbidden")


def test_an_order_that_is_cancelled_has_nothing_to_give_back(
    stack: Any, guest: Browser, operator: Browser
) -> None:
    guest.put(put_on_sale(stack, 1), 1)
    order_id = guest.order().json()["order_id"]
    guest.cancel(order_id)
    assert_problem(refund(operator, order_id), 409, "nothing-to-refund")
    assert_problem(refund(operator, "no-such-order"), 404, "not-found")


def test_an_unpaid_order_whose_time_is_over_is_cancelled_by_being_looked_at(
    stack: Any, guest: Browser
) -> None:
    sku = put_on_sale(stack, 4)
    guest.put(sku, 3)
    # An order as the checkout wrote it, but long ago; no worker hears of a row without a version.
    order_id = guest.order(payment={"card_token": "tok_declined"}).json()["order_id"]
    path = f"/orders/{order_id}"
    wait_until(lambda: guest.get(path).json()["status"] == "payment_failed")
    table = stack.table("orders")
    row = table.get_item(Key=keys.order(order_id), ConsistentRead=True)["Item"]
    table.put_item(
        Item=row | {"status": "placed", "timeline": row["timeline"][:1], "version": row["version"],
                    "pay_by": "2026-01-01T00:00:00.000Z"}
    )  # fmt: skip
    stack.table("products").update_item(
        Key=keys.stock(sku),
        UpdateExpression="ADD available :minus, held :plus",
        ExpressionAttributeValues={":minus": -3, ":plus": 3},
    )
    for _ in range(2):
        seen = guest.get(path).json()
        assert (seen["status"], seen["timeline"][-1]["note"]) == ("cancelled", "Not paid in time")
    assert stock_of(stack, sku) == {"received": 4, "available": 4, "held": 0, "sold": 0}
