"""The functions as the emulator runs them, fed by the table's stream and the queues."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from pipeline.contracts import keys
from pipeline.contracts.orders import OrderStatus
from pipeline.runtime import aws
from pipeline.runtime.clock import now
from pipeline.runtime.sqs import queue_url
from tests.conftest import Stack, wait_until
from tests.integration.workers_floor import HELD, RECEIVED, Shelf

DELIVERED = ["placed", "paid", "packed", "shipped", "delivered"]


@pytest.fixture(scope="module")
def shelf(emulator: Stack) -> Shelf:
    return Shelf(emulator.names)


@pytest.mark.parametrize("card", ["tok_visa", "tok_timeout", "tok_flaky"])
def test_a_good_card_brings_the_order_to_the_door(shelf: Shelf, card: str) -> None:
    sku = shelf.put_on_sale()
    order_id = shelf.place(sku, card)
    wait_until(lambda: shelf.states(order_id) == DELIVERED)
    assert shelf.stock(sku) == (RECEIVED - HELD, 0, HELD)
    order, payment = shelf.orders.get_order(order_id), shelf.payment(order_id)
    assert order["payment"] == {"status": "captured", "failure_code": None}
    assert payment is not None
    assert (payment.status, payment.net_minor) == ("captured", order["total_minor"])
    assert [entry["version"] for entry in order["timeline"]] == [1, 2, 3, 4, 5]
    mails = wait_until(lambda: _when_all(shelf, order_id, len(DELIVERED)))
    assert len({mail["subject"] for mail in mails}) == len(DELIVERED)


@pytest.mark.parametrize(
    ("card", "code"),
    [("tok_declined", "card_declined"), ("tok_insufficient_funds", "insufficient_funds")],
)
def test_a_refused_card_frees_the_goods(shelf: Shelf, card: str, code: str) -> None:
    sku = shelf.put_on_sale()
    order_id = shelf.place(sku, card)
    wait_until(lambda: shelf.states(order_id) == ["placed", "payment_failed"])
    assert shelf.stock(sku) == (RECEIVED, 0, 0)
    order = shelf.orders.get_order(order_id)
    assert order["payment"] == {"status": "failed", "failure_code": code}
    assert order["timeline"][-1]["note"]


def test_an_order_cancelled_after_it_was_paid_gets_its_money_back(shelf: Shelf) -> None:
    for _ in range(5):  # on a machine that stalls, an order is packed before we come to it
        sku = shelf.put_on_sale()
        order_id = shelf.place(sku)
        wait_until(lambda: "paid" in shelf.states(order_id), pause_s=0.02)  # noqa: B023
        done = shelf.orders.advance(order_id, OrderStatus.CANCELLED, now())
        if done.order["status"] == "cancelled":
            break
    assert done.order["status"] == "cancelled"
    wait_until(lambda: shelf.payment(order_id).refunds)
    assert shelf.payment(order_id).net_minor == 0
    assert shelf.stock(sku) == (RECEIVED, 0, 0)
    # The step that was already under way comes, and changes nothing.
    wait_until(lambda: _waiting(shelf, "fulfilment") == 0)
    assert shelf.states(order_id) == ["placed", "paid", "cancelled"]


def test_a_product_is_in_stock_exactly_while_one_of_its_skus_is(shelf: Shelf) -> None:
    first = shelf.put_on_sale(units=HELD)
    product = keys.product(f"product-{first}")
    second = shelf.put_on_sale(units=HELD, product_id=f"product-{first}")

    def flag_is(expected: bool) -> Callable[[], bool]:
        return lambda: shelf.read("products", product)["in_stock"] is expected

    first_order = shelf.place(first, "tok_visa")
    wait_until(lambda: shelf.states(first_order) == DELIVERED)  # nothing of it comes later
    checks = wait_until(lambda: shelf.read("products", product).get("stock_checks"))
    assert flag_is(True)()
    before = shelf.read("products", product)["changed_at"]
    last = shelf.place(second, "tok_declined")
    wait_until(lambda: shelf.states(last)[-1] == "payment_failed")
    # Gone and back may come in one batch, which is one look that finds nothing to change.
    wait_until(lambda: shelf.read("products", product)["stock_checks"] > checks)
    wait_until(flag_is(True))
    shelf.place(second, "tok_visa")
    wait_until(flag_is(False))
    assert shelf.read("products", product)["changed_at"] > before
    assert shelf.read("products", product)["version"] == 1


def test_a_sku_is_on_the_list_of_low_ones_while_it_is(shelf: Shelf) -> None:
    sku = shelf.put_on_sale(units=HELD + 2)

    def listed() -> dict[str, Any]:
        return shelf.read("ops", keys.low_stock(sku))

    shelf.place(sku)
    row = wait_until(listed)
    assert (row["sku"], row["available"], row["threshold"]) == (sku, 2, 5)
    shelf.receive(sku, 3)
    wait_until(lambda: listed()["available"] == 5)
    assert listed()["since"] == row["since"]
    shelf.receive(sku, 1)
    wait_until(lambda: not listed())


def test_a_message_that_is_no_event_ends_in_the_dead_letter_queue(emulator: Stack) -> None:
    sqs, names = aws.client("sqs"), emulator.names
    body = json.dumps({"nonsense": time.time_ns()})
    sqs.send_message(QueueUrl=queue_url(names.queue("notification")), MessageBody=body)
    dead = queue_url(names.queue("notification-dlq"))

    def arrived() -> bool:
        found = sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=10, VisibilityTimeout=0)
        for message in found.get("Messages", []):
            if message["Body"] == body:
                sqs.delete_message(QueueUrl=dead, ReceiptHandle=message["ReceiptHandle"])
                return True
        return False

    wait_until(arrived, pause_s=0.5)


def _waiting(shelf: Shelf, queue: str) -> int:
    """Messages of a queue that are there, put off or in somebody's hands."""
    answer = aws.client("sqs").get_queue_attributes(
        QueueUrl=queue_url(shelf.names.queue(queue)), AttributeNames=["All"]
    )
    return sum(int(n) for name, n in answer["Attributes"].items() if "NumberOfMessages" in name)


def _when_all(shelf: Shelf, order_id: str, count: int) -> list[dict[str, object]]:
    mails = shelf.mails(order_id)
    return mails if len(mails) == count else []
