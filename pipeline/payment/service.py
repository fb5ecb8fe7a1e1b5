"""Use case: settle an order's money, once, whatever happens to it meanwhile."""

from collections.abc import Callable
from typing import Any

import stamina

from pipeline.contracts.events import Envelope
from pipeline.contracts.orders import OrderStatus
from pipeline.payment.domain import Charge, ChargeStatus
from pipeline.payment.ports import Gateway, GatewayBusy, OutcomeUnknown
from pipeline.runtime.clock import Clock
from pipeline.runtime.logs import get_logger
from pipeline.runtime.metrics import metrics
from pipeline.runtime.order_store import OrderStore, Outcome
from pipeline.runtime.sqs import RetrySoon

log = get_logger()
_GIVEN_UP = frozenset({OrderStatus.CANCELLED, OrderStatus.REFUNDED})
_ASK_AGAIN_S = 2
_NOTES = {
    "card_declined": "The card was declined",
    "insufficient_funds": "The card has not enough funds",
}


def build_settle(orders: OrderStore, gateway: Gateway, clock: Clock) -> Callable[[Envelope], None]:
    """The one way to handle any order event: look how the order stands, and act on that.

    What the event says is only why to look, so duplicates, stragglers and swapped messages all
    end in the same state.
    """

    def settle(event: Envelope) -> None:
        order = orders.get_order(str(event.payload["order_id"]))
        status = OrderStatus(order["status"])
        if status is OrderStatus.PLACED:
            collect(order)
        elif status in _GIVEN_UP:
            give_back(order["order_id"])

    def collect(order: dict[str, Any]) -> None:
        charge = _ask(gateway, order)
        if charge.status is ChargeStatus.VOIDED:
            log.info("payment.not_taken", order_id=order["order_id"])
            return
        to, changes, note = _consequence(charge)
        done = orders.advance(order["order_id"], to, clock(), note, {"payment": changes})
        log.info(
            "payment.settled", order_id=order["order_id"], status=to.value,
            outcome=done.outcome.value, attempts=charge.attempts,
        )  # fmt: skip
        if done.outcome is Outcome.ADVANCED and to is OrderStatus.PAYMENT_FAILED:
            synthetic = str(order["synthetic"]).lower()
            metrics.add("PaymentsFailed", 1, Code=str(changes["failure_code"]), Synthetic=synthetic)
        if done.outcome is Outcome.REFUSED:  # cancelled while the gateway was thinking
            give_back(order["order_id"])

    def give_back(order_id: str) -> None:
        charge = gateway.void(order_id)
        log.info("payment.given_back", order_id=order_id, charge=charge.status.value)

    return settle


def _consequence(charge: Charge) -> tuple[OrderStatus, dict[str, str | None], str | None]:
    """(state of the order, its `payment`, note of its timeline)."""
    if charge.status is ChargeStatus.CAPTURED:
        return OrderStatus.PAID, {"status": "captured", "failure_code": None}, None
    code = charge.failure_code or "declined"
    failed: dict[str, str | None] = {"status": "failed", "failure_code": code}
    return OrderStatus.PAYMENT_FAILED, failed, _NOTES.get(code, "The card was refused")


def _ask(gateway: Gateway, order: dict[str, Any]) -> Charge:
    """Ask the gateway, again at once when it is busy; RetrySoon when that does not help."""
    try:
        for attempt in stamina.retry_context(
            on=GatewayBusy, attempts=4, wait_initial=0.05, wait_max=0.5, wait_jitter=0.1
        ):
            with attempt:
                return gateway.charge(
                    order["order_id"], order["total_minor"], order["currency"], order["card_token"]
                )
    except OutcomeUnknown as error:
        # The next attempt finds what became of this one in the gateway's own record.
        raise RetrySoon(str(error), _ASK_AGAIN_S) from None
    raise AssertionError("the last attempt returns or raises")
