"""What is searched for, and what is found, independent of where it is looked up."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from console.traces.domain import Outcome, Trace, outcome_of
from pipeline.contracts.ids import ULID_PATTERN

TRACE_ID = re.compile(r"^1-[0-9a-f]{8}-[0-9a-f]{24}$")
_ULID = re.compile(ULID_PATTERN)
RETRIED = "retried"
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# A request carries an id that was made just before; an order is looked at again for a while.
_BEFORE_ID = timedelta(minutes=1)
_AFTER_ID = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Found:
    """One request in a list, and its trace; `status` is 0 where nobody answered HTTP."""

    trace_id: str
    at: datetime
    service: str
    route: str
    status: int
    duration_ms: float
    zone: str
    order_id: str
    correlation_id: str
    outcome: Outcome
    attempt: int = 1  # above 1 when the edge had asked another replica in vain


@dataclass(frozen=True, slots=True)
class Search:
    """`since` inclusive, `until` exclusive; empty fields match everything, `route` a part of it."""

    since: datetime
    until: datetime
    service: str = ""
    outcome: str = ""
    min_ms: float = 0.0
    route: str = ""
    zone: str = ""
    order_id: str = ""
    correlation_id: str = ""
    either_id: str = ""  # an order's or a correlation's

    def matches(self, found: Found) -> bool:
        return (
            self.since <= found.at < self.until
            and (not self.service or found.service == self.service)
            and self._takes(found)
            and found.duration_ms >= self.min_ms
            and self.route.lower() in found.route.lower()
            and (not self.zone or found.zone == self.zone)
            and (not self.order_id or found.order_id == self.order_id)
            and (not self.correlation_id or found.correlation_id == self.correlation_id)
            and self.either_id in ("", found.order_id, found.correlation_id)
        )

    def _takes(self, found: Found) -> bool:
        if self.outcome == RETRIED:
            return found.attempt > 1
        return self.outcome in ("", found.outcome)


@dataclass(frozen=True, slots=True)
class Findings:
    """Newest first. `looked_from` is how far back was looked; `is_whole` if that was all of it.

    `source` is `index`, or `documents` when the index knew nothing.
    """

    found: tuple[Found, ...]
    looked_from: datetime
    is_whole: bool
    source: str


def to_found(trace: Trace) -> list[Found]:
    """A row for each request of a trace, or one for its entry."""
    return [
        Found(
            trace_id=trace.trace_id,
            at=trace.started_at + timedelta(milliseconds=step.offset_ms),
            service=step.segment.label,
            route=step.segment.request or step.segment.label,
            status=step.segment.status,
            duration_ms=trace.path_ms if step.duration_ms is None else step.duration_ms,
            zone=step.segment.text("zone"),
            order_id=step.segment.text("order_id"),
            correlation_id=step.segment.text("correlation_id"),
            outcome=step.outcome,
            attempt=_attempt(step.segment.text("attempt")),
        )
        for step in trace.requests or (trace.entry,)
    ]


def from_index(item: dict[str, object]) -> Found | None:
    """An item of the index; None for one that cannot be read."""
    try:
        trace_id = str(item["trace_id"])
        at = datetime.fromisoformat(str(item["at"]))
        status = int(str(item.get("status") or 0))
        duration_ms = float(str(item["duration_ms"]))
    except (KeyError, ValueError):
        return None
    names = ("service", "route", "zone", "order_id", "correlation_id")
    service, route, zone, order_id, correlation_id = (str(item.get(n) or "") for n in names)
    return Found(
        trace_id=trace_id,
        at=at if at.tzinfo else at.replace(tzinfo=UTC),
        service=service,
        route=route,
        status=status,
        duration_ms=duration_ms,
        zone=zone,
        order_id=order_id,
        correlation_id=correlation_id,
        outcome=outcome_of(status),
        attempt=_attempt(item.get("attempt")),
    )


def _attempt(value: object) -> int:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() else 1


def around_id(text: str) -> tuple[datetime, datetime] | None:
    """When what carries this id may have happened: our ids begin with the time they were made."""
    if not _ULID.match(text):
        return None
    made_ms = 0
    for letter in text[:10]:
        made_ms = made_ms * 32 + _CROCKFORD.index(letter)
    try:
        made = datetime.fromtimestamp(made_ms / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return made - _BEFORE_ID, made + _AFTER_ID


def begun_at(trace_id: str) -> datetime:
    """The time in a trace id, in whole seconds. Raises ValueError for another shape."""
    return datetime.fromtimestamp(int(trace_id.split("-")[1], 16), UTC)
