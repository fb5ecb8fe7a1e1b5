"""What lies on the desk, why, in which state, and whether the numbers of it add up.

A case is one thing that was set aside: a rejected record of the lake's quarantine, a dead letter
of a queue, or a batch of a stream that a function gave up. Its id is made of what it is, so the
same case has the same id however often it is delivered, read or replayed.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from pipeline.contracts.events import Rejected, parse_event

QUARANTINE = "quarantine"
STREAM_FAILURES = "stream-failures"
DEAD_LETTERS = ("payment-dlq", "expiry-dlq", "fulfilment-dlq", "notification-dlq")
PLACES = (QUARANTINE, *DEAD_LETTERS, STREAM_FAILURES)
UNKNOWN_SOURCE = "unknown"


class State(StrEnum):
    """OPEN, FIXED (the mended body is kept) and REDRIVING (begun, its end unknown) still wait."""

    OPEN = "open"
    FIXED = "fixed"
    REDRIVING = "redriving"
    REDRIVEN = "redriven"
    DISCARDED = "discarded"

    @property
    def is_done(self) -> bool:
        return self in (State.REDRIVEN, State.DISCARDED)


# What each state may become; a case without a row is OPEN.
MAY_BECOME: Mapping[State, frozenset[State]] = {
    State.OPEN: frozenset({State.FIXED, State.REDRIVING, State.DISCARDED}),
    State.FIXED: frozenset({State.FIXED, State.REDRIVING, State.DISCARDED}),
    # Back to OPEN or FIXED only when it was found that nothing was sent.
    State.REDRIVING: frozenset({State.REDRIVING, State.REDRIVEN, State.OPEN, State.FIXED}),
    State.REDRIVEN: frozenset(),
    State.DISCARDED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Row:
    """What the desk has done with a case, as the ops table keeps it for good.

    `body` is what is to be sent, kept where the case's own will be gone or was mended by `steps`;
    `redriving_at` is the beginning of the first attempt; `entry_id` the audit entry of the last
    action; cause, detail, source, attributes and `arrived_at` are the case's.
    """

    case_id: str
    place: str
    state: State
    by: str
    at: datetime
    arrived_at: datetime
    cause: str = ""
    detail: str = ""
    source: str = UNKNOWN_SOURCE
    event_id: str | None = None
    body: str | None = None
    reason: str = ""
    steps: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    redriving_at: datetime | None = None
    entry_id: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """One thing set aside. `times` is how often it came, first `at` and last `last_at`; `is_here`
    whether it still lies where it was found (a row may outlive its message); `attributes` are a
    message's own."""

    case_id: str
    place: str
    cause: str
    detail: str
    body: str
    event_id: str | None
    source: str
    at: datetime
    times: int = 1
    latest: datetime | None = None
    row: Row | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    is_here: bool = True

    @property
    def state(self) -> State:
        return self.row.state if self.row else State.OPEN

    @property
    def is_open(self) -> bool:
        return not self.state.is_done

    @property
    def last_at(self) -> datetime:
        return self.latest or self.at

    @property
    def to_send(self) -> str:
        """The mended body, or the one it came with."""
        return self.row.body if self.row and self.row.body is not None else self.body


def case_of(row: Row) -> Case:
    """A case that only its row still tells of."""
    return Case(
        row.case_id, row.place, row.cause, row.detail, row.body or "", row.event_id, row.source,
        row.arrived_at, row=row, attributes=row.attributes, is_here=False,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Group:
    """Cases of one place with one cause; the times are of those that are open."""

    place: str
    cause: str
    by_state: Mapping[State, int]
    oldest: datetime | None
    newest: datetime | None

    @property
    def open(self) -> int:
        return sum(count for state, count in self.by_state.items() if not state.is_done)


def record_case_id(event_id: str | None, shard: str, sequence_number: str, body: str) -> str:
    """A replay sends its refused rows again: the same event with the same body is one case."""
    identity = event_id if event_id is not None else f"{shard}:{sequence_number}"
    return sha256(f"{identity}\n{body}".encode("utf-8", "replace")).hexdigest()[:20]


def cause_of_rejection(reason: str, detail: str) -> str:
    """`bad_payload:lines.*.quantity`: the reason, and the field where one is at fault."""
    name, colon, _ = detail.partition(": ")
    if not colon or not reason.startswith("bad_"):
        return reason
    return f"{reason}:{re.sub(r'(?<=[.])[0-9]+(?=[.]|$)', '*', name)}"


def cause_of_message(body: str) -> tuple[str, str]:
    """(cause, detail) of a dead letter: what it is, as the queue does not tell why it failed."""
    try:
        return f"failed:{parse_event(body).event_type}", "a valid event that its worker gave up"
    except Rejected as rejected:
        command = _object(body).get("command")
        if isinstance(command, str):
            return f"failed:command {command[:40]}", "a command that its worker gave up"
        return cause_of_rejection(rejected.reason, rejected.detail), rejected.detail


def event_id_of(body: str) -> str | None:
    found = _object(body).get("event_id")
    return found if isinstance(found, str) else None


def source_of(body: bytes | str) -> str:
    """Who sent a record, by the same rule as landing's `source`; `unknown` where nobody says."""
    found = _object(body).get("source")
    return found.encode("utf-8", "replace").decode() if isinstance(found, str) else UNKNOWN_SOURCE


def fault_of(body: str) -> str | None:
    """Why the pipeline would refuse this body; None when it would take it."""
    try:
        parse_event(body)
    except Rejected as rejected:
        return str(rejected)
    return None


def _object(body: bytes | str) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def groups(cases: Iterable[Case]) -> list[Group]:
    """By place and cause, those with the most open cases first."""
    members: dict[tuple[str, str], list[Case]] = {}
    for case in cases:
        members.setdefault((case.place, case.cause), []).append(case)
    found = []
    for (place, cause), mine in members.items():
        counts: dict[State, int] = {}
        for case in mine:
            counts[case.state] = counts.get(case.state, 0) + 1
        at = [case.at for case in mine if case.is_open]
        oldest, newest = min(at, default=None), max(at, default=None)
        found.append(Group(place, cause, counts, oldest, newest))
    return sorted(found, key=lambda group: (-group.open, group.place, group.cause))


@dataclass(slots=True)
class Progress:
    """How far an action is; `refused` is why by case id."""

    entry_id: str
    by: str
    place: str
    total: int
    done: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    is_over: bool = False

    def sentence(self, verb: str) -> str:
        text = f"{self.done:,} of {self.total:,} {verb}"
        if not self.refused:
            return text
        return f"{text}; {len(self.refused):,} not: {next(iter(self.refused.values()))}"


@dataclass(frozen=True, slots=True)
class Balance:
    """quarantined = open + redriven + discarded, of one place.

    `set_aside` counts what lies there and what the desk took away, each once; the states come from
    the desk's rows. `strays` are rows of cases that nobody ever set aside.
    """

    place: str
    set_aside: int
    open: int
    redriven: int
    discarded: int
    strays: tuple[str, ...] = ()

    @property
    def is_evidence(self) -> bool:
        """The lake keeps what was set aside, so its count knows nothing of the desk's rows. Of what
        left a queue only those rows tell, and a sum of one reading with itself shows nothing."""
        return self.place == QUARANTINE

    @property
    def adds_up(self) -> bool:
        return self.set_aside == self.open + self.redriven + self.discarded and not self.strays


def balance(place: str, found: Mapping[str, Case], rows: Mapping[str, Row]) -> Balance:
    """Args: `found` what lies at the place, `rows` what the desk has done there, both by case id.

    The lake keeps its quarantine for good, so there every row needs its case. A message that was
    dealt with is gone from its queue, and its row is the evidence of it.
    """
    done = [row for row in rows.values() if row.state.is_done]
    redriven = sum(row.state is State.REDRIVEN for row in done)
    strays = sorted(rows.keys() - found.keys()) if place == QUARANTINE else []
    set_aside = len(found) if place == QUARANTINE else len(found.keys() | rows.keys())
    settled = {row.case_id for row in done}
    is_open = (found.keys() if place == QUARANTINE else found.keys() | rows.keys()) - settled
    return Balance(place, set_aside, len(is_open), redriven, len(done) - redriven, tuple(strays))
