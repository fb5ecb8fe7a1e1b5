"""Use case: an order that is not paid in time gives its goods back, once."""

from collections.abc import Callable
from datetime import datetime

from pipeline.contracts.events import Envelope
from pipeline.contracts.orders import OrderStatus
from pipeline.runtime.clock import Clock
from pipeline.runtime.logs import get_logger
from pipeline.runtime.order_store import OrderStore
from pipeline.runtime.sqs import RetrySoon

log = get_logger()
LONGEST_WAIT_S = 900


def build_expire(orders: OrderStore, clock: Clock) -> Callable[[Envelope], None]:
    """The queue holds each `order.placed` back for as long as a payment may take.

    The order's own `pay_by` decides, so that a message may come early, late or twice.
    """

    def expire(event: Envelope) -> None:
        """Raises RetrySoon when the order may still be paid."""
        order = orders.get_order(str(event.payload["order_id"]))
        if order["status"] != OrderStatus.PLACED or not order.get("pay_by"):
            return
        now = clock()
        left_s = (datetime.fromisoformat(order["pay_by"]) - now).total_seconds()
        if left_s > 0:
            raise RetrySoon("its payment may still come", min(int(left_s) + 1, LONGEST_WAIT_S))
        done = orders.expire(order["order_id"], now)
        log.info("order.expired", order_id=order["order_id"], outcome=done.outcome.value)

    return expire
