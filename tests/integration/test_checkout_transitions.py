"""The moves of an order, on tables of their own that no worker listens to."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pipeline.contracts import keys
from pipeline.contracts.errors import NotFound, ShopError, Unprocessable
from pipeline.contracts.events import Envelope, to_iso_z
from pipeline.contracts.names import Names
from pipeline.contracts.orders import OrderStatus
from pipeline.expiry.service import build_expire
from pipeline.runtime import aws
from pipeline.runtime.order_refunds import NothingToRefund, RefundRequest
from pipeline.runtime.order_store import IdempotencyKeyReused, OrderStore, Outcome, StockMismatch
from pipeline.runtime.sqs import RetrySoon
from tests.order_model import MOVES, PLACED_AT, RECEIVED, WINDOW, Message, Model
from tests.order_model import an_order as a_model_order

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
S = OrderStatus


class Shop:
    """An order table and a stock table, and what is in them."""

    def __init__(self, names: Names) -> None:
        self.store = OrderStore(names)
        self._orders = aws.table(names.table("orders"))
        self._products = aws.table(names.table("products"))

    def an_order(self, held: int = 3, **changes: Any) -> tuple[str, str]:
        """A placed order of two lines of one SKU, three units; returns its id and the SKU."""
        order_id, sku = uuid4().hex, uuid4().hex
        lines = [
            {"line_no": units, "sku": sku, "product_id": "p", "title": "Mug", "category": "Kitchen",
             "quantity": units, "unit_price_minor": 500, "line_total_minor": 500 * units}
            for units in (1, 2)
        ]  # fmt: skip
        self._orders.put_item(
            Item={
                **keys.order(order_id), "order_id": order_id, "owner": "guest:1", "version": 1,
                "status": "placed", "lines": lines, "shipping_minor": 399, "tax_minor": 280,
                "total_minor": 2179, "currency": "GBP", "timeline": [
                    {"version": 1, "status": "placed", "at": to_iso_z(AT), "note": None}
                ], **changes,
            }
        )  # fmt: skip
        stock = {"received": 10, "available": 10 - held, "held": held, "sold": 0}
        self._products.put_item(Item={**keys.stock(sku), "sku": sku, **stock})
        return order_id, sku

    def put(self, order: dict[str, Any], stock: dict[str, dict[str, int]]) -> None:
        self._orders.put_item(Item={**keys.order(order["order_id"]), **order})
        for sku, counts in stock.items():
            self._products.put_item(
                Item={**keys.stock(sku), "sku": sku, "received": RECEIVED, **counts}
            )

    def ask(self, model: Model, message: Message, at: datetime) -> Outcome:
        order_id = model.order["order_id"]
        if message.kind == "expire":
            return self.store.expire(order_id, at).outcome
        if message.kind != "refund":
            return self.store.advance(order_id, MOVES[message.kind], at).outcome
        try:
            return self.store.refund(order_id, model.request(message), at).outcome
        except ShopError:
            return Outcome.REFUSED

    def stock(self, sku: str) -> tuple[int, int, int]:
        row = self._products.get_item(Key=keys.stock(sku), ConsistentRead=True)["Item"]
        assert row["received"] == row["available"] + row["held"] + row["sold"]
        return int(row["available"]), int(row["held"]), int(row["sold"])


@pytest.fixture(scope="module")
def shop(emulator: Any) -> Iterator[Shop]:
    names = Names(f"t{uuid4().hex[:8]}")
    dynamodb = emulator.aws("dynamodb")
    for table in ("orders", "products", "ops"):
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
    for table in ("orders", "products", "ops"):
        dynamodb.delete_table(TableName=names.table(table))


@pytest.mark.parametrize(
    ("path", "stock"),
    [
        ([S.PAID], (7, 0, 3)),
        ([S.PAYMENT_FAILED], (10, 0, 0)),
        ([S.CANCELLED], (10, 0, 0)),
        ([S.PAID, S.CANCELLED], (10, 0, 0)),
        ([S.PAID, S.PACKED, S.SHIPPED, S.DELIVERED], (7, 0, 3)),
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


def test_an_order_that_is_not_paid_in_time_gives_its_goods_back_once(shop: Shop) -> None:
    order_id, sku = shop.an_order(pay_by=to_iso_z(AT))
    early = AT - timedelta(milliseconds=1)
    assert shop.store.expire(order_id, early).outcome is Outcome.REFUSED
    assert shop.stock(sku) == (7, 3, 0)
    assert shop.store.advance(order_id, S.PAID, AT).outcome is Outcome.REFUSED
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: shop.store.expire(order_id, AT), range(16)))
    assert [one.outcome for one in done].count(Outcome.ADVANCED) == 1
    assert shop.stock(sku) == (10, 0, 0)
    assert shop.store.get_order(order_id)["timeline"][-1]["note"] == "Not paid in time"


def test_a_payment_in_time_keeps_the_order_from_expiring(shop: Shop) -> None:
    order_id, sku = shop.an_order(pay_by=to_iso_z(AT))
    shop.store.advance(order_id, S.PAID, AT - timedelta(seconds=1))
    late = AT + timedelta(hours=1)
    assert shop.store.expire(order_id, late).outcome is Outcome.REFUSED
    assert shop.stock(sku) == (7, 0, 3)


def test_a_message_that_comes_before_its_time_is_put_off_until_then(shop: Shop) -> None:
    order_id, sku = shop.an_order(pay_by=to_iso_z(AT))
    clock = [AT - timedelta(seconds=90)]
    expire = build_expire(shop.store, lambda: clock[0])
    event = Envelope.model_construct(payload={"order_id": order_id})
    with pytest.raises(RetrySoon) as early:
        expire(event)
    assert 90 <= early.value.delay_s <= 91
    clock[0] = AT
    for _ in range(2):
        expire(event)
    assert shop.store.get_order(order_id)["status"] == "cancelled"
    assert shop.stock(sku) == (10, 0, 0)


def a_refund(key: str, units: dict[str, int] | None = None) -> RefundRequest:
    return RefundRequest(key, key, str(units), units, None, "operator-1")


@pytest.mark.parametrize(
    ("path", "stock"),
    [
        ([S.PAID], (10, 0, 0)),
        ([S.PAID, S.PACKED], (10, 0, 0)),
        ([S.PAID, S.PACKED, S.SHIPPED], (7, 0, 3)),
        ([S.PAID, S.PACKED, S.SHIPPED, S.DELIVERED], (7, 0, 3)),
    ],
)
def test_a_refund_puts_back_what_has_not_left_and_happens_once_however_often_asked(
    shop: Shop, path: list[OrderStatus], stock: tuple[int, int, int]
) -> None:
    order_id, sku = shop.an_order()
    for to in path:
        shop.store.advance(order_id, to, AT)
    with ThreadPoolExecutor(8) as pool:
        asked = [a_refund(f"key-{number % 2}") for number in range(16)]
        done = list(pool.map(lambda one: _refunded(shop, order_id, one), asked))
    assert done.count(Outcome.ADVANCED) == 1
    order = shop.store.get_order(order_id)
    assert (order["status"], len(order["refunds"])) == ("refunded", 1)
    assert order["refunds"][0]["amount_minor"] == order["total_minor"]
    assert shop.stock(sku) == stock


def _refunded(shop: Shop, order_id: str, asked: RefundRequest) -> Outcome | None:
    """None when the other key was faster."""
    try:
        return shop.store.refund(order_id, asked, AT).outcome
    except NothingToRefund:
        return None


def test_a_part_is_refunded_and_the_order_goes_on_but_cannot_be_cancelled(shop: Shop) -> None:
    order_id, sku = shop.an_order()
    shop.store.advance(order_id, S.PAID, AT)
    part = shop.store.refund(order_id, a_refund("part", {sku: 2}), AT).order
    assert (part["status"], part["version"]) == ("paid", 3)
    assert shop.stock(sku) == (9, 0, 1)
    assert shop.store.advance(order_id, S.CANCELLED, AT).outcome is Outcome.REFUSED
    assert shop.store.advance(order_id, S.PACKED, AT).outcome is Outcome.ADVANCED
    with pytest.raises(Unprocessable, match="1 left"):
        shop.store.refund(order_id, a_refund("more", {sku: 2}), AT)
    with pytest.raises(IdempotencyKeyReused):
        shop.store.refund(order_id, a_refund("part"), AT)
    rest = shop.store.refund(order_id, a_refund("rest"), AT).order
    assert rest["status"] == "refunded"
    assert sum(refund["amount_minor"] for refund in rest["refunds"]) == rest["total_minor"]
    assert shop.stock(sku) == (10, 0, 0)


@settings(
    max_examples=15, deadline=None, derandomize=True, phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(
    st.lists(
        st.tuples(
            st.sampled_from([Message(kind) for kind in MOVES])
            | st.builds(
                Message, st.just("refund"), st.sampled_from("ab"), st.integers(1, 3), st.booleans()
            ),
            st.sampled_from([timedelta(), WINDOW]),
        ),
        max_size=12,
    ).map(lambda sent: [*sent, *sent[::-1]])
)
def test_in_the_table_an_order_ends_as_the_rules_say(
    shop: Shop, sent: list[tuple[Message, timedelta]]
) -> None:
    model = Model(a_model_order(uuid4().hex))
    shop.put(model.order, model.stock)
    for message, later in sent:
        at = PLACED_AT + later
        expected = model.deliver(message, at)
        assert shop.ask(model, message, at) is expected
    assert shop.store.get_order(model.order["order_id"])["version"] == model.order["version"]
    for sku, counts in model.stock.items():
        assert shop.stock(sku) == tuple(counts[name] for name in ("available", "held", "sold"))


def test_an_order_that_does_not_exist_cannot_move(shop: Shop) -> None:
    with pytest.raises(NotFound):
        shop.store.advance("nobody", S.PAID, AT)
