"""Where the time of traces goes, and how two of them differ."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from console.traces.domain import Trace


@dataclass(frozen=True, slots=True)
class Share:
    """All steps of one name: own time in ms; `share` of all own time in percent."""

    name: str
    where: str
    kind: str
    count: int
    own_ms: float
    share: float
    p95_ms: float


@dataclass(frozen=True, slots=True)
class Difference:
    """Steps at one place in two traces; None where a trace has no such step. ms."""

    place: tuple[str, ...]
    kind: str
    left_count: int
    right_count: int
    left_ms: float | None
    right_ms: float | None

    @property
    def change_ms(self) -> float:
        return (self.right_ms or 0.0) - (self.left_ms or 0.0)


def percentile(values: Sequence[float], percent: float) -> float:
    """Nearest rank, so that it is a value that occurred; 0.0 of nothing."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]


def shares(traces: Iterable[Trace], *, with_waits: bool) -> list[Share]:
    """Own time by step name, largest first; waits by name beside the steps if asked."""
    times: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for trace in traces:
        for index, step in enumerate(trace.steps):
            place = owner_of(trace, index)
            where = "" if place == step.segment.label else place
            times[(step.segment.label, where, step.segment.kind.value)].append(step.own_ms)
            if with_waits and step.wait_ms > 0:
                times[(f"waiting {step.wait}", place, "wait")].append(step.wait_ms)
    total = sum(map(sum, times.values()))
    found = [
        Share(
            name=name,
            where=where,
            kind=kind,
            count=len(each),
            own_ms=sum(each),
            share=sum(each) / total * 100 if total else 0.0,
            p95_ms=percentile(each, 95),
        )
        for (name, where, kind), each in times.items()
    ]
    return sorted(found, key=lambda share: (-share.own_ms, share.name, share.where))


def owner_of(trace: Trace, index: int) -> str:
    """The service or function in whose record a step is; its own label when in none."""
    at: int | None = index
    while at is not None:
        step = trace.steps[at]
        if step.segment.is_segment:
            return step.segment.label
        at = step.parent
    return trace.steps[index].segment.label


def compare(left: Trace, right: Trace) -> list[Difference]:
    """Steps aligned by the names on the way to them; repeated ones are added up.

    Those of `left` in its order, each followed by what only `right` has at that place.
    """
    ours, theirs = _by_place(left), _by_place(right)
    places = list(ours)
    for place in theirs:
        if place not in ours:
            places.insert(_after_family(places, place), place)
    return [
        Difference(
            place=place,
            kind=(ours.get(place) or theirs[place])[0],
            left_count=ours[place][1] if place in ours else 0,
            right_count=theirs[place][1] if place in theirs else 0,
            left_ms=ours[place][2] if place in ours else None,
            right_ms=theirs[place][2] if place in theirs else None,
        )
        for place in places
    ]


def _by_place(trace: Trace) -> dict[tuple[str, ...], tuple[str, int, float]]:
    """Kind, how often and ms by place, in reading order."""
    ways: list[tuple[str, ...]] = []
    found: dict[tuple[str, ...], tuple[str, int, float]] = {}
    for step in trace.steps:
        above = ways[step.parent] if step.parent is not None else ()
        place = (*above, step.segment.label)
        ways.append(place)
        _, count, spent_ms = found.get(place, ("", 0, 0.0))
        spent_ms += step.duration_ms or 0.0
        found[place] = (step.segment.kind.value, count + 1, spent_ms)
    return found


def _after_family(places: list[tuple[str, ...]], place: tuple[str, ...]) -> int:
    """Behind the last place below the same parent, so that a tree stays a tree."""
    above = place[:-1]
    family = [i for i, other in enumerate(places) if other[: len(above)] == above]
    return family[-1] + 1 if family else len(places)
