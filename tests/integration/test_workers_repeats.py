"""Messages twice, late, swapped or broken: the workers end in the same state."""

import json
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pipeline.contracts import keys
from pipeline.contracts.events import parse_event
from pipeline.contracts.orders import OrderStatus
from pipeline.runtime import aws
from pipeline.runtime.clock import now
from pipeline.runtime.dynamo import to_item
from tests.conftest import Stack
from tests.integration.workers_floor import HELD, RECEIVED, Floor

DELIVERED = ["placed", "paid", "packed", "shipped", "delivered"]
REFUSED_CARDS = ("tok_declined", "tok_insufficient_funds")
CARDS = ("tok_visa", "tok_timeout", "tok_flaky", *REFUSED_CARDS)


@pytest.fixture(scope="module")
def floor(emulator: Stack) -> Iterator[Floor]:
    floor = Floor(emulator)
    yield floor
    floor.gateway.stop()


# No shrinking: an example takes a second, and a seed says as much as a smaller one.
@settings(
    max_examples=16, deadline=None, derandomize=True, phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(
    # A seed, not hypothesis' own dice: how often they are thrown depends on the messages so far.
    seed=st.integers(0, 2**32 - 1),
    card=st.sampled_from(CARDS),
    cancel_after=st.none() | st.integers(0, 12),
    faults=st.sampled_from([{}, {"unavailable_percent": 40}, {"lost_percent": 25}]),
)
def test_in_whatever_order_messages_come_the_order_and_its_stock_end_right(
    floor: Floor, seed: int, card: str, cancel_after: int | None, faults: dict[str, int]
) -> None:
    for operation in ("authorise", "capture", "void", "refund", "query"):
        floor.gateway.behave(operation, **faults)
    sku = floor.put_on_sale()
    order_id = floor.place(sku, card)
    floor.play(random.Random(seed), cancel_after, order_id)
    states, payment = floor.states(order_id), floor.gateway.payment(order_id)
    total_minor = floor.orders.get_order(order_id)["total_minor"]
    if states[-1] == "delivered":
        assert states == DELIVERED
        assert card not in REFUSED_CARDS
        assert (payment.status, payment.net_minor) == ("captured", total_minor)
        assert floor.stock(sku) == (RECEIVED - HELD, 0, HELD)
    else:
        expected = {"payment_failed": {"declined"}, "cancelled": {"voided", "declined", "captured"}}
        assert payment.status in expected[states[-1]]
        assert payment.net_minor == 0
        assert floor.stock(sku) == (RECEIVED, 0, 0)
    assert payment.captured_minor in (0, total_minor)
    assert payment.attempts <= (3 if card == "tok_flaky" else 1)
    assert (states[-1] == "payment_failed") <= (card in REFUSED_CARDS)
    assert len(floor.mails(order_id)) == len(states)


def test_a_step_that_comes_too_early_waits_and_one_too_late_is_left(floor: Floor) -> None:
    order_id = floor.place(floor.put_on_sale())
    ship = json.dumps(
        {"command": "ship", "order_id": order_id, "version": 3, "correlation_id": "c"}
    )
    assert floor.deliver("fulfilment", ship) == [0]
    assert floor.states(order_id) == ["placed"]
    floor.orders.advance(order_id, OrderStatus.CANCELLED, now())
    assert floor.deliver("fulfilment", ship) == []
    assert floor.states(order_id) == ["placed", "cancelled"]


def test_relayed_twice_an_order_has_the_same_events_on_topic_and_stream(floor: Floor) -> None:
    order_id = floor.place(floor.put_on_sale())
    floor.orders.advance(order_id, OrderStatus.PAID, now())
    changes = [c for c in floor.changes() if order_id in json.dumps(c["dynamodb"], default=str)]
    for _ in range(2):
        floor.invoke("relay", {"Records": changes})
    expected = {f"{order_id}:1": 2, f"{order_id}:2": 2}
    mine = [parse_event(body) for body in floor.stream_bodies() if order_id in body]
    assert Counter(event.event_id for event in mine) == expected
    assert [event.event_id for event in mine[:2]] == list(expected)
    assert len({event.model_dump_json() for event in mine}) == 2
    assert all(event.synthetic and event.correlation_id == f"corr-{order_id}" for event in mine)
    mailed = [parse_event(body) for body in floor.take_messages("notification")]
    assert Counter(e.event_id for e in mailed if e.partition_key == order_id) == expected
    body = "".join(event.model_dump_json() for event in mine)
    assert not any(secret in body for secret in ("ada@shop.test", "tok_visa", "1 Street"))


def test_a_change_without_a_new_version_is_not_relayed(floor: Floor) -> None:
    order_id = floor.place(floor.put_on_sale())
    floor.invoke("relay", {"Records": floor.changes()})
    before = len(floor.stream_bodies())
    aws.client("dynamodb").update_item(
        TableName=floor.names.table("orders"),
        Key=to_item(keys.order(order_id)),
        UpdateExpression="SET email = :new",
        ExpressionAttributeValues=to_item({":new": "new@shop.test"}),
    )
    changes = floor.changes()
    assert [change["eventName"] for change in changes] == ["MODIFY"]
    floor.invoke("relay", {"Records": changes})
    assert len(floor.stream_bodies()) == before


def test_a_row_that_is_no_order_is_set_aside_and_does_not_block_the_next(floor: Floor) -> None:
    broken, good = (floor.place(floor.put_on_sale()) for _ in range(2))
    changes = floor.changes()
    (first,) = [c for c in changes if broken in json.dumps(c["dynamodb"], default=str)]
    first["dynamodb"]["NewImage"]["lines"] = {"L": []}
    floor.take_messages("stream-failures")
    floor.invoke("relay", {"Records": changes})
    (aside,) = map(json.loads, floor.take_messages("stream-failures"))
    assert (aside["pk"], aside["reason"]) == (f"ORDER#{broken}", "bad_order")
    assert "lines" in aside["detail"]
    relayed = {parse_event(body).event_id for body in floor.stream_bodies()}
    assert f"{good}:1" in relayed
    assert f"{broken}:1" not in relayed


@pytest.mark.parametrize("worker", ["payment", "fulfilment", "notification"])
@pytest.mark.parametrize("body", ["no json", "{}", '{"command": "fly"}', "[]"])
def test_a_message_that_is_no_event_fails_alone(floor: Floor, worker: str, body: str) -> None:
    order_id = floor.place(floor.put_on_sale())
    floor.invoke("relay", {"Records": floor.changes()})
    (placed,) = [m for m in floor.take_messages("notification") if f'"{order_id}:1"' in m]
    assert floor.deliver(worker, body, placed) == [0]


def test_an_event_of_an_order_that_is_not_there_fails(floor: Floor) -> None:
    order_id = floor.place(floor.put_on_sale())
    floor.invoke("relay", {"Records": floor.changes()})
    (placed,) = [m for m in floor.take_messages("payment") if order_id in m]
    event: dict[str, Any] = json.loads(placed.replace(order_id, "01M874XHR3JTHHS7QZ585NHF8K"))
    assert floor.deliver("payment", json.dumps(event)) == [0]
