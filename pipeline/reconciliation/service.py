"""One reconciliation: a look at everything, then a close look at what differs, and its repair.

The first look compares sums that were read at different moments, so a difference there is only a
question. The close look answers it: it reads a unit's items, waits until the lake has whatever had
reached the stream by then, and asks of each event whether it is booked. When the unit has not moved
meanwhile, the booked events' sum is what its items must hold, exactly.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import polars as pl

from pipeline.contracts.events import CLICK_TYPES
from pipeline.contracts.names import Names
from pipeline.folding.markers import read_markers
from pipeline.folding.store import Busy
from pipeline.funnel import service as funnel
from pipeline.rebuild.domain import clicks_of
from pipeline.reconciliation import cells, store
from pipeline.reconciliation.domain import (
    SHOWN,
    Drift,
    Recount,
    Unit,
    UnitCount,
    Why,
    clicks_apart,
    counts,
    funnels_apart,
    moving,
    units_of,
)
from pipeline.reconciliation.lake import RawEvents, lake_cells
from pipeline.runtime import generations, landed
from pipeline.runtime.clock import Clock
from pipeline.runtime.generations import Generations
from pipeline.runtime.logs import get_logger

log = get_logger()
# A unit that folding is at moves between two readings; it gets as many tries.
_ROUNDS = 5
# Looked at closely in one run, of sales, of days of clicks and of searched terms; more than that
# is a rebuild's work.
MAX_UNITS = 200
COMPACTION = "compaction"  # the trigger of the runs that follow one
_TOO_MANY = f"more than {MAX_UNITS} buckets differ: rebuild"


@dataclass(slots=True)
class Reconciliation:
    """A run. `repairs` also what is unexplained; clicks that came twice are always corrected."""

    names: Names
    run_id: str
    clock: Clock
    trigger: str
    repairs: bool = False
    drifts: list[Drift] = field(default_factory=list)

    def run(self) -> dict[str, Any] | None:
        """The result, as it is kept; None while another run holds the lease.

        Raises: Unavailable, ClientError or PolarsError when a side cannot be read.
        """
        results, started = store.Results(self.names, self.run_id), time.monotonic()
        if not results.hold(self.clock()):
            return None
        try:
            seen = generations.read(self.names)
            expected = lake_cells(self.names)
            found = store.Aggregates(self.names, seen.live).cells(expected)
            self._look_closely(seen, cells.apart(expected, found))
            if self.trigger != COMPACTION:  # which has just counted them
                self._count_funnels(seen)
            result = self._result(expected, time.monotonic() - started)
            results.save(result, self.clock())
        finally:
            results.release()
        log.info("reconciliation.done", **{k: result[k] for k in ("compared", "unexplained")})
        return result

    def _count_funnels(self, seen: Generations) -> None:
        try:
            self.drifts += funnels_apart(*funnel.refresh(self.names, seen.live))
        except (Busy, generations.Moved):  # another run counts them at this moment
            log.info("reconciliation.funnels_busy")

    def _look_closely(self, seen: Generations, apart: pl.DataFrame) -> None:
        sales, days, terms = units_of(apart)
        now = self.clock()
        for unit in [*sales[MAX_UNITS:], *days[MAX_UNITS:], *terms[MAX_UNITS:]]:
            # What comes in while the two sides are read is no more than that.
            why = Why.OPEN_HOUR if unit.until > now else Why.UNEXPLAINED
            self.drifts += moving(unit, apart, why, _TOO_MANY)
        sales, clicks = sales[:MAX_UNITS], [*days[:MAX_UNITS], *terms[:MAX_UNITS]]
        closely = _Closely(self, seen, apart)
        try:
            closely.sales(sales)
            closely.clicks(clicks)
        except landed.NotLanded as behind:
            for unit in [*sales, *clicks]:
                if unit not in closely.settled:
                    self.drifts += moving(unit, apart, Why.LANDING, str(behind))

    def _result(self, expected: pl.DataFrame, seconds: float) -> dict[str, Any]:
        by_why = counts(self.drifts)
        hours = expected.filter(pl.col("grain") == "hour").select("stream", "bucket").n_unique()
        shown = sorted(
            self.drifts, key=lambda d: (d.why is not Why.UNEXPLAINED, d.bucket, d.metric)
        )
        return {
            "trigger": self.trigger,
            "duration_ms": round(seconds * 1000),
            "compared": expected.height,
            "hours": hours,
            "unexplained": by_why[Why.UNEXPLAINED],
            "explained": sum(n for why, n in by_why.items() if why != Why.UNEXPLAINED),
            "by_reason": by_why,
            "repaired": sum(drift.is_repaired for drift in self.drifts),
            "drifts": [drift.to_dict() for drift in shown[:SHOWN]],
        }


@dataclass(slots=True)
class _Closely:
    """Judges units until each has held still once, or `_ROUNDS` are over; then it is `settled`."""

    run: Reconciliation
    seen: Generations
    apart: pl.DataFrame
    table: store.Aggregates = field(init=False)
    repair: store.Repair = field(init=False)
    settled: set[Unit] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.table = store.Aggregates(self.run.names, self.seen.live)
        self.repair = store.Repair(self.run.names, self.seen, self.run.run_id)

    def sales(self, units: Sequence[Unit]) -> None:
        # Months first: a repair of a part stamps its month, which would move it.
        left = sorted(units, key=lambda unit: (unit.grain != "month", unit))
        recount, raw = Recount(frozenset(left)), RawEvents(self.run.names)
        spans = _spans(left)
        recount.add(raw.fresh(spans))
        for _ in range(_ROUNDS):
            if not left:
                return
            before = {unit: self.table.fingerprint(unit) for unit in left}
            landed.wait_for(self.run.names, landed.tips(self.run.names))
            recount.add(raw.fresh(spans))
            markers = read_markers(self.run.names, recount.markers())
            left = [u for u in left if not self._judge(recount.of(u, markers), before[u])]
        self.settled.update(left)
        for unit in left:
            detail = "it kept changing while it was read"
            self.run.drifts += moving(unit, self.apart, Why.OPEN_HOUR, detail)

    def _judge(self, count: UnitCount, before: store.Fingerprint) -> bool:
        """Whether the unit held still, so that what was found of it is true."""
        unit = count.unit
        found = self.table.items_of(unit)
        if self.table.fingerprint(unit) != before:
            return False
        drifts = count.unexplained(found)
        if drifts and self.run.repairs:
            if not self.repair.unit(unit, before, count.items(), found):
                return False
            drifts = [replace(drift, is_repaired=True) for drift in drifts]
        self.run.drifts += drifts + count.under_way(count.items() if drifts else found)
        self.settled.add(unit)
        return True

    def clicks(self, units: Sequence[Unit]) -> None:
        raw = RawEvents(self.run.names, CLICK_TYPES)
        spans = _spans(units)
        deliveries = clicks_of(raw.fresh(spans))
        left = list(units)
        for _ in range(_ROUNDS):
            if not left:
                return
            shards = sorted({*deliveries["shard"].unique(), *landed.tips(self.run.names)})
            held = {unit: self.table.clicks(unit, shards) for unit in left}
            landed.wait_for(self.run.names, _furthest(marks for marks, _, _ in held.values()))
            deliveries = pl.concat([deliveries, clicks_of(raw.fresh(spans))])
            left = [unit for unit in left if not self._judge_clicks(unit, deliveries, held[unit])]
        self.settled.update(left)
        for unit in left:
            detail = "it was corrected elsewhere while it was read"
            self.run.drifts += moving(unit, self.apart, Why.OPEN_HOUR, detail)

    def _judge_clicks(
        self, unit: Unit, deliveries: pl.DataFrame, read: tuple[dict[str, str], Any, str]
    ) -> bool:
        marks, held, recounted = read
        mine = deliveries.filter((pl.col("stream") == unit.stream) & (pl.col("day") == unit.bucket))
        if unit.term:
            mine = mine.filter(pl.col("term") == unit.term)
        right, drifts = clicks_apart(unit, mine, marks, held)
        wrong = {drift.why for drift in drifts} & {Why.TWICE, Why.UNEXPLAINED}
        if wrong and (self.run.repairs or Why.UNEXPLAINED not in wrong):
            if not self.repair.clicks(unit, recounted, right, held):
                return False
            drifts = [replace(d, is_repaired=d.why in wrong) for d in drifts]
        self.run.drifts += drifts
        self.settled.add(unit)
        return True


def _spans(units: Iterable[Unit]) -> list[tuple[datetime, datetime]]:
    return sorted({(unit.since, unit.until) for unit in units})


def _furthest(all_marks: Iterable[dict[str, str]]) -> dict[str, str]:
    furthest: dict[str, str] = {}
    for marks in all_marks:
        for shard, mark in marks.items():
            furthest[shard] = max(furthest.get(shard, ""), mark)
    return furthest


def reconcile(
    names: Names, run_id: str, clock: Clock, trigger: str, *, repairs: bool = False
) -> dict[str, Any] | None:
    """One run of `Reconciliation`."""
    return Reconciliation(names, run_id, clock, trigger, repairs).run()
