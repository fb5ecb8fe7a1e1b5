"""What compaction decides: which raw files to merge together, how, and what the next state is."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import polars as pl

from pipeline.contracts.events import to_iso_z
from pipeline.runtime.facts import Table, conformed, deduplicated
from pipeline.runtime.lake import CompactionState, LakeObject

# S3 may show an object a little after its LastModified, so the newest minutes are told by ETag.
SETTLING = timedelta(minutes=5)
MAX_RECENT = 2_000
# A file that has grown to this takes no more rows, so that with one group's it ends near 128 MB.
FULL_BYTES = 110_000_000
# Rows in memory at a time where a file is merged in parts, and of a row group of what is written.
PART_ROWS = 100_000


def merged(table: Table, existing: pl.DataFrame | None, added: pl.DataFrame) -> pl.DataFrame:
    """One file with new rows merged in: the same whether they were in it already or not."""
    rows = added.select(list(table.columns))
    if existing is not None:
        rows = pl.concat([conformed(table, existing), rows])
    return deduplicated(table, rows)


def merged_parts(
    table: Table, existing: pl.LazyFrame, fresh: pl.DataFrame, part_rows: int = PART_ROWS
) -> Iterator[pl.DataFrame]:
    """`merged`, a part of the rows at a time, so that memory is bounded by these and `fresh`.

    Args: both are sorted as the table's files are, and have no row in common.
    """
    keys = fresh.select(table.order)
    height = existing.select(pl.len()).collect().item()
    if not height:
        yield fresh
    taken = 0
    for start in range(0, height, part_rows):
        part = conformed(table, existing.slice(start, part_rows).collect())
        last = part.select(table.order).row(-1)
        # What sorts after the last part's last row belongs behind it.
        upto = bisect_right(range(fresh.height), last, lo=taken, key=keys.row)
        until = fresh.height if start + part_rows >= height else upto
        between = fresh.slice(taken, until - taken)
        yield pl.concat([part, between]).sort(table.order) if between.height else part
        taken = until


def unknown_rows(table: Table, added: pl.DataFrame, files: Sequence[pl.LazyFrame]) -> pl.DataFrame:
    """The rows of `added`, one of each and sorted, that none of the files has; only ids are read of
    these."""
    rows = deduplicated(table, conformed(table, added))
    ids = rows["event_id"].unique()
    # Ids are made in the order of time mostly, so that the bounds spare most row groups.
    is_near = pl.col("event_id").is_between(pl.lit(ids.min()), pl.lit(ids.max()))
    for file in files:
        known = file.select(table.identity).filter(is_near, pl.col("event_id").is_in(ids.implode()))
        there = known.collect(engine="streaming")
        rows = rows.join(there, on=table.identity, how="anti", maintain_order="left")
    return rows


def next_state(
    state: CompactionState, done: Sequence[LakeObject], left: Sequence[LakeObject], now: datetime
) -> CompactionState:
    """The state once `done` are merged and `left` are still to do.

    Files changed less than SETTLING before the newest one seen are remembered by ETag. Beyond
    MAX_RECENT the oldest are forgotten and merged once more: work, never a wrong row.
    """
    newest = max((one.modified_at for one in done), default=None)
    recent = state.recent | {one.key: one.etag for one in done}
    settled = state.settled_until
    if newest is not None:
        until = newest - SETTLING
        if left:
            until = min(until, min(one.modified_at for one in left))
        settled = max(until, settled) if settled else until
    recent = dict(list(recent.items())[-MAX_RECENT:])
    return CompactionState(settled, recent, to_iso_z(now))
