"""What differs, why, and what the right figures are; pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import polars as pl

from pipeline.contracts.funnel import STEPS
from pipeline.folding.domain import WITHOUT_RESULTS, Increments, Item, Portion
from pipeline.folding.recount import Markers, envelopes, portions_of
from pipeline.funnel.domain import Funnels, changes
from pipeline.reconciliation.cells import unit_of

SHOWN = 300
_IDS_SHOWN = 5
_VAIN = f"{WITHOUT_RESULTS}|"
Figures = dict[str, Any]


class Why(StrEnum):
    """`late` and `open hour` are events that landed and are not folded yet."""

    UNEXPLAINED = "unexplained"
    OPEN_HOUR = "open hour"
    LATE = "late event"
    TWICE = "sent twice"
    LANDING = "landing behind"


@dataclass(frozen=True, slots=True, order=True)
class Unit:
    """Items that every booking changes together: of a bucket and currency, sales and what goes
    with them. Clicks of a day have no currency; the searches of a day for one `term` are a unit of
    their own."""

    stream: str
    grain: str
    bucket: str
    currency: str
    term: str = ""

    @property
    def since(self) -> datetime:
        text = {"hour": self.bucket + ":00", "day": self.bucket, "month": self.bucket + "-01"}
        return datetime.fromisoformat(text[self.grain]).replace(tzinfo=UTC)

    @property
    def until(self) -> datetime:
        if self.grain != "month":
            return self.since + timedelta(**{f"{self.grain}s": 1})
        return (self.since + timedelta(days=32)).replace(day=1)


@dataclass(frozen=True, slots=True)
class Drift:
    """One figure that differs. `lake` is what the events of the lake give."""

    stream: str
    grain: str
    bucket: str
    currency: str
    metric: str
    lake: int
    aggregates: int
    why: Why
    detail: str = ""
    events: list[str] = field(default_factory=list)
    is_repaired: bool = False

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"drift": self.aggregates - self.lake}


def metric_of(kind: str, attribute: str) -> str:
    """`gross`, `gross, country France`, `product 22423, units`, `customers`, `page_viewed`,
    `without results, tea`."""
    name, _, rest = attribute.partition("|")
    if kind == "sales":
        dimension, _, group = rest.partition("|")
        return f"{name}, {dimension} {group}" if rest else name
    if kind == "products":
        return f"product {rest}, {name}"
    if kind == "searches":
        return f"without results, {rest}"
    return rest.split(".")[1] if kind == "clicks" else "customers"


def units_of(cells: pl.DataFrame) -> tuple[list[Unit], list[Unit], list[Unit]]:
    """(units of sales, days of clicks, searches of a day) in which something differs."""
    term = pl.when(pl.col("kind") == "searches").then(
        pl.col("attribute").str.strip_prefix(_VAIN)
    ).otherwise(pl.lit(""))  # fmt: skip
    named = cells.select(
        pl.col("kind").is_in(["clicks", "searches"]), "stream", "grain", "bucket", "currency", term
    ).unique()
    found = sorted((is_clicks, Unit(*rest)) for is_clicks, *rest in named.iter_rows())
    clicks = [unit for is_clicks, unit in found if is_clicks]
    sales = [unit for is_clicks, unit in found if not is_clicks]
    days = [unit for unit in clicks if not unit.term]
    return sales, days, [unit for unit in clicks if unit.term]


@dataclass(slots=True)
class Recount:
    """The order events of the lake that concern some units, each once, and their portions."""

    units: frozenset[Unit]
    arrived: dict[str, datetime] = field(default_factory=dict)
    # Unit -> marker -> what that portion adds to the unit's items.
    parts: dict[Unit, dict[Item, Increments]] = field(default_factory=dict)

    def add(self, raw: pl.DataFrame) -> None:
        """Args: a raw frame; what was added before is passed over."""
        fresh = [event for event in envelopes(raw) if event.event_id not in self.arrived]
        first = raw.sort("arrived_at").unique("event_id", keep="first")
        moments = dict(first.select("event_id", "arrived_at").iter_rows())
        self.arrived |= {event.event_id: moments[event.event_id] for event in fresh}
        for portion in portions_of(fresh):
            self._add(portion)

    def markers(self) -> list[Item]:
        return sorted({marker for parts in self.parts.values() for marker in parts})

    def of(self, unit: Unit, markers: Markers) -> "UnitCount":
        booked, coming = Increments(), Increments()
        arrived: dict[str, datetime] = {}
        for marker, part in self.parts.get(unit, {}).items():
            (booked if marker in markers else coming).add(part)
            if marker not in markers:
                event_id = marker[0].removeprefix("EVENT#")
                arrived[event_id] = self.arrived[event_id]
        return UnitCount(unit, booked, coming, arrived)

    def _add(self, portion: Portion) -> None:
        added = portion.increments
        for item, counts in added.counters.items():
            if part := self._part(item, portion):
                part.counters[item] = counts
        for item, ids in added.members.items():
            if part := self._part(item, portion):
                part.members[item] = ids

    def _part(self, item: Item, portion: Portion) -> Increments | None:
        unit = Unit(*unit_of(*item)[1:])
        if unit not in self.units:
            return None
        return self.parts.setdefault(unit, {}).setdefault(portion.marker, Increments())


@dataclass(frozen=True, slots=True)
class UnitCount:
    """What a unit's items must hold, and what is still to come."""

    unit: Unit
    booked: Increments
    coming: Increments
    arrived: Mapping[str, datetime]

    def items(self) -> dict[Item, Figures]:
        """The right figures, whole."""
        counted = {i: {n: a for n, a in c.items() if a} for i, c in self.booked.counters.items()}
        return {**counted, **{i: {"customers": ids} for i, ids in self.booked.members.items()}}

    def unexplained(self, found: Mapping[Item, Figures]) -> list[Drift]:
        """Where the items, as they were found at one moment, are not what was booked by then."""
        wanted, drifts = self.items(), []
        for item in sorted(wanted.keys() | found.keys()):
            right, held = wanted.get(item, {}), found.get(item, {})
            for name in sorted(right.keys() | held.keys()):
                if right.get(name, 0) != held.get(name, 0):
                    drifts.append(self._drift(item, name, right, held))
        return drifts

    def _drift(self, item: Item, name: str, right: Figures, held: Figures) -> Drift:
        lake, aggregates = (_size(side.get(name, 0)) for side in (right, held))
        detail = ""
        if name == "customers":
            differing = set(right.get(name, ())) ^ set(held.get(name, ()))
            detail = f"{len(differing)} of the ids differ"
        unit, kind = self.unit, unit_of(*item)[0]
        return Drift(
            unit.stream, unit.grain, unit.bucket, unit.currency, metric_of(kind, name),
            lake, aggregates, Why.UNEXPLAINED, detail,
        )  # fmt: skip

    def under_way(self, found: Mapping[Item, Figures]) -> list[Drift]:
        """What landed and is not folded yet, by the figures of the unit as a whole."""
        held: Counter[str] = Counter()
        for item, figures in found.items():
            if unit_of(*item)[0] == "sales":
                held.update({n: a for n, a in figures.items() if "|" not in n})
        ids = sorted(self.arrived)
        is_late = all(at >= self.unit.until for at in self.arrived.values())
        sums: Counter[str] = Counter()
        for item, counts in self.coming.counters.items():
            if unit_of(*item)[0] == "sales":
                sums.update({n: a for n, a in counts.items() if "|" not in n and a})
        return [
            Drift(
                self.unit.stream, self.unit.grain, self.unit.bucket, self.unit.currency, name,
                held[name] + amount, held[name], Why.LATE if is_late else Why.OPEN_HOUR,
                f"{len(ids)} events landed and are not folded yet", ids[:_IDS_SHOWN],
            )
            for name, amount in sorted(sums.items())
        ]  # fmt: skip


def _size(value: Any) -> int:
    return value if isinstance(value, int) else len(value)


def clicks_apart(
    unit: Unit,
    deliveries: pl.DataFrame,
    marks: Mapping[str, str],
    held: Mapping[str, int],
) -> tuple[dict[str, int], list[Drift]]:
    """(right counters, what differs) of one day's clicks, or of its searches for a term.

    Args: `deliveries` are the unit's rows of `rebuild.domain.clicks_of`; `marks` and `held`, the
    shards' marks and the unit's counters, as they were at one moment: everything up to a mark is
    counted in them.
    """
    upto = pl.DataFrame({"shard": list(marks), "mark": list(marks.values())},
                        schema={"shard": pl.String, "mark": pl.String})  # fmt: skip
    known = deliveries.join(upto, on="shard", how="left").with_columns(
        (pl.col("sequence") <= pl.col("mark")).fill_null(False).alias("is_folded")
    )
    folded = known.filter("is_folded").unique(["shard", "sequence"])
    right = _counted(unit, folded.unique("event_id"))
    sent = _counted(unit, folded)
    coming = known.join(folded, on="event_id", how="anti").unique("event_id")
    drifts = []
    for name in sorted(right.keys() | held.keys()):
        wanted, has = right.get(name, 0), held.get(name, 0)
        if wanted != has:
            is_twice = wanted < has <= sent.get(name, 0)
            extra = sent.get(name, 0) - wanted
            detail = f"{extra:,} were delivered to the stream again" if is_twice else ""
            why = Why.TWICE if is_twice else Why.UNEXPLAINED
            drifts.append(_clicks_drift(unit, name, wanted, has, why, detail))
    for name, amount in _counted(unit, coming).items():
        has = held.get(name, 0)
        drifts.append(
            _clicks_drift(unit, name, has + amount, has, Why.OPEN_HOUR,
                          f"{amount:,} landed and are not folded yet")
        )  # fmt: skip
    return right, drifts


def _clicks_drift(unit: Unit, name: str, lake: int, has: int, why: Why, detail: str) -> Drift:
    kind, attribute = ("searches", _VAIN + unit.term) if unit.term else ("clicks", name)
    metric = metric_of(kind, attribute)
    return Drift(unit.stream, unit.grain, unit.bucket, "", metric, lake, has, why, detail)


def _counted(unit: Unit, rows: pl.DataFrame) -> dict[str, int]:
    """The counters that these rows make of the unit's item."""
    if unit.term:
        return {WITHOUT_RESULTS: rows.height} if rows.height else {}
    kinds = rows.group_by("event_type").len().iter_rows()
    return {f"events|{kind}": int(amount) for kind, amount in kinds}


def funnels_apart(held: Funnels, right: Funnels) -> list[Drift]:
    """What was not as the curated clicks say, and is now."""
    nothing = (0,) * len(STEPS)
    return [
        Drift(stream, "day", day, "", f"sessions, {step}", lake, has, Why.UNEXPLAINED,
              "counted anew from the curated clicks", is_repaired=True)
        for stream, day in changes(held, right)
        for step, has, lake in zip(
            STEPS, held.get((stream, day), nothing), right.get((stream, day), nothing), strict=True
        )
        if has != lake
    ]  # fmt: skip


def moving(unit: Unit, cells: pl.DataFrame, why: Why, detail: str) -> list[Drift]:
    """A unit that could not be judged: as the first look found it."""
    shown = ~pl.col("attribute").str.contains("|", literal=True) | (pl.col("kind") == "clicks")
    if unit.term:
        shown = (pl.col("kind") == "searches") & (pl.col("attribute") == _VAIN + unit.term)
    mine = cells.filter(
        (pl.col("stream") == unit.stream) & (pl.col("grain") == unit.grain)
        & (pl.col("bucket") == unit.bucket) & (pl.col("currency") == unit.currency) & shown
    )  # fmt: skip
    return [
        Drift(unit.stream, unit.grain, unit.bucket, unit.currency,
              metric_of(row["kind"], row["attribute"]), row["lake"], row["aggregates"], why, detail)
        for row in mine.iter_rows(named=True)
    ]  # fmt: skip


def counts(drifts: Iterable[Drift]) -> dict[str, int]:
    """How many figures differ for each reason, repaired ones left out."""
    found = Counter(drift.why.value for drift in drifts if not drift.is_repaired)
    return {why.value: found[why.value] for why in Why}
