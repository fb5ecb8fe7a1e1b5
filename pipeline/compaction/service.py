"""Merges the raw files that arrived since the last run into the curated tables."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import polars as pl
from botocore.exceptions import BotoCoreError, ClientError

from pipeline.compaction.domain import next_state
from pipeline.compaction.store import Catalogue, CuratedFiles, Ops
from pipeline.contracts.errors import ShopError
from pipeline.contracts.names import Names
from pipeline.insights import service as insights
from pipeline.reconciliation.service import reconcile
from pipeline.runtime.clock import Clock, NewId
from pipeline.runtime.facts import TABLES, Table, rows_of
from pipeline.runtime.lake import Lake, groups, read_state
from pipeline.runtime.logs import get_logger

log = get_logger()
_WRITERS = 8
# Longer than one group takes; renewed before each, so a crashed run blocks no one for long.
_LEASE_S = 300


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run did; `is_skipped` when another one holds the lease."""

    files: int = 0
    events: int = 0
    dates: int = 0
    is_skipped: bool = False


def compact_and_learn(names: Names, clock: Clock, new_id: NewId) -> Outcome:
    """Compacts, learns from the result and holds the aggregates against it.

    What of these fails now is done the next time: no compaction fails for it.
    """
    outcome = compact(names, clock, new_id)
    if outcome.events:
        try:
            insights.refresh(names, clock)
        except (BotoCoreError, ClientError, pl.exceptions.PolarsError):
            log.exception("insights.failed")
    if not outcome.is_skipped:
        try:
            reconcile(names, new_id(), clock, "compaction")
        except (ShopError, BotoCoreError, ClientError, pl.exceptions.PolarsError):
            log.exception("reconciliation.failed")
    return outcome


def compact(names: Names, clock: Clock, new_id: NewId) -> Outcome:
    """Merges all pending raw files, group by group: curated files first, the state after them.

    A crash in between leaves files that the next run merges again, to the same rows.
    """
    ops, owner = Ops(names), new_id()
    if not ops.take_lease(owner, clock(), _LEASE_S):
        return Outcome(is_skipped=True)
    try:
        return _compact(names, clock, ops, owner)
    finally:
        ops.drop_lease(owner)


def _compact(names: Names, clock: Clock, ops: Ops, owner: str) -> Outcome:
    lake, files, catalogue = Lake(names), CuratedFiles(names), Catalogue(names)
    catalogue.ensure_tables()
    state = read_state(names)
    pending = lake.pending(state)
    merged_events = merged_dates = done = 0
    for group in groups(pending):
        if not ops.take_lease(owner, clock(), _LEASE_S):
            return Outcome(done, merged_events, merged_dates, is_skipped=True)
        events = lake.read_raw(group).unique(["event_id", "event_type"])
        for table in TABLES:
            dates = _merge(table, rows_of(table, events), files)
            catalogue.add_dates(table, dates)
            merged_dates += len(dates)
        done += len(group)
        merged_events += events.height
        state = next_state(state, group, pending[done:], clock())
        ops.save(state)
    log.info("compaction.done", files=done, events=merged_events, dates=merged_dates)
    return Outcome(done, merged_events, merged_dates)


def _merge(table: Table, rows: pl.DataFrame, files: CuratedFiles) -> Sequence[str]:
    """Merges rows into the file of each date; returns the dates."""
    by_date = {
        str(dt): part
        for (dt,), part in sorted(rows.partition_by("dt", as_dict=True).items(), key=str)
    }
    with ThreadPoolExecutor(_WRITERS) as pool:
        list(pool.map(lambda dt: files.merge(table, dt, by_date[dt]), by_date))
    return list(by_date)
