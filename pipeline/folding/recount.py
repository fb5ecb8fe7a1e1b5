"""What the raw events of the lake book: the same portions that folding cut when they arrived.

A portion was booked exactly when its marker exists, so that the sum over the portions with a marker
is what the aggregates must hold, at any moment and however far folding has come.
"""

import json
from collections.abc import Iterable, Iterator, Sequence

import polars as pl

from pipeline.contracts import keys
from pipeline.contracts.events import Envelope
from pipeline.folding.domain import MONEY_TYPES, Increments, Item, Portion, portions

# Marker -> the generations its portion was booked in; without those that do not exist.
Markers = dict[Item, frozenset[str]]
FIRST = frozenset({keys.FIRST_GENERATION})


def envelopes(rows: pl.DataFrame) -> Iterator[Envelope]:
    """Order events that move money, of a raw frame (`pipeline.runtime.facts.RAW`), each id once.

    They were checked when they landed, and are not checked again.
    """
    moving = rows.filter(pl.col("event_type").is_in(list(MONEY_TYPES)))
    first = moving.sort("arrived_at", "sequence_number").unique(
        "event_id", keep="first", maintain_order=True
    )
    wanted = first.select("event_id", "event_type", "occurred_at", "synthetic", "payload")
    for row in wanted.iter_rows(named=True):
        yield Envelope.model_construct(**(row | {"payload": json.loads(row["payload"])}))


def portions_of(events: Iterable[Envelope]) -> list[Portion]:
    return [portion for event in events for portion in portions(event)]


def total(booked: Iterable[Portion]) -> Increments:
    """The sum of what they add."""
    increments = Increments()
    for portion in booked:
        increments.add(portion.increments)
    return increments


def before(generation: str, found: Sequence[Portion], markers: Markers) -> list[Portion]:
    """Those that were booked before folding wrote this generation, too: a rebuild's to add.

    Those that were booked since are in it already, and those without a marker will be.
    """
    return [
        portion for portion in found
        if (booked_in := markers.get(portion.marker)) is not None and generation not in booked_in
    ]  # fmt: skip


def split(counts: dict[str, int], size: int) -> Iterator[dict[str, int]]:
    """Counters of one item in parts that fit an update expression."""
    names = sorted(counts)
    for start in range(0, len(names), size):
        yield {name: counts[name] for name in names[start : start + size]}
