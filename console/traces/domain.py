"""A trace: the tree of its steps, with offsets, own time, and waits between them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from console.traces import documents
from console.traces.documents import Kind, Segment

Outcome = Literal["ok", "4xx", "5xx"]
# Float seconds since 1970 carry about a quarter of a microsecond; clocks of one host agree.
_TOLERANCE_S = 0.000_5
_NOISE = ("/healthz", "/readyz", "/metrics")
_WAITS = {
    "relay": "in the table's stream", "stock": "in the table's stream",
    "erasure": "in the table's stream",
    "payment": "in the queue", "fulfilment": "in the queue", "notification": "in the queue",
    "landing": "in the Kinesis stream", "folding": "in the Kinesis stream",
}  # fmt: skip
_SENDERS = {
    "in the table's stream": (Kind.DATABASE,),
    "in the queue": (Kind.TOPIC, Kind.QUEUE),
    "in the Kinesis stream": (Kind.STREAM,),
}
# Who writes rows that the table's stream hands on, whoever began the trace.
_WRITERS = ("payment", "fulfilment")
_WRITES = ("Write", "Put", "Update", "Delete")
_WAITS_AFTER = {
    Kind.QUEUE: "in the queue", Kind.TOPIC: "in the queue", Kind.STREAM: "in the Kinesis stream",
    Kind.DATABASE: "in the table's stream",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """A segment in its place. Times in ms from the trace's start.

    `parent` is an index into the trace's steps; `is_orphan` when the document it names is not
    there. `duration_ms` is None while under way. `own_ms` is what no child accounts for.
    `wait_ms` is the pause after the parent had ended, `wait` its name. `shifted_ms` is how far
    it was moved because its clock was behind its caller's.
    """

    segment: Segment
    parent: int | None
    depth: int
    is_orphan: bool
    offset_ms: float
    duration_ms: float | None
    own_ms: float
    wait_ms: float
    wait: str
    shifted_ms: float

    @property
    def end_ms(self) -> float:
        return self.offset_ms + (self.duration_ms or 0.0)

    @property
    def outcome(self) -> Outcome:
        own = self.segment
        return outcome_of(own.status, is_fault=own.is_fault, is_error=own.is_error)


@dataclass(frozen=True, slots=True)
class Trace:
    """`steps` in reading order: a parent before its children, these by start."""

    trace_id: str
    steps: tuple[Step, ...]
    unreadable: int

    @property
    def requests(self) -> tuple[Step, ...]:
        """What services answered to somebody outside, in reading order.

        A page view makes several calls; each may stand below a record of the edge.
        """
        outside = (Kind.EDGE, Kind.CLIENT)
        return tuple(
            step
            for step in self.steps
            if step.segment.kind is Kind.SERVICE
            and step.segment.status
            and (step.parent is None or self.steps[step.parent].segment.kind in outside)
        )

    @property
    def entry(self) -> Step:
        """Where it came in: the first request, else the first root with a record of its own."""
        if requests := self.requests:
            return requests[0]
        roots = [step for step in self.steps if step.parent is None]
        return next((step for step in roots if step.segment.is_segment), roots[0])

    @property
    def started_at(self) -> datetime:
        first = min(step.segment.start_s + step.shifted_ms / 1000 for step in self.steps)
        return datetime.fromtimestamp(first, UTC)

    @property
    def path_ms(self) -> float:
        """From the first start to the last end, asynchronous steps included."""
        return max(step.end_ms for step in self.steps)

    @property
    def answer(self) -> Step:
        """The outermost record of the entry's request: the edge's, where there is one."""
        step = self.entry
        while step.parent is not None:
            step = self.steps[step.parent]
        return step

    @property
    def response_ms(self) -> float:
        """What the caller waited; the whole path where nobody did."""
        duration_ms = self.answer.duration_ms
        return self.path_ms if duration_ms is None else duration_ms

    @property
    def outcome(self) -> Outcome:
        return self.entry.outcome

    @property
    def faults(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.segment.is_fault)

    @property
    def is_noise(self) -> bool:
        """A health check, or loose ends without a service's own record."""
        roots = [step.segment for step in self.steps if step.parent is None]
        return not any(each.is_segment and not each.route.endswith(_NOISE) for each in roots)

    @property
    def is_running(self) -> bool:
        return any(step.duration_ms is None for step in self.steps)

    def annotation(self, name: str) -> str:
        """The first step's that carries it, in reading order; empty when none does."""
        return next((text for step in self.steps if (text := step.segment.text(name))), "")


def outcome_of(status: int, *, is_fault: bool = False, is_error: bool = False) -> Outcome:
    if status >= 500 or (is_fault and not status):
        return "5xx"
    return "4xx" if status >= 400 or (is_error and not status) else "ok"


def build(trace_id: str, found: Iterable[str | Mapping[str, Any]]) -> Trace | None:
    """A trace from its documents in any order; None when not one can be read."""
    segments: dict[str, Segment] = {}
    unreadable = 0
    for document in found:
        try:
            for segment in documents.read(document):
                segments[segment.id] = _newer(segments.get(segment.id), segment)
        except ValueError:
            unreadable += 1
    return Trace(trace_id, _place(segments), unreadable) if segments else None


def _newer(before: Segment | None, now: Segment) -> Segment:
    """A segment is sent while under way and again when done: the finished one counts."""
    if before is None or before.end_s is None:
        return now
    return before if now.end_s is None or now.end_s < before.end_s else now


def _place(segments: dict[str, Segment]) -> tuple[Step, ...]:
    parents = _parents(segments)
    children: dict[str | None, list[str]] = defaultdict(list)
    for own_id, parent_id in parents.items():
        children[parent_id].append(own_id)
    for siblings in children.values():
        siblings.sort(key=lambda own_id: (segments[own_id].start_s, own_id))
    order: list[tuple[str, int]] = []
    shifts: dict[str, float] = {}
    waiting = [(own_id, 0) for own_id in reversed(children[None])]
    while waiting:
        own_id, depth = waiting.pop()
        shifts[own_id] = _shift(segments, parents[own_id], own_id, shifts)
        order.append((own_id, depth))
        waiting.extend((child, depth + 1) for child in reversed(children[own_id]))
    first = min(segments[own_id].start_s + shift for own_id, shift in shifts.items())
    starts = {own_id: segments[own_id].start_s + shifts[own_id] for own_id in segments}
    ends = {
        own_id: None if segment.end_s is None else segment.end_s + shifts[own_id]
        for own_id, segment in segments.items()
    }
    writes = [
        own_id
        for own_id, parent_id in parents.items()
        if parent_id and segments[parent_id].label in _WRITERS and _is_write(segments[own_id])
    ]
    places = {own_id: index for index, (own_id, _) in enumerate(order)}
    steps = []
    for own_id, depth in order:
        segment, parent_id, end = segments[own_id], parents[own_id], ends[own_id]
        siblings = children[parent_id] if parent_id else []
        wait_s, wait = _wait(segments, starts, ends, own_id, parent_id, siblings, writes)
        inner = [(starts[child], ends[child]) for child in children[own_id]]
        steps.append(
            Step(
                segment=segment,
                parent=None if parent_id is None else places[parent_id],
                depth=depth,
                is_orphan=parent_id is None and segment.parent_id is not None,
                offset_ms=(starts[own_id] - first) * 1000,
                duration_ms=None if end is None else (end - starts[own_id]) * 1000,
                own_ms=0.0 if end is None else _own_s(starts[own_id], end, inner) * 1000,
                wait_ms=wait_s * 1000,
                wait=wait,
                shifted_ms=shifts[own_id] * 1000,
            )
        )
    return tuple(steps)


def _is_write(call: Segment) -> bool:
    return call.kind is Kind.DATABASE and any(word in call.label for word in _WRITES)


def _parents(segments: dict[str, Segment]) -> dict[str, str | None]:
    """Each one's parent that is there; a ring of parents is cut where it is entered."""
    parents = {
        own_id: segment.parent_id if segment.parent_id in segments else None
        for own_id, segment in segments.items()
    }
    settled: set[str] = set()
    for own_id in sorted(parents):
        path: set[str] = set()
        at: str | None = own_id
        while at is not None and at not in settled:
            path.add(at)
            above = parents[at]
            if above in path:
                parents[at] = above = None
            at = above
        settled |= path
    return parents


def _shift(
    segments: dict[str, Segment], parent_id: str | None, own_id: str, shifts: dict[str, float]
) -> float:
    """Seconds to move a step: as its parent, and on to the parent's start if it began before."""
    if parent_id is None:
        return 0.0
    shift = shifts[parent_id]
    begun_early_s = segments[parent_id].start_s + shift - (segments[own_id].start_s + shift)
    is_other_host = segments[own_id].is_segment
    return shift + begun_early_s if is_other_host and begun_early_s > _TOLERANCE_S else shift


def _wait(
    segments: dict[str, Segment],
    starts: dict[str, float],
    ends: dict[str, float | None],
    own_id: str,
    parent_id: str | None,
    siblings: list[str],
    writes: list[str],
) -> tuple[float, str]:
    """(the pause before a step in s, its name); nothing where its caller was at work.

    `writes` are the calls by which any function changed a row: a row keeps the trace that made
    it, so what follows a later change still names the first writer as its caller.
    """
    if parent_id is None:
        return 0.0, ""
    own, parent, end = segments[own_id], segments[parent_id], ends[parent_id]
    is_handed_over = own.is_segment and own.kind is Kind.FUNCTION
    pause_s = starts[own_id] - end if end is not None else 0.0
    if pause_s <= _TOLERANCE_S and not is_handed_over:
        return 0.0, ""
    name = _WAITS.get(own.label) or _WAITS_AFTER.get(parent.kind) or "asynchronous"
    if is_handed_over:
        # The parent is the whole of its caller: the wait begins with the call that handed over.
        senders = [each for each in siblings if segments[each].kind in _SENDERS.get(name, ())]
        if _SENDERS.get(name) == (Kind.DATABASE,):
            senders += writes
        # Begun, not ended: a function may start before its sender has heard that all went well.
        begun = [each for each in senders if starts[each] <= starts[own_id]]
        if begun and (ended := ends[max(begun, key=starts.__getitem__)]) is not None:
            pause_s = starts[own_id] - ended
    return max(0.0, pause_s), name


def _own_s(start: float, end: float, inner: list[tuple[float, float | None]]) -> float:
    """What is left of start…end without the union of the intervals inside it."""
    covered, reached = 0.0, start
    for begun, ended in sorted((a, end if b is None else b) for a, b in inner):
        begun, ended = max(begun, reached), min(ended, end)
        if ended > begun:
            covered += ended - begun
            reached = ended
    return max(0.0, end - start - covered)
