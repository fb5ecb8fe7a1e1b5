"""The lake as reconciliation reads it: all figures at a glance, and the events behind some."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

import polars as pl
import stamina

from pipeline.contracts.names import Names
from pipeline.folding.domain import MONEY_TYPES
from pipeline.reconciliation import cells
from pipeline.runtime import aws
from pipeline.runtime.facts import CLICKSTREAM, ORDER_LINES, ORDERS, TABLES, Table, rows_of
from pipeline.runtime.lake import Lake


def lake_cells(names: Names) -> pl.DataFrame:
    """Every figure that the lake gives: curated tables plus the raw tail, each event once.

    Month by month, because no bucket is longer and memory is bounded.
    """
    lake = Lake(names)
    # The tail first: what compaction moves meanwhile is then read twice and counted once.
    tail = lake.read_raw(lake.pending())
    parts = {table.name: rows_of(table, tail) for table in TABLES}
    months = {date.fromisoformat(one.dt).replace(day=1) for table in TABLES
              for one in lake.list_objects(f"curated/{table.name}/")}  # fmt: skip
    months |= {dt.replace(day=1) for rows in parts.values() for dt in rows["dt"].unique()}
    found = [_month_cells(lake, month, parts) for month in sorted(months)]
    return pl.concat(found) if found else pl.DataFrame(schema=cells.CELL)


@stamina.retry(on=pl.exceptions.PolarsError, attempts=3, wait_initial=0.2)
def _month_cells(lake: Lake, since: date, tail: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    until = (since + timedelta(days=32)).replace(day=1)

    def read(table: Table, columns: Collection[str]) -> pl.LazyFrame:
        curated = lake.scan(table, since, until).select(columns)
        rows = tail[table.name].filter(pl.col("dt") >= since, pl.col("dt") < until)
        if not rows.height:
            return curated
        ids = rows["event_id"].unique()
        known = curated.select("event_id").filter(pl.col("event_id").is_in(ids.implode())).unique()
        fresh = rows.unique(list(table.identity)).join(known.collect(), on="event_id", how="anti")
        return pl.concat([curated, fresh.lazy().select(columns)])

    lines, moments = read(ORDER_LINES, cells.LINES), read(ORDERS, cells.MOMENTS)
    clicks = read(CLICKSTREAM, cells.CLICKS)
    return pl.concat([cells.of_lines(lines, moments), cells.of_clicks(clicks)])


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
