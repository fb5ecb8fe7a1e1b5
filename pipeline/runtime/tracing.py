"""Traces: what this process did for one trace, kept if it was sampled, failed or was slow.

While work goes on, a `Part` only notes times and facts: microseconds. When it ends the part is
dropped, or becomes OpenTelemetry spans (`spans`), which X-Ray gets from an exporter of ours; any
other OpenTelemetry exporter may be added to the provider. The choice is made at the start from the
trace id alone (so every process makes the same one), and mended at the end: errors and slow work
are kept whatever was chosen, as far as this process saw them.
"""

import random
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal

from opentelemetry.trace import SpanKind

from pipeline.runtime.signals import settings
from pipeline.runtime.trace_header import TraceHeader, to_text

Fact = str | int | float | bool
Fault = Literal["", "error", "throttle", "fault"]  # as X-Ray names them: "" is none
MAX_CALLS = 100
_MAX_MESSAGE = 200
_MAX_EDGE_NS = 60 * 10**9
_PERSONAL = re.compile(r"\S+@\S+|\d{7,}")

_current: ContextVar["Part | None"] = ContextVar("trace_part", default=None)


@dataclass(slots=True)
class Call:
    """One call to a dependency inside a part: `DynamoDB/TransactWriteItems`."""

    name: str
    started_ns: int
    ended_ns: int
    facts: dict[str, Fact]
    fault: Fault = ""
    cause: tuple[str, str] | None = None  # type and message


@dataclass(slots=True)
class Part:
    """This process's segment of a trace. `facts` become annotations, which people search by."""

    name: str
    kind: SpanKind
    trace_id: int
    parent_id: int
    is_sampled: bool
    segment_id: int
    started_ns: int
    facts: dict[str, Fact] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    fault: Fault = ""
    cause: tuple[str, str] | None = None
    ended_ns: int = 0
    edge_id: int = 0  # of the edge's own segment above this one, where the edge says when it began
    edge_started_ns: int = 0

    @property
    def trace_text(self) -> str:
        return to_text(self.trace_id)

    @property
    def duration_ms(self) -> float:
        return (self.ended_ns - self.started_ns) / 1e6

    def header(self) -> TraceHeader:
        """What whoever continues the trace is handed: this segment is its parent."""
        return TraceHeader(self.trace_id, self.segment_id, self.is_sampled)

    def came_by_edge(self, started_at: str | None) -> None:
        """The edge took the request at `started_at` (epoch seconds), maybe an attempt before."""
        try:
            started_ns = int(float(started_at or "") * 1e9)
        except (ValueError, OverflowError):
            return
        if 0 <= self.started_ns - started_ns < _MAX_EDGE_NS:
            self.edge_id, self.edge_started_ns = new_segment_id(), started_ns

    def note(self, call: Call) -> None:
        if len(self.calls) < MAX_CALLS:
            self.calls.append(call)

    def fail(self, error: BaseException) -> None:
        self.fault, self.cause = "fault", cause_of(error)


def begin(name: str, kind: SpanKind, header: TraceHeader | None = None) -> Part:
    """A part of the header's trace, or of a new one."""
    trace_id = header.trace_id if header else new_trace_id()
    chosen = header.is_sampled if header else None
    return Part(
        name=name,
        kind=kind,
        trace_id=trace_id,
        parent_id=header.parent_id if header else 0,
        is_sampled=is_chosen(trace_id, settings().trace_ratio) if chosen is None else chosen,
        segment_id=new_segment_id(),
        started_ns=time.time_ns(),
    )


def new_trace_id() -> int:
    """X-Ray's begin with the second in which the trace does; the SDK need not be loaded for it."""
    return int(time.time()) << 96 | random.getrandbits(96)


def new_segment_id() -> int:
    return random.getrandbits(64) or 1


def is_chosen(trace_id: int, ratio: float) -> bool:
    """The same answer for a trace in every process."""
    return (trace_id & 0xFFFFFFFFFFFFFFFF) < ratio * 2**64


def will_be_kept(part: Part, slow_ms: float | None = None) -> bool:
    """Whether a part that ended now would be kept; once it would, it will be."""
    part.ended_ns = max(time.time_ns(), part.started_ns)
    return is_worth_keeping(part, settings().trace_slow_ms if slow_ms is None else slow_ms)


def finish(part: Part, slow_ms: float | None = None) -> bool:
    """End a part; whether it is kept. `slow_ms` is above which it is, sampled or not."""
    if is_kept := will_be_kept(part, slow_ms):
        from pipeline.runtime import spans  # a process without traces need not load the SDK

        spans.emit(part)
    return is_kept


def is_worth_keeping(part: Part, slow_ms: float) -> bool:
    """Chosen at its start, or at its end for being a failure of ours, retried or slow."""
    is_telling = part.fault == "fault" or part.duration_ms > slow_ms or "attempt" in part.facts
    return part.is_sampled or is_telling


def current() -> Part | None:
    return _current.get()


@contextmanager
def active(part: Part) -> Iterator[Part]:
    """Make it the part that calls and log lines belong to."""
    token = _current.set(part)
    try:
        yield part
    finally:
        _current.reset(token)


@contextmanager
def consuming(header: TraceHeader | None, **facts: Fact) -> Iterator[Part | None]:
    """The handling of one message: a segment of the trace that the message belongs to."""
    if not settings().is_on:
        yield None
        return
    part = begin(settings().service, SpanKind.CONSUMER, header)
    part.facts |= facts
    with active(part):
        try:
            yield part
        except BaseException as error:
            part.fail(error)
            raise
        finally:
            finish(part)


def carried() -> str | None:
    """The header for whoever continues the present trace, e.g. through a row or an event."""
    part = _current.get()
    return str(part.header()) if part else None


def carried_in_row() -> dict[str, str]:
    """The attribute `trace` of an order's row: what its next event hands on. Empty without one."""
    header = carried()
    return {"trace": header} if header else {}


def carried_if_sampled() -> str | None:
    """As `carried`, for what is too many to carry a header for nothing."""
    part = _current.get()
    return str(part.header()) if part and part.is_sampled else None


def cause_of(error: BaseException) -> tuple[str, str]:
    """(type, message); what looks like an e-mail address or a long number is left out."""
    return type(error).__name__, _PERSONAL.sub("…", str(error))[:_MAX_MESSAGE]
