"""The door for the card gateway's webhooks, and the gateway's own HTTP door."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from pipeline.contracts.events import to_iso_z
from pipeline.contracts.orders import OrderStatus
from pipeline.contracts.payments import Notice, Payment
from pipeline.relay.domain import to_event
from pipeline.runtime.clock import now
from pipeline.runtime.webhook_signature import HEADER, TOLERANCE_S
from tests.conftest import Stack, wait_until
from tests.integration.checkout_shop import Browser, assert_problem, put_on_sale
from tests.integration.gateway_door import API_KEY
from tests.integration.workers_floor import Floor, Shelf


@pytest.fixture(scope="module")
def stage(emulator: Stack) -> Iterator[Floor]:
    floor = Floor(emulator)
    yield floor
    floor.gateway.stop()


@pytest.fixture
def floor(stage: Floor) -> Iterator[Floor]:
    stage.take_messages("payment")
    yield stage
    stage.gateway.behave_well()


@pytest.fixture
def captured(floor: Floor) -> Notice:
    """The webhook of an order whose worker never heard the answer: paid for, and still placed."""
    floor.gateway.behave("capture", lost_percent=100)
    floor.gateway.behave("query", unavailable_percent=100)
    order_id = floor.place(floor.put_on_sale())
    tell(floor, order_id)
    floor.take_messages("payment")  # what it put off gets lost, too
    floor.gateway.behave_well()
    (waiting,) = [w for w in floor.gateway.outbox() if w.notice.payment.key == order_id]
    return waiting.notice


def tell(floor: Floor, order_id: str) -> None:
    event = to_event(floor.orders.get_order(order_id))
    assert floor.deliver("payment", event.model_dump_json()) == []


def test_a_webhook_brings_the_order_on_once(floor: Floor, captured: Notice) -> None:
    body, order_id = captured.model_dump_json().encode(), captured.payment.key
    answers = [floor.gateway.notify(body) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert [answer.json()["repeated"] for answer in answers] == [False, True, True]
    (settle,) = floor.take_messages("payment")
    assert json.loads(settle)["cause"] == captured.event_id
    assert floor.deliver("payment", settle) == []
    floor.deliver_postponed("payment")
    assert floor.states(order_id) == ["placed", "paid"]
    assert floor.gateway.payment(order_id).attempts == 1


def test_a_webhook_that_tells_nothing_new_asks_nobody(floor: Floor) -> None:
    order_id = floor.place(floor.put_on_sale())
    tell(floor, order_id)
    (waiting,) = [w for w in floor.gateway.outbox() if w.notice.payment.key == order_id]
    assert floor.gateway.notify(waiting.notice.model_dump_json().encode()).status_code == 200
    assert floor.take_messages("payment") == []


def test_webhooks_out_of_order_end_in_the_same_state(floor: Floor, captured: Notice) -> None:
    order_id = captured.payment.key
    floor.orders.advance(order_id, OrderStatus.CANCELLED, now())
    tell(floor, order_id)
    notices = [w.notice for w in floor.gateway.outbox() if w.notice.payment.key == order_id]
    assert [notice.type for notice in notices] == ["payment.captured", "payment.refunded"]
    for notice in reversed(notices):
        assert floor.gateway.notify(notice.model_dump_json().encode()).status_code == 200
        for settle in floor.take_messages("payment"):
            assert floor.deliver("payment", settle) == []
    floor.deliver_postponed("payment")
    payment = floor.gateway.payment(order_id)
    assert (payment.net_minor, len(payment.refunds)) == (0, 1)
    assert floor.states(order_id) == ["placed", "cancelled"]


@pytest.mark.parametrize(
    "forged",
    [
        {"secret": "not the key"},
        {"age_s": TOLERANCE_S + 5},
        {"age_s": -TOLERANCE_S - 60},
    ],
)
def test_a_forged_or_old_webhook_is_refused(
    floor: Floor, captured: Notice, forged: dict[str, Any]
) -> None:
    refused = floor.gateway.notify(captured.model_dump_json().encode(), **forged)
    assert_problem(refused, 401, "unauthenticated")
    assert floor.take_messages("payment") == []


@pytest.mark.parametrize("headers", [{}, {HEADER: "t=1,v1=00"}, {HEADER: "t=9" * 400}])
def test_a_webhook_without_a_signature_is_refused_whatever_it_says(
    floor: Floor, headers: dict[str, str]
) -> None:
    for body in (b"", b"{", b"[1]", b"\xff\xfe"):
        assert_problem(floor.gateway.post(body, headers), 401, "unauthenticated")


@pytest.mark.parametrize(
    ("body", "field"),
    [(b"{", "body"), (b"[]", "body"), (b"{}", "event_id"), (b"\xff", "body")],
)
def test_a_signed_body_that_is_no_notice_names_the_field(
    floor: Floor, body: bytes, field: str
) -> None:
    problem = assert_problem(floor.gateway.notify(body), 422, "unprocessable")
    assert problem["errors"][0]["field"] == field


def test_a_notice_of_an_order_that_is_not_there_is_looked_into(floor: Floor) -> None:
    payment = Payment(key="NOBODYS", amount_minor=1, currency="GBP", status="captured",
                      captured_minor=1)  # fmt: skip
    notice = Notice(event_id="NOBODYS:2", type="payment.captured", created_at=to_iso_z(now()),
                    payment=payment)  # fmt: skip
    assert floor.gateway.notify(notice.model_dump_json().encode()).status_code == 200
    (settle,) = floor.take_messages("payment")
    assert floor.deliver("payment", settle) == [0], "a dead letter in the end, for people to see"


def test_the_gateway_lists_each_payment_once_and_only_to_its_shop(floor: Floor) -> None:
    orders = {floor.place(floor.put_on_sale()) for _ in range(5)}
    for order_id in orders:
        tell(floor, order_id)
    with httpx.Client(base_url=floor.gateway.url, trust_env=False) as http:
        assert http.get("/v1/payments").status_code == 401
        http.headers["Authorization"] = f"Bearer {API_KEY}"
        assert http.get("/v1/payments", params={"cursor": "nonsense"}).status_code == 422
        keys, query = [], {"page_size": "2"}
        while True:
            page = http.get("/v1/payments", params=query).json()
            keys += [item["key"] for item in page["items"]]
            if page["next_cursor"] is None:
                break
            query["cursor"] = page["next_cursor"]
    assert len(keys) == len(set(keys))
    assert orders <= set(keys)


def test_the_gateways_webhooks_reach_the_shop_through_the_edge(stack: Stack) -> None:
    shelf = Shelf(stack.names)
    sku = put_on_sale(stack, units=5)
    with Browser(stack) as shopper:
        shopper.put(sku, 1)
        order_id = shopper.order().json()["order_id"]
    wait_until(lambda: "paid" in shelf.states(order_id))
    wait_until(lambda: not shelf.notices(order_id))  # it keeps each until the shop takes it
