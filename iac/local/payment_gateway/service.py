"""Use cases of the gateway, and how badly it behaves in them."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import stamina

from iac.local.payment_gateway import domain
from iac.local.payment_gateway.domain import Ruling
from iac.local.payment_gateway.store import GatewayStore, Moved, Waiting
from pipeline.contracts.errors import NotFound, Unavailable
from pipeline.contracts.events import to_iso_z
from pipeline.contracts.keys import PAYMENT_SHARDS
from pipeline.contracts.payments import (
    Authorisation,
    Knobs,
    Notice,
    Operation,
    Payment,
    RefundRequest,
)
from pipeline.runtime.clock import Clock

_AS_IT_SHOULD = Knobs()
# As with real gateways, whose webhooks come behind the answers; the shop has then mostly settled.
_WEBHOOK = Knobs(latency_ms=1_000)


class Behaviour:
    """The knobs, read again after `max_age_s`; the dice are the caller's."""

    def __init__(self, store: GatewayStore, dice: random.Random, max_age_s: float) -> None:
        self._store = store
        self._dice = dice
        self._max_age_s = max_age_s
        self._knobs: dict[str, Knobs] = {}
        self._read_at = float("-inf")

    def of(self, operation: Operation) -> Knobs:
        if time.monotonic() - self._read_at >= self._max_age_s:
            self._knobs = self._store.read_knobs()
            self._read_at = time.monotonic()
        usual = _WEBHOOK if operation == "webhook" else _AS_IT_SHOULD
        return self._knobs.get(operation, usual)

    def delay_s(self, knobs: Knobs) -> float:
        return (knobs.latency_ms + self._dice.uniform(0, knobs.jitter_ms)) / 1000

    def hits(self, percent: int) -> bool:
        return self._dice.uniform(0, 100) < percent


@dataclass(frozen=True, slots=True)
class Answer:
    """`is_lost`: the work is done, and the caller is not to hear of it in time."""

    payment: Payment
    is_lost: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    payments: list[Payment]
    next_place: tuple[int, str] | None = field(default=None)


class Gateway:
    def __init__(self, store: GatewayStore, behaviour: Behaviour, clock: Clock) -> None:
        self._store = store
        self._behaviour = behaviour
        self._clock = clock

    def authorise(self, key: str, asked: Authorisation) -> Answer:
        def rule(before: Payment | None) -> Ruling:
            return domain.authorise(key, asked, before)

        try:
            return self._apply(None, rule)  # nearly always the first to ask: no need to look
        except Moved:
            return self._change(key, rule)

    def capture(self, key: str) -> Answer:
        return self._change(key, lambda before: domain.capture(key, before))

    def void(self, key: str) -> Answer:
        return self._change(key, lambda before: domain.void(key, before))

    def refund(self, key: str, refund_key: str, asked: RefundRequest) -> Answer:
        amount_minor = asked.amount_minor
        return self._change(
            key, lambda before: domain.refund(key, refund_key, amount_minor, before)
        )

    def get(self, key: str) -> Answer:
        """Raises NotFound."""
        payment = self._store.find(key)
        if payment is None:
            raise NotFound(f"There is no payment {key}")
        return Answer(payment)

    def list_(self, page_size: int, place: tuple[int, str] | None) -> Page:
        """Every payment once, shard after shard; `place` is where the page before ended."""
        shard, after = place or (0, None)
        while shard < PAYMENT_SHARDS:
            found = self._store.list_payments(shard, after, page_size)
            if found:
                return Page(found, (shard, found[-1].key))
            shard, after = shard + 1, None
        return Page([])

    def _change(self, key: str, rule: Callable[[Payment | None], Ruling]) -> Answer:
        """Read, rule, and write if nobody else did meanwhile; bounded attempts."""
        try:
            for attempt in stamina.retry_context(
                on=Moved, attempts=8, timeout=3, wait_initial=0.01, wait_max=0.2, wait_jitter=0.05
            ):
                with attempt:
                    return self._apply(self._store.find(key), rule)
        except Moved:
            raise Unavailable("Other requests for this payment are being handled") from None
        raise AssertionError("the last attempt returns or raises")

    def _apply(self, before: Payment | None, rule: Callable[[Payment | None], Ruling]) -> Answer:
        ruling = rule(before)
        if ruling.is_changed:
            self._store.write(ruling.payment, self._notice(before, ruling.payment))
        if ruling.is_busy:
            raise Unavailable("The card's bank cannot be reached; ask again")
        return Answer(ruling.payment, is_lost=not ruling.is_answered)

    def _notice(self, before: Payment | None, after: Payment) -> Waiting | None:
        kind = domain.notice_type(before, after)
        if kind is None:
            return None
        now = self._clock()
        late_s = self._behaviour.delay_s(self._behaviour.of("webhook"))
        due_at = now + timedelta(seconds=late_s)
        event_id = f"{after.key}:{after.version}"
        notice = Notice(event_id=event_id, type=kind, created_at=to_iso_z(now), payment=after)
        return Waiting(notice, int(due_at.timestamp() * 1000))
