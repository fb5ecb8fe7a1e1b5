"""A trace as rows to draw or read, with what came before its first record."""

from collections.abc import Sequence
from dataclasses import dataclass

from console.traces.documents import Kind
from console.traces.domain import Step, Trace
from console.traces.words import clip, ms

MAX_ROWS = 200
_INFERRED = "keeps no record; at least as long as the answers it waited for"


@dataclass(frozen=True, slots=True)
class Row:
    """Times in ms from the trace's start. `shown_ms` is drawn; `duration_ms` None if not known."""

    name: str
    label: str
    depth: int
    kind: str
    offset_ms: float
    duration_ms: float | None
    shown_ms: float
    own_ms: float
    wait_ms: float
    wait: str
    is_fault: bool
    is_inferred: bool
    status: int
    causes: tuple[str, ...]
    note: str

    @property
    def caption(self) -> str:
        words = "not measured" if self.is_inferred else ms(self.duration_ms)
        if self.wait:
            words += f", after {ms(self.wait_ms)} {self.wait}"
        if "attempt" in self.note:
            words += " (retried)"
        return f"✗ {words}" if self.is_fault else words

    @property
    def hover(self) -> str:
        parts = [
            f"<b>{self.name}</b> ({self.kind})",
            f"from {self.offset_ms:,.2f} ms for {ms(self.duration_ms)}, own {ms(self.own_ms)}",
            f"status {self.status}" if self.status else "",
            *self.causes,
            self.note,
        ]
        return "<br>".join(part for part in parts if part)


def rows(trace: Trace, *, with_calls: bool = True) -> list[Row]:
    """At most MAX_ROWS, the first in reading order; browser and edge before an HTTP entry.

    Without calls those of functions are left out, but for what failed and what went to the lake.
    """
    requests = trace.requests
    recorded = {step.segment.kind for step in trace.steps}
    unrecorded = [each for each in _BEFORE if each[1] not in recorded] if requests else []
    lead = [
        _outside(name, kind, depth, trace, requests)
        for depth, (name, kind) in enumerate(unrecorded)
    ]
    inside = [
        _row(step, len(lead), trace.path_ms)
        for step in trace.steps
        if with_calls or not _is_small(trace, step)
    ]
    return [*lead, *inside][:MAX_ROWS]


_BEFORE = (("browser", Kind.CLIENT), ("edge", Kind.EDGE))


def _is_small(trace: Trace, step: Step) -> bool:
    if step.parent is None or step.segment.is_segment or step.segment.is_fault:
        return False
    of_function = trace.steps[step.parent].segment.kind is not Kind.SERVICE
    return of_function and step.segment.kind is not Kind.STORE


def _outside(name: str, kind: Kind, depth: int, trace: Trace, requests: Sequence[Step]) -> Row:
    """From the first request's start to the last one's end: what is known of its time."""
    outermost = [step if step.parent is None else trace.steps[step.parent] for step in requests]
    begun = min(step.offset_ms for step in outermost)
    ended = max(step.end_ms for step in outermost)
    return Row(
        name=name,
        label=name,
        depth=depth,
        kind=kind.value,
        offset_ms=begun,
        duration_ms=None,
        shown_ms=ended - begun,
        own_ms=0.0,
        wait_ms=0.0,
        wait="",
        is_fault=False,
        is_inferred=True,
        status=0,
        causes=(),
        note=_INFERRED,
    )


def _row(step: Step, deeper: int, path_ms: float) -> Row:
    segment = step.segment
    notes = []
    if step.duration_ms is None:
        notes.append("under way, or its end was lost")
    if step.shifted_ms:
        notes.append(f"its clock was {step.shifted_ms:.1f} ms behind its caller's: moved")
    if (attempt := segment.text("attempt")) and segment.kind is Kind.SERVICE:
        notes.append(f"attempt {attempt}: another replica failed to answer before")
    if step.is_orphan and not deeper:
        notes.append("its caller's record is missing")
    label = segment.label
    if segment.is_segment:
        label = " ".join(filter(None, (label, segment.text("zone"), segment.request)))
    return Row(
        name=segment.label,
        label=clip(label, 48),
        depth=step.depth + deeper,
        kind=segment.kind.value,
        offset_ms=step.offset_ms,
        duration_ms=step.duration_ms,
        shown_ms=path_ms - step.offset_ms if step.duration_ms is None else step.duration_ms,
        own_ms=step.own_ms,
        wait_ms=step.wait_ms,
        wait=step.wait,
        is_fault=segment.is_fault,
        is_inferred=False,
        status=segment.status,
        causes=segment.causes,
        note="; ".join(notes),
    )


def natural_end_ms(shown: Sequence[Row]) -> float:
    return max([row.offset_ms + row.shown_ms for row in shown] or [1.0]) or 1.0
