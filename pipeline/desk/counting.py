"""received = landed + quarantined, per source and hour of arrival; pure.

Received is what the stream holds, landed and quarantined what the lake holds. The two meet in
nothing but a record's place: its shard and sequence number.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

Record = tuple[str, str]  # shard, sequence number


class Slot(NamedTuple):
    """A source and an hour (`2026-11-26T22`, UTC, of arrival)."""

    source: str
    hour: str


class Arrival(NamedTuple):
    """Who sent a record, and when it reached the stream."""

    source: str
    at: datetime

    @property
    def slot(self) -> Slot:
        return Slot(self.source, f"{self.at:%Y-%m-%dT%H}")


@dataclass(frozen=True, slots=True)
class Line:
    """How many records of a slot were received, and what became of them."""

    slot: Slot
    received: int
    landed: int
    quarantined: int
    under_way: int
    missing: int

    @property
    def adds_up(self) -> bool:
        return self.received == self.landed + self.quarantined + self.under_way


@dataclass(frozen=True, slots=True)
class Count:
    """`missing` were received and are nowhere in the lake; `extra` are in the lake and were never
    received; `both` were quarantined, and landed when they were delivered again, and count as
    landed. `waiting_since` is when the oldest record under way arrived; `is_cut` says that the
    stream holds more than was read."""

    lines: tuple[Line, ...]
    missing: tuple[str, ...]
    extra: tuple[str, ...]
    both: int
    waiting_since: datetime | None
    is_cut: bool = False

    @property
    def adds_up(self) -> bool:
        return not self.missing and not self.extra

    def total(self, what: str) -> int:
        return sum(int(getattr(line, what)) for line in self.lines)


def count(
    received: Mapping[Record, Arrival],
    landed: Mapping[Record, Arrival],
    quarantined: Mapping[Record, Arrival],
    is_cut: bool = False,
) -> Count:
    """Compare what the stream gave with what the lake has.

    Records past the last one of their shard that the lake knows are under way. Of the lake only
    what lies between the first and the last record received is looked at: the stream forgets.
    """
    reached = _last(landed.keys() | quarantined.keys())
    landed = _within(landed, received)
    quarantined = _within(quarantined, received)
    both = landed.keys() & quarantined.keys()
    kept = landed.keys() | quarantined.keys()
    absent = received.keys() - kept
    missing = {one for one in absent if int(one[1]) <= reached.get(one[0], -1)}
    under_way = [received[one] for one in absent - missing]
    tallies = {
        "received": received.values(),
        "landed": landed.values(),
        "quarantined": [arrival for one, arrival in quarantined.items() if one not in both],
        "under_way": under_way,
        "missing": [received[one] for one in missing],
    }
    return Count(
        _lines({what: Counter(one.slot for one in found) for what, found in tallies.items()}),
        _names(missing),
        _names(kept - received.keys()),
        len(both),
        min((arrival.at for arrival in under_way), default=None),
        is_cut,
    )


def _lines(tallies: Mapping[str, Counter[Slot]]) -> tuple[Line, ...]:
    slots = sorted(set().union(*tallies.values()), key=lambda slot: (slot.hour, slot.source))
    return tuple(
        Line(slot, **{what: counts[slot] for what, counts in tallies.items()}) for slot in slots
    )


def _last(records: Iterable[Record]) -> dict[str, int]:
    found: dict[str, int] = {}
    for shard, sequence in records:
        found[shard] = max(found.get(shard, -1), int(sequence))
    return found


def _within(lake: Mapping[Record, Arrival], received: Collection[Record]) -> dict[Record, Arrival]:
    bounds: dict[str, tuple[int, int]] = {}
    for shard, sequence in received:
        low, high = bounds.get(shard, (int(sequence), int(sequence)))
        bounds[shard] = (min(low, int(sequence)), max(high, int(sequence)))
    return {
        record: arrival
        for record, arrival in lake.items()
        if record[0] in bounds and bounds[record[0]][0] <= int(record[1]) <= bounds[record[0]][1]
    }


def _names(records: Iterable[Record]) -> tuple[str, ...]:
    return tuple(sorted(f"{shard}:{sequence}" for shard, sequence in records))
