"""The moves of an order, on tables of their own that no worker listens to."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from pipeline.contracts import keys
from pipeline.contracts.errors import NotFound
from pipeline.contracts.events import to_iso_z
from pipeline.contracts.names import Names
from pipeline.contracts.orders import OrderStatus
from pipeline.runtime import aws
from pipeline.runtime.order_store import OrderStore, Outcome, StockMismatch

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
S = OrderStatus


class Shop:
    """An order table and a stock table, and what is in them."""

    def __init__(self, names: Names) -> None:
        self.store = OrderStore(names)
        self._orders = aws.table(names.table("orders"))
        self._products = aws.table(names.table("products"))

    def an_order(self, held: int = 3) -> tuple[str, str]:
        """A placed order of two lines of one SKU, three units; returns its id and the SKU."""
        order_id, sku = uuid4().hex, uuid4().hex
        self._orders.put_item(
            Item={
                **keys.order(order_id), "order_id": order_id, "owner": "guest:1", "version": 1,
                "status": "placed", "lines": [{"sku": sku, "quantity": n} for n in (1, 2)],
                "timeline": [
                    {"version": 1, "status": "placed", "at": to_iso_z(AT), "note": None}
                ],
            }
        )  # fmt: skip
        stock = {"received": 10, "available": 10 - held, "held": held, "sold": 0}
        self._products.put_item(Item={**keys.stock(sku), "sku": sku, **stock})
        return order_id, sku

    def stock(self, sku: str) -> tuple[int, int, int]:
        row = self._products.get_item(Key=keys.stock(sku), ConsistentRead=True)["Item"]
        assert row["received"] == row["available"] + row["held"] + row["sold"]
        return int(row["available"]), int(row["held"]), int(row["sold"])


@pytest.fixture(scope="module")
def shop(emulator: Any) -> Iterator[Shop]:
    names = Names(f"t{uuid4().hex[:8]}")
    dynamodb = emulator.aws("dynamodb")
    for table in ("orders", "products"):
        dynamodb.create_table(
            TableName=names.table(table),
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")
            ],
            BillingMode="PAY_PER_REQUEST",
        )
    yield Shop(names)
    for table in ("orders", "products"):
        dynamodb.delete_table(TableName=names.table(table))


@pytest.mark.parametrize(
    ("path", "stock"),
    [
        ([S.PAID], (7, 0, 3)),
        ([S.PAYMENT_FAILED], (10, 0, 0)),
        ([S.CANCELLED], (10, 0, 0)),
        ([S.PAID, S.CANCELLED], (10, 0, 0)),
        ([S.PAID, S.PACKED, S.SHIPPED, S.DELIVERED], (7, 0, 3)),
        ([S.PAID, S.REFUNDED], (7, 0, 3)),
    ],
)
def test_each_move_happens_once_however_often_it_is_asked_for(
    shop: Shop, path: list[OrderStatus], stock: tuple[int, int, int]
) -> None:
    order_id, sku = shop.an_order()
    for to in path:
        assert shop.store.advance(order_id, to, AT).outcome is Outcome.ADVANCED
        assert shop.store.advance(order_id, to, AT).outcome is Outcome.ALREADY
    order = shop.store.get_order(order_id)
    assert [entry["status"] for entry in order["timeline"]] == ["placed", *path]
    assert [entry["version"] for entry in order["timeline"]] == list(range(1, len(path) + 2))
    assert (order["version"], order["status"]) == (len(path) + 1, path[-1])
    assert shop.stock(sku) == stock


@pytest.mark.parametrize(
    ("path", "then"),
    [
        ([], S.PACKED),
        ([S.CANCELLED], S.PAID),
        ([S.PAYMENT_FAILED], S.CANCELLED),
        ([S.PAID, S.PACKED], S.CANCELLED),
        ([S.PAID], S.PAYMENT_FAILED),
    ],
)
def test_a_move_that_the_state_does_not_allow_changes_nothing(
    shop: Shop, path: list[OrderStatus], then: OrderStatus
) -> None:
    order_id, sku = shop.an_order()
    for to in path:
        shop.store.advance(order_id, to, AT)
    before, stock = shop.store.get_order(order_id), shop.stock(sku)
    refused = shop.store.advance(order_id, then, AT)
    assert (refused.outcome, refused.order) == (Outcome.REFUSED, before)
    assert (shop.store.get_order(order_id), shop.stock(sku)) == (before, stock)


def test_a_replayed_early_move_of_a_later_order_is_a_success(shop: Shop) -> None:
    order_id, _ = shop.an_order()
    for to in (S.PAID, S.PACKED, S.SHIPPED):
        shop.store.advance(order_id, to, AT)
    replayed = shop.store.advance(order_id, S.PAID, AT)
    assert (replayed.outcome, replayed.order["status"]) == (Outcome.ALREADY, "shipped")


def test_payment_and_cancel_at_the_same_moment_move_the_stock_once(shop: Shop) -> None:
    orders = [shop.an_order() for _ in range(20)]
    wanted = [
        (order_id, to)
        for order_id, _ in orders
        for to in (S.PAID, S.CANCELLED, S.PAYMENT_FAILED, S.PAID, S.CANCELLED)
    ]
    with ThreadPoolExecutor(16) as pool:
        done = list(pool.map(lambda one: shop.store.advance(one[0], one[1], AT), wanted))
    assert Outcome.ADVANCED in {one.outcome for one in done}
    for order_id, sku in orders:
        status = shop.store.get_order(order_id)["status"]
        assert status in {"cancelled", "payment_failed"}
        assert shop.stock(sku) == (10, 0, 0)


def test_what_comes_with_a_move_is_written_with_it(shop: Shop) -> None:
    order_id, _ = shop.an_order()
    payment = {"status": "paid", "failure_code": None}
    shop.store.advance(order_id, S.PAID, AT, note="tok_visa", extra={"payment": payment})
    order = shop.store.get_order(order_id)
    assert order["payment"] == payment
    assert order["timeline"][-1] == {
        "version": 2,
        "status": "paid",
        "at": "2026-01-02T03:04:05.000Z",
        "note": "tok_visa",
    }


def test_stock_that_is_not_held_stops_the_move_for_people_to_see(shop: Shop) -> None:
    order_id, sku = shop.an_order(held=1)
    with pytest.raises(StockMismatch, match=order_id):
        shop.store.advance(order_id, S.PAID, AT)
    assert shop.store.get_order(order_id)["status"] == "placed"
    assert shop.stock(sku) == (9, 1, 0)


def test_an_order_that_does_not_exist_cannot_move(shop: Shop) -> None:
    with pytest.raises(NotFound):
        shop.store.advance("nobody", S.PAID, AT)
