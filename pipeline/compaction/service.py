"""Merges the raw files that arrived since the last run into the curated tables."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import polars as pl
from botocore.exceptions import BotoCoreError, ClientError

from pipeline.compaction import packing
from pipeline.compaction.domain import next_state
from pipeline.compaction.files import CuratedFiles
from pipeline.compaction.goods import Goods
from pipeline.compaction.store import Catalogue, Ops
from pipeline.contracts.errors import ShopError
from pipeline.contracts.names import Names
from pipeline.folding.store import Busy
from pipeline.funnel import service as funnel
from pipeline.insights import service as insights
from pipeline.reconciliation.service import COMPACTION, reconcile
from pipeline.runtime.clock import Clock, NewId
from pipeline.runtime.facts import CLICKSTREAM, SOURCES, TABLES, Table, rows_of
from pipeline.runtime.generations import Moved
from pipeline.runtime.lake import Lake, LakeObject, groups, read_state
from pipeline.runtime.logs import get_logger
from pipeline.runtime.metrics import metrics

log = get_logger()
_WRITERS = 8
_DECODED_EVENTS = 100_000
# Longer than one group takes; renewed before each, so a crashed run blocks no one for long.
_LEASE_S = 300
# OSError: what polars says of S3 when it reads there by itself.
_UNREACHABLE = (BotoCoreError, ClientError, OSError, pl.exceptions.PolarsError)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run did; `is_skipped` when another one holds the lease."""

    files: int = 0
    events: int = 0
    dates: int = 0
    is_skipped: bool = False


def compact_and_learn(names: Names, clock: Clock, new_id: NewId) -> Outcome:
    """Compacts, packs and learns from the result, and holds the aggregates against it.

    What of these fails now is done the next time: no compaction fails for it.
    """
    outcome = compact(names, clock, new_id)
    if not outcome.is_skipped:
        try:
            _pack(names, clock, new_id)
        except _UNREACHABLE:
            log.exception("packing.failed")
        _count_sessions(names)
    if outcome.events:
        try:
            insights.refresh(names, clock)
        except _UNREACHABLE:
            log.exception("insights.failed")
    if not outcome.is_skipped:
        try:
            reconcile(names, new_id(), clock, COMPACTION)
        except (ShopError, *_UNREACHABLE):
            log.exception("reconciliation.failed")
    return outcome


def compact_and_count(names: Names, clock: Clock, new_id: NewId) -> Outcome:
    """Compacts, and counts the funnels over the result."""
    outcome = compact(names, clock, new_id)
    if not outcome.is_skipped:
        _count_sessions(names)
    return outcome


def _count_sessions(names: Names) -> None:
    try:
        funnel.keep_up(names)
    except (Busy, Moved, *_UNREACHABLE):
        log.exception("funnel.failed")


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


def _pack(names: Names, clock: Clock, new_id: NewId) -> None:
    """Under the lease, because the list must not come back while somebody changes the tables."""
    ops, owner = Ops(names), new_id()
    if ops.take_lease(owner, clock(), _LEASE_S):
        try:
            packing.pack(names)
        finally:
            ops.drop_lease(owner)


def _compact(names: Names, clock: Clock, ops: Ops, owner: str) -> Outcome:
    lake, files, catalogue = Lake(names), CuratedFiles(names), Catalogue(names)
    goods = Goods(names)
    catalogue.ensure_tables()
    state = read_state(names)
    pending = lake.pending(state)
    if pending:
        packing.take_list_away(names, owner)
    merged_events = merged_dates = done = 0
    for group in groups(pending):
        if not ops.take_lease(owner, clock(), _LEASE_S):
            return Outcome(done, merged_events, merged_dates, is_skipped=True)
        events, deliveries = _events(lake, group)
        for table in TABLES:
            dates = _merge(table, _by_date(_rows(table, events, goods)), files)
            catalogue.add_dates(table, dates)
            merged_dates += len(dates)
        done += len(group)
        merged_events += events.height
        metrics.add("DuplicatesDropped", deliveries - events.height, Function="compaction")
        state = next_state(state, group, pending[done:], clock())
        ops.save(state)
    log.info("compaction.done", files=done, events=merged_events, dates=merged_dates)
    return Outcome(done, merged_events, merged_dates)


def _events(lake: Lake, group: Sequence[LakeObject]) -> tuple[pl.DataFrame, int]:
    """(distinct events of a group of raw files, in how many deliveries they came)."""
    raw = lake.read_raw(group, SOURCES)
    return raw.unique(["event_id", "event_type"]), raw.height


def _rows(table: Table, events: pl.DataFrame, goods: Goods) -> pl.DataFrame:
    """`rows_of`, some events at a time: their JSON takes several times the rows."""
    parts = [rows_of(table, part) for part in events.iter_slices(_DECODED_EVENTS)]
    if table is CLICKSTREAM:
        parts = [goods.joined(part) for part in parts]
    return pl.concat(parts) if parts else rows_of(table, events)


def _by_date(rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    parts = sorted(rows.partition_by("dt", as_dict=True).items(), key=str)
    return {str(dt): part for (dt,), part in parts}


def _merge(table: Table, by_date: Mapping[str, pl.DataFrame], files: CuratedFiles) -> Sequence[str]:
    """Merges rows into the files of each date; returns the dates."""
    with ThreadPoolExecutor(_WRITERS) as pool:
        found = list(pool.map(lambda dt: files.merge(table, dt, by_date[dt]), by_date))
    metrics.add("FilesWritten", sum(one.bytes > 0 for one in found), Prefix=f"curated/{table.name}")
    metrics.add(
        "BytesWritten", sum(one.bytes for one in found), "Bytes", Prefix=f"curated/{table.name}"
    )
    return list(by_date)
