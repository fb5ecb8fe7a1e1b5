"""What a rebuild adds to a new generation, and how two generations are compared; pure."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from pipeline.contracts import keys
from pipeline.contracts.events import CLICK_TYPES
from pipeline.contracts.searches import SEARCHED, term_without_results
from pipeline.folding.domain import WITHOUT_RESULTS, Increments, Item, Portion
from pipeline.folding.recount import Markers, before, envelopes, portions_of

EXAMPLES = 50
_WIDTH = 64
# What folding and a rebuild note for themselves beside the figures.
Figures = Mapping[str, int | frozenset[str]]


@dataclass(slots=True)
class Base:
    """The sum over what was booked before folding wrote the new generation, group by group.

    Ids of events are remembered over all groups: an event that landed twice counts once.
    """

    generation: str
    increments: Increments = field(default_factory=Increments)
    events: int = 0
    _orders: set[str] = field(default_factory=set)
    _clicks: set[str] = field(default_factory=set)

    def portions(self, raw: pl.DataFrame) -> list[Portion]:
        """Of the order events that no earlier group had."""
        fresh = [event for event in envelopes(raw) if event.event_id not in self._orders]
        self._orders.update(event.event_id for event in fresh)
        self.events += len(fresh)
        return portions_of(fresh)

    def add(self, found: list[Portion], markers: Markers) -> None:
        for portion in before(self.generation, found, markers):
            self.increments.add(portion.increments)

    def add_clicks(self, raw: pl.DataFrame, cuts: Mapping[str, str]) -> None:
        """Clicks up to their shard's cut; `cuts`: shard -> sequence number of 64 digits."""
        upto = pl.DataFrame(
            {"shard": list(cuts), "cut": list(cuts.values())},
            schema={"shard": pl.String, "cut": pl.String},
        )
        rows = clicks_of(raw).join(upto, on="shard").filter(pl.col("sequence") <= pl.col("cut"))
        counted: Counter[tuple[keys.Stream, str, str, str | None]] = Counter()
        for event_id, *what in rows.select(
            "event_id", "stream", "day", "event_type", "term"
        ).iter_rows():
            if event_id not in self._clicks:
                self._clicks.add(event_id)
                counted[tuple(what)] += 1
        self.events += counted.total()
        for (stream, day, event_type, term), amount in counted.items():
            self._count(keys.clicks(stream, day), f"events|{event_type}", amount)
            if term is not None:
                self._count(keys.searches(stream, day, term), WITHOUT_RESULTS, amount)

    def _count(self, key: keys.Key, name: str, amount: int) -> None:
        mine = self.increments.counters.setdefault((key["pk"], key["sk"]), {})
        mine[name] = mine.get(name, 0) + amount


def clicks_of(raw: pl.DataFrame) -> pl.DataFrame:
    """DataFrame[event_id, event_type, stream, day, shard, sequence, term], a row per delivery, in
    order.

    `sequence` is padded to 64 digits, so that it compares with folding's marks; `term` is that of a
    search that found nothing, null of everything else.
    """
    return (
        raw.filter(pl.col("event_type").is_in(list(CLICK_TYPES)))
        .select(
            "event_id",
            "event_type",
            pl.when("synthetic")
            .then(pl.lit("synthetic"))
            .otherwise(pl.lit("real"))
            .alias("stream"),
            pl.col("occurred_at").dt.strftime("%Y-%m-%d").alias("day"),
            "shard",
            pl.col("sequence_number").str.zfill(_WIDTH).alias("sequence"),
            pl.when(pl.col("event_type") == SEARCHED)
            .then("payload")
            .map_elements(_term_without_results, return_dtype=pl.String, skip_nulls=True)
            .alias("term"),
        )
        .sort("shard", "sequence")
    )


def _term_without_results(payload: str) -> str | None:
    return term_without_results(SEARCHED, json.loads(payload))


def figures(item: Mapping[str, Any]) -> dict[str, int | frozenset[str]]:
    """The counters and members of an item in DynamoDB's JSON; counters of zero say nothing."""
    found: dict[str, int | frozenset[str]] = {}
    for name, value in item.items():
        if "N" in value and (number := int(value["N"])):
            found[name] = number
        elif "SS" in value:
            found[name] = frozenset(value["SS"])
    return found


def differences(live: Figures, rebuilt: Figures) -> Iterator[dict[str, Any]]:
    """{attribute, live, rebuilt} for each figure that differs; of members their number."""
    for name in sorted(live.keys() | rebuilt.keys()):
        mine, theirs = live.get(name, 0), rebuilt.get(name, 0)
        if mine != theirs:
            yield {"attribute": name, "live": _number(mine), "rebuilt": _number(theirs)}


def _number(value: int | frozenset[str]) -> int:
    return value if isinstance(value, int) else len(value)


@dataclass(slots=True)
class Pairs:
    """Items of two generations as they come, in any order; an equal pair is forgotten at once."""

    generations: tuple[str, str]
    equal: int = 0
    _waiting: dict[Item, Figures] = field(default_factory=dict)
    _differing: list[Item] = field(default_factory=list)

    def take(self, pk: str, sk: str, found: Figures) -> None:
        place = place_of(pk, self.generations)
        if place is None:
            return
        _, base = place
        other = self._waiting.pop((base, sk), None)
        if other is None:
            self._waiting[base, sk] = found
        elif other == found:
            self.equal += 1
        else:
            self._differing.append((base, sk))

    def differing(self) -> list[Item]:
        """Those that differ and those without a partner, under the first generation's keys."""
        alone = [item for item, found in self._waiting.items() if found]
        return sorted([*self._differing, *alone])


def place_of(pk: str, generations: tuple[str, ...]) -> tuple[str, str] | None:
    """(generation, key as the first one has it) of an aggregate; None of anything else."""
    generation, base = keys.FIRST_GENERATION, pk
    if pk.startswith("G#"):
        _, generation, base = pk.split("#", 2)
    is_figure = base.split("#", 1)[0] not in ("EVENT", "SHARD", "STATE")
    return (generation, base) if is_figure and generation in generations else None
