"""Use case: erase what a closed account has left behind."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from pipeline.erasure.domain import is_settled, may_erase, without_person
from pipeline.runtime.clock import Clock
from pipeline.runtime.logs import get_logger

log = get_logger()


@dataclass(frozen=True, slots=True)
class Closed:
    user_id: str
    requested_at: datetime


class Traces(Protocol):
    """Where a person is found; `store.Traces` says how. To repeat any of it does no harm."""

    def find_closed(self, user_id: str) -> Closed | None: ...
    def erase_account(self, user_id: str) -> int: ...
    def erase_cart(self, user_id: str) -> None: ...
    def unerased_orders(self, user_id: str) -> Iterable[dict[str, Any]]: ...
    def erase_order(self, order: dict[str, Any], changes: dict[str, Any], at: datetime) -> bool: ...
    def settle(self, user_id: str) -> None: ...


def erase(user_id: str, traces: Traces, clock: Clock) -> None:
    """Erase all that may go by now. What may not is looked at again by the schedule.

    An account that is not closed is left alone: nobody is erased by a stray message.
    """
    closed = traces.find_closed(user_id)
    if closed is None:
        return
    rows = traces.erase_account(user_id)
    traces.erase_cart(user_id)
    erased = left = 0
    for order in traces.unerased_orders(user_id):
        if may_erase(order) and traces.erase_order(order, without_person(order), clock()):
            erased += 1
        else:
            left += 1
    if is_settled(closed.requested_at, left, clock()):
        traces.settle(user_id)
    log.info("user.erased", user_id=user_id, rows=rows, orders=erased, orders_left=left)
