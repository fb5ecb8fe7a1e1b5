"""The payment worker against a card gateway that behaves badly: one charge, the money right."""

import json
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pipeline.contracts.errors import Conflict
from pipeline.contracts.events import to_iso_z
from pipeline.contracts.orders import OrderStatus
from pipeline.contracts.payments import Payment, PaymentStatus, Settle
from pipeline.payment.breaker import build_breaker
from pipeline.payment.gateway import HttpGateway, api_key
from pipeline.payment.ports import GatewayBusy, GatewayDown
from pipeline.payment.service import Settlement
from pipeline.payment.store import PaymentQueue
from pipeline.relay.domain import to_event
from pipeline.runtime.clock import now
from pipeline.runtime.order_refunds import RefundRequest
from pipeline.runtime.order_store import Advance, OrderStore
from tests.conftest import Stack, wait_until
from tests.integration.gateway_door import GATEWAY_TIMEOUT_S
from tests.integration.workers_floor import HELD, RECEIVED, Floor

P, S = PaymentStatus, OrderStatus
ALL = ("authorise", "capture", "void", "refund", "query")


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


def a_gateway(floor: Floor, guard: Callable[..., Any] = lambda request: request()) -> HttpGateway:
    return HttpGateway(floor.gateway.url, lambda: api_key(floor.names), GATEWAY_TIMEOUT_S, guard)


def a_settlement(floor: Floor, gateway: Any = None, orders: Any = None) -> Settlement:
    return Settlement(
        orders or floor.orders, gateway or a_gateway(floor), PaymentQueue(floor.names), now,
        random.Random(1), 0,
    )  # fmt: skip


def tell(floor: Floor, order_id: str) -> list[int]:
    """Deliver the event of the order's present version to the payment function."""
    event = to_event(floor.orders.get_order(order_id))
    return floor.deliver("payment", event.model_dump_json())


def put_off(floor: Floor) -> list[str]:
    """What the worker sent itself for later."""
    return [body for body in floor.take_messages("payment") if '"settle"' in body]


@pytest.mark.parametrize("lost", ["authorise", "capture"])
def test_a_lost_answer_is_resolved_by_a_query_and_charged_once(floor: Floor, lost: str) -> None:
    floor.gateway.behave(lost, lost_percent=100)
    sku = floor.put_on_sale()
    order_id = floor.place(sku)
    assert tell(floor, order_id) == []
    assert put_off(floor) == []
    assert floor.states(order_id) == ["placed", "paid"]
    payment = floor.gateway.payment(order_id)
    assert (payment.status, payment.attempts) == (P.CAPTURED, 1)
    assert payment.net_minor == floor.orders.get_order(order_id)["total_minor"]
    assert floor.stock(sku) == (RECEIVED - HELD, 0, HELD)


def test_an_outcome_that_stays_unknown_waits_and_is_not_charged_again(floor: Floor) -> None:
    floor.gateway.behave("capture", lost_percent=100)
    floor.gateway.behave("query", unavailable_percent=100)
    order_id = floor.place(floor.put_on_sale())
    assert tell(floor, order_id) == []
    assert floor.states(order_id) == ["placed"]
    (later,) = put_off(floor)
    assert json.loads(later)["attempt"] == 1
    floor.gateway.behave_well()
    assert floor.deliver("payment", later) == []
    assert floor.states(order_id) == ["placed", "paid"]
    payment = floor.gateway.payment(order_id)
    assert (payment.attempts, payment.version) == (1, 2)


def test_a_gateway_that_is_away_costs_no_order(floor: Floor) -> None:
    """More failures than a message has receives: none of them may make a dead letter."""
    for operation in ALL:
        floor.gateway.behave(operation, unavailable_percent=100)
    order_id = floor.place(floor.put_on_sale())
    assert tell(floor, order_id) == []
    for attempt in range(1, 8):
        (later,) = put_off(floor)
        assert json.loads(later)["attempt"] == attempt
        assert floor.deliver("payment", later) == []
    floor.gateway.behave_well()
    (later,) = put_off(floor)
    assert floor.deliver("payment", later) == []
    assert floor.states(order_id) == ["placed", "paid"]


def test_a_crash_between_charge_and_write_charges_once(floor: Floor) -> None:
    class Crash(BaseException):
        """As a killed process: nothing catches it."""

    class CrashingOrders(OrderStore):
        def advance(self, *move: Any, **more: Any) -> Advance:
            raise Crash

    order_id = floor.place(floor.put_on_sale())
    with pytest.raises(Crash):
        a_settlement(floor, orders=CrashingOrders(floor.names)).settle(order_id)
    assert floor.gateway.payment(order_id).status is P.CAPTURED
    assert floor.states(order_id) == ["placed"]
    assert tell(floor, order_id) == []
    assert floor.states(order_id) == ["placed", "paid"]
    payment = floor.gateway.payment(order_id)
    assert (payment.attempts, payment.version) == (1, 2)


def test_workers_at_the_same_order_at_once_charge_once(floor: Floor) -> None:
    order_id = floor.place(floor.put_on_sale())
    settlements = [a_settlement(floor) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(one.settle, order_id) for one in settlements]:
            done.result()
    assert floor.states(order_id) == ["placed", "paid"]
    payment = floor.gateway.payment(order_id)
    assert (payment.attempts, payment.version) == (1, 2)


@pytest.mark.parametrize("when", ["authorise", "capture"])
def test_an_order_cancelled_while_the_gateway_is_thinking_gets_its_money_back(
    floor: Floor, when: str
) -> None:
    order_id = floor.place(floor.put_on_sale())

    class SlowGateway(HttpGateway):
        def authorise(self, *asked: Any) -> Payment:
            return self._thinking("authorise", super().authorise(*asked))

        def capture(self, *asked: Any) -> Payment:
            return self._thinking("capture", super().capture(*asked))

        def _thinking(self, operation: str, payment: Payment) -> Payment:
            if operation == when:
                floor.orders.advance(order_id, S.CANCELLED, now())
                tell(floor, order_id)
            return payment

    slow = SlowGateway(
        floor.gateway.url,
        lambda: api_key(floor.names),
        GATEWAY_TIMEOUT_S,
        lambda request: request(),
    )
    a_settlement(floor, slow).settle(order_id)
    assert floor.states(order_id) == ["placed", "cancelled"]
    payment = floor.gateway.payment(order_id)
    assert payment.net_minor == 0
    assert payment.status is (P.VOIDED if when == "authorise" else P.CAPTURED)
    assert len(payment.refunds) == (0 if when == "authorise" else 1)


def test_a_cancellation_that_overtakes_the_order_forbids_its_charge(floor: Floor) -> None:
    order_id = floor.place(floor.put_on_sale())
    placed = to_event(floor.orders.get_order(order_id)).model_dump_json()
    floor.orders.advance(order_id, S.CANCELLED, now())
    assert tell(floor, order_id) == []
    assert floor.deliver("payment", placed) == []
    payment = floor.gateway.payment(order_id)
    assert (payment.status, payment.attempts) == (P.VOIDED, 0)
    asked = {"amount_minor": 100, "currency": "GBP", "card_token": "tok_visa"}
    straggler = a_gateway(floor)._send("authorise", "PUT", f"/v1/payments/{order_id}", asked)
    assert straggler.json()["status"] == "voided"


def test_a_card_is_not_charged_for_an_order_whose_time_to_pay_is_over(floor: Floor) -> None:
    order_id = floor.place(floor.put_on_sale(), pay_by=to_iso_z(now()))
    assert tell(floor, order_id) == []
    assert floor.states(order_id) == ["placed"]
    assert floor.gateway.store.find(order_id) is None


def test_an_order_that_costs_nothing_is_paid_without_the_gateway(floor: Floor) -> None:
    order_id = floor.place(floor.put_on_sale(), total_minor=0)
    assert tell(floor, order_id) == []
    assert floor.states(order_id) == ["placed", "paid"]
    assert floor.gateway.store.find(order_id) is None
    floor.orders.advance(order_id, S.CANCELLED, now())
    assert tell(floor, order_id) == []
    assert floor.gateway.payment(order_id).net_minor == 0


@pytest.mark.parametrize("fault", [{}, {"lost_percent": 100}])
def test_a_paid_order_given_up_is_refunded_exactly_once(
    floor: Floor, fault: dict[str, int]
) -> None:
    order_id = floor.place(floor.put_on_sale())
    tell(floor, order_id)
    floor.gateway.behave("refund", **fault)
    floor.orders.advance(order_id, S.CANCELLED, now())
    for _ in range(3):
        assert tell(floor, order_id) == []
    payment = floor.gateway.payment(order_id)
    assert payment.refunds == {"rest": payment.captured_minor}
    assert payment.version == 3


def test_refunds_of_a_part_are_made_once_each_and_the_rest_with_the_order(floor: Floor) -> None:
    sku = floor.put_on_sale()
    order_id = floor.place(sku)
    tell(floor, order_id)
    part = RefundRequest("r1", "key-1", "one unit", {sku: 1}, None, "operator-1")
    amounts = refunds_after(floor, order_id, part)
    for to in (S.PACKED, S.SHIPPED):
        floor.orders.advance(order_id, to, now())
        assert tell(floor, order_id) == []
    assert floor.gateway.payment(order_id).refunds == amounts
    rest = RefundRequest("r2", "key-2", "the rest", None, None, "operator-1")
    amounts = refunds_after(floor, order_id, rest)
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(a_settlement(floor).settle, order_id) for _ in range(4)]:
            done.result()
    payment = floor.gateway.payment(order_id)
    assert payment.refunds == amounts
    assert payment.net_minor == 0


def refunds_after(floor: Floor, order_id: str, asked: RefundRequest) -> dict[str, int]:
    """Minor units by refund, once this one is in the order's row."""
    order = floor.orders.refund(order_id, asked, now()).order
    return {str(one["refund_id"]): int(one["amount_minor"]) for one in order["refunds"]}


def test_more_than_was_captured_is_never_given_back(floor: Floor) -> None:
    order_id = floor.place(floor.put_on_sale())
    tell(floor, order_id)
    gateway, captured_minor = a_gateway(floor), floor.gateway.payment(order_id).captured_minor
    gateway.refund(order_id, "one", captured_minor - 1)
    with pytest.raises(Conflict, match="not-refundable"):
        gateway.refund(order_id, "two", 2)
    assert gateway.refund(order_id, "two", 1).net_minor == 0


def test_the_circuit_opens_probes_with_one_request_and_closes(floor: Floor) -> None:
    guard = build_breaker(floor.names, failures=3, recovery_s=6)
    asked: list[str] = []

    def request(fails: bool) -> str:
        asked.append("one")
        if fails:
            raise GatewayBusy("away")
        return "fine"

    assert guard(lambda: request(False)) == "fine"
    for _ in range(3):
        with pytest.raises(GatewayBusy):
            guard(lambda: request(True))
    with pytest.raises(GatewayDown):
        guard(lambda: request(True))
    assert len(asked) == 4, "an open circuit asks nothing"

    def probe(fails: bool) -> bool:
        try:
            guard(lambda: request(fails))
        except GatewayDown:
            return False
        except GatewayBusy:
            pass
        return True

    wait_until(lambda: probe(fails=True))
    assert len(asked) == 5, "one failed probe opens it again"
    assert not probe(fails=True)
    with ThreadPoolExecutor(4) as pool:  # another thread stands for another worker
        wait_until(lambda: any(pool.map(probe, [False] * 4)))
    closed = wait_until(lambda: all(probe(fails=False) for _ in range(3)))
    assert closed


def test_while_the_circuit_is_open_orders_wait_without_asking(floor: Floor) -> None:
    class Down:
        def __getattr__(self, name: str) -> Any:
            raise GatewayDown("the circuit to the gateway is open")

    order_id = floor.place(floor.put_on_sale())
    a_settlement(floor, Down()).on_message(Settle(order_id=order_id))
    (later,) = put_off(floor)
    assert floor.deliver("payment", later) == []
    assert floor.states(order_id) == ["placed", "paid"]
