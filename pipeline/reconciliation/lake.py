"""The lake as reconciliation reads it: all figures at a glance, and the events behind some."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

import polars as pl
import stamina

from pipeline.contracts.names import Names
from pipeline.folding.domain import MONEY_TYPES
from pipeline.reconciliation import cells
from pipeline.runtime import aws
from pipeline.runtime.facts import CLICKSTREAM, ORDER_LINES, ORDERS, Table, rows_of
from pipeline.runtime.lake import Lake


@stamina.retry(on=pl.exceptions.PolarsError, attempts=3, wait_initial=0.2)
def lake_cells(names: Names) -> pl.DataFrame:
    """Every figure that the lake gives: curated tables plus the raw tail, each event once."""
    lake = Lake(names)
    # The tail first: what compaction moves meanwhile is then read twice and counted once.
    tail = lake.read_raw(lake.pending())
    lines = _with_tail(lake, ORDER_LINES, cells.LINES, tail)
    moments = _with_tail(lake, ORDERS, cells.MOMENTS, tail)
    clicks = _with_tail(lake, CLICKSTREAM, cells.CLICKS, tail)
    return pl.concat([cells.of_lines(lines, moments), cells.of_clicks(clicks)])


def _with_tail(
    lake: Lake, table: Table, columns: Collection[str], tail: pl.DataFrame
) -> pl.LazyFrame:
    curated = lake.scan(table).select(columns)
    rows = rows_of(table, tail)
    if not rows.height:
        return curated
    ids = rows["event_id"].unique()
    known = curated.select("event_id").filter(pl.col("event_id").is_in(ids.implode())).unique()
    fresh = rows.unique(list(table.identity)).join(known.collect(), on="event_id", how="anti")
    return pl.concat([curated, fresh.lazy().select(columns)])


class RawEvents:
    """Raw files, each read once; asked again, only those that landed since."""

    def __init__(self, names: Names, event_types: Iterable[str] = MONEY_TYPES) -> None:
        self._lake = Lake(names)
        self._bucket = names.lake_bucket
        self._types = list(event_types)
        self._read: dict[str, str] = {}

    def fresh(self, spans: Sequence[tuple[datetime, datetime]]) -> pl.DataFrame:
        """The raw frame of events that occurred in one of the spans, from files not read yet."""
        files = [o for o in self._lake.list_objects("raw/") if self._read.get(o.key) != o.etag]
        self._read |= {one.key: one.etag for one in files}
        if not files or not spans:
            return self._lake.read_raw([])
        at = pl.col("occurred_at")
        within = [(at >= since) & (at < until) for since, until in spans]
        rows = pl.scan_parquet(
            [f"s3://{self._bucket}/{one.key}" for one in files],
            storage_options=aws.s3_storage_options(),
        ).filter(
            at >= min(since for since, _ in spans),
            at < max(until for _, until in spans),
            pl.col("event_type").is_in(self._types),
            pl.any_horizontal(within),
        )
        return rows.collect()
