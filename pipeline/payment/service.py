"""Use case: settle an order's money, once, whatever happens to it meanwhile."""

import random
from collections.abc import Callable
from typing import Any, TypeVar

import stamina

from pipeline.contracts.errors import Conflict
from pipeline.contracts.events import Envelope
from pipeline.contracts.orders import OrderStatus
from pipeline.contracts.payments import GIVEN_UP, Payment, PaymentStatus, Settle, refunds_owed
from pipeline.payment.domain import MAX_ATTEMPTS, authorisation_of, consequence, pause_s
from pipeline.payment.ports import Gateway, GatewayBusy, GatewayDown, Later, OutcomeUnknown
from pipeline.runtime.clock import Clock
from pipeline.runtime.logs import get_logger
from pipeline.runtime.metrics import metrics
from pipeline.runtime.order_moves import is_overdue
from pipeline.runtime.order_store import OrderStore, Outcome

log = get_logger()
P = PaymentStatus
T = TypeVar("T")


class Settlement:
    """The one way to handle any message about an order: look how it stands, and act on that.

    What the message says is only why to look, so duplicates, stragglers, webhooks and swapped
    messages all end in the same state. Every request to the gateway carries the order's own key.
    """

    def __init__(
        self, orders: OrderStore, gateway: Gateway, later: Later, clock: Clock,
        dice: random.Random, first_pause_s: int,
    ) -> None:  # fmt: skip
        self._orders = orders
        self._gateway = gateway
        self._later = later
        self._clock = clock
        self._dice = dice
        self._first_pause_s = first_pause_s

    def on_message(self, message: Envelope | Settle) -> None:
        """Settles, or comes back to it later when the gateway gives no answer.

        Not by the queue's own redelivery: a gateway may be away for longer than a message's few
        receives last, and no order is to end as a dead letter for that.
        Raises: what the gateway or a store refuses; OutcomeUnknown, GatewayBusy or GatewayDown
        after hours.
        """
        if isinstance(message, Envelope):
            order_id = str(message.payload["order_id"])
            message = Settle(order_id=order_id, correlation_id=message.correlation_id)
        try:
            self.settle(message.order_id)
        except (OutcomeUnknown, GatewayBusy, GatewayDown) as error:
            attempt = message.attempt + 1
            if attempt > MAX_ATTEMPTS:
                raise
            delay_s = pause_s(attempt, self._first_pause_s, self._dice.random())
            self._later.put(message.model_copy(update={"attempt": attempt}), delay_s)
            log.warning("payment.postponed", order_id=message.order_id, attempt=attempt,
                        delay_s=delay_s, reason=str(error))  # fmt: skip

    def settle(self, order_id: str) -> None:
        """Raises: NotFound; OutcomeUnknown, GatewayBusy, GatewayDown when it cannot be done now."""
        order = self._orders.get_order(order_id)
        if OrderStatus(order["status"]) is OrderStatus.PLACED:
            order = self._collect(order)
        if OrderStatus(order["status"]) in GIVEN_UP:
            self._give_back(order)
        elif order.get("refunds"):
            self._refund(order, self._get(order["order_id"]))

    def _collect(self, order: dict[str, Any]) -> dict[str, Any]:
        """The money of a placed order; returns the row as it stands after it."""
        key = order["order_id"]
        if is_overdue(order, self._clock()):
            log.info("payment.overdue", order_id=key)
            return order  # the expiry cancels it, and what may have been taken goes back then
        if not order["total_minor"]:  # nothing to pay, and no gateway takes nothing
            free = {"payment": {"status": "captured", "failure_code": None}}
            return self._orders.advance(key, OrderStatus.PAID, self._clock(), None, free).order
        payment = self._charge(key, order)
        if payment.status is P.VOIDED:
            log.info("payment.not_taken", order_id=key)
            return self._orders.get_order(key)
        to, changes, note = consequence(payment)
        done = self._orders.advance(key, to, self._clock(), note, {"payment": changes})
        log.info("payment.settled", order_id=key, status=to.value, outcome=done.outcome.value,
                 attempts=payment.attempts)  # fmt: skip
        if done.outcome is Outcome.ADVANCED and to is OrderStatus.PAYMENT_FAILED:
            synthetic = str(order["synthetic"]).lower()
            code = str(changes["failure_code"])
            metrics.add("PaymentsFailed", 1, Code=code, Synthetic=synthetic)
        return done.order  # given up while the gateway was thinking: its money goes back

    def _charge(self, key: str, order: dict[str, Any]) -> Payment:
        """A payment with an outcome: captured, declined or voided."""
        asked = authorisation_of(order)
        payment = self._ask(key, lambda: self._gateway.authorise(key, asked), _has_answer)
        if payment.status is not P.AUTHORISED:
            return payment
        try:
            return self._ask(key, lambda: self._gateway.capture(key), _is_over)
        except Conflict:  # let go of meanwhile, for the order was given up
            return self._get(key)

    def _give_back(self, order: dict[str, Any]) -> None:
        key = order["order_id"]
        payment = self._ask(key, lambda: self._gateway.void(key), _is_over)
        if payment.status is P.CAPTURED:
            payment = self._refund(order, payment)
        log.info("payment.given_back", order_id=key, payment=payment.status.value,
                 refunded_minor=payment.refunded_minor)  # fmt: skip

    def _refund(self, order: dict[str, Any], payment: Payment) -> Payment:
        """What the row says is owed and the gateway has not given back yet."""
        key = order["order_id"]
        for refund_key, amount_minor in refunds_owed(order).items():
            if refund_key not in payment.refunds:
                payment = self._refund_one(key, refund_key, amount_minor)
                log.info("payment.refunded", order_id=key, refund=refund_key, amount=amount_minor)
        return payment

    def _refund_one(self, key: str, refund_key: str, amount_minor: int) -> Payment:
        return self._ask(
            key,
            lambda: self._gateway.refund(key, refund_key, amount_minor),
            lambda payment: refund_key in payment.refunds,
        )

    def _ask(
        self, key: str, request: Callable[[], Payment], is_done: Callable[[Payment], bool]
    ) -> Payment:
        """Make a request; without an answer, learn from the gateway's record what became of it.

        Raises: OutcomeUnknown while that shows nothing: the request may still be on its way, and
        only another look, later, can tell.
        """
        try:
            return self._again(request)
        except OutcomeUnknown as error:
            log.warning("payment.outcome_unknown", order_id=key, reason=str(error))
            payment = self._again(lambda: self._gateway.find(key))
            if payment is None or not is_done(payment):
                raise
            return payment

    def _get(self, key: str) -> Payment:
        """Raises Conflict when the gateway does not know what it should."""
        payment = self._again(lambda: self._gateway.find(key))
        if payment is None:
            raise Conflict(f"The gateway knows no payment of order {key}")
        return payment

    def _again(self, request: Callable[[], T]) -> T:
        """Again at once, a few times, while nothing was done."""
        for attempt in stamina.retry_context(
            on=GatewayBusy, attempts=4, wait_initial=0.05, wait_max=0.5, wait_jitter=0.1
        ):
            with attempt:
                return request()
        raise AssertionError("the last attempt returns or raises")


def _has_answer(payment: Payment) -> bool:
    return payment.status is not P.PENDING


def _is_over(payment: Payment) -> bool:
    return payment.status not in (P.PENDING, P.AUTHORISED)
