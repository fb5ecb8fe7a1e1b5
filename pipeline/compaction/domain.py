"""What compaction decides: which raw files to merge together, and what the next state is."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl

from pipeline.contracts.events import to_iso_z
from pipeline.runtime.facts import Table, conformed, deduplicated
from pipeline.runtime.lake import CompactionState, LakeObject

# S3 may show an object a little after its LastModified, so the newest minutes are told by ETag.
SETTLING = timedelta(minutes=5)
MAX_RECENT = 2_000


def merged(table: Table, existing: pl.DataFrame | None, added: pl.DataFrame) -> pl.DataFrame:
    """One date's file with new rows merged in: the same whether they were in it already or not."""
    rows = added.select(list(table.columns))
    if existing is not None:
        rows = pl.concat([conformed(table, existing), rows])
    return deduplicated(table, rows)


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
