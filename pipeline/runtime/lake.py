"""Reading the lake: curated tables plus the raw tail that compaction has not reached yet.

For the console, the proof ledger and developers; `Lake(settings.names)` and ask. Frames of the
curated tables have the columns of `pipeline.runtime.facts`, with `dt: Date` (the UTC date an event
is booked on) in front.
"""

import io
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import polars as pl
import stamina

from pipeline.contracts import keys
from pipeline.contracts.names import Names
from pipeline.runtime import aws
from pipeline.runtime.facts import (
    CLICKSTREAM,
    ORDER_LINES,
    ORDERS,
    QUARANTINE,
    RAW,
    Table,
    rows_of,
)

# The stream keeps a record for 24 h, so nothing can land in an older partition than that.
_LATEST_LANDING = timedelta(days=2)
_READERS = 8
# Of raw Parquet read at once; in memory it is about ten times that.
MAX_GROUP_BYTES = 24_000_000


@dataclass(frozen=True, slots=True)
class LakeObject:
    key: str
    etag: str
    size: int
    modified_at: datetime

    @property
    def dt(self) -> str:
        """`2011-12-09` of `…/dt=2011-12-09/…`."""
        return self.key.partition("dt=")[2][:10]


@dataclass(frozen=True, slots=True)
class CompactionState:
    """What compaction has merged: everything changed before `settled_until`, and `recent` since.

    `recent` maps a key to the ETag that was merged: a rewritten file counts as new.
    """

    settled_until: datetime | None = None
    recent: dict[str, str] = field(default_factory=dict)
    compacted_at: str | None = None

    def has(self, found: LakeObject) -> bool:
        if self.settled_until is not None and found.modified_at < self.settled_until:
            return True
        return self.recent.get(found.key) == found.etag


def read_state(names: Names) -> CompactionState:
    item = aws.table(names.table("ops")).get_item(
        Key=keys.compaction_state(), ConsistentRead=True
    ).get("Item")  # fmt: skip
    if not item:
        return CompactionState()
    return CompactionState(
        settled_until=datetime.fromisoformat(item["settled_until"]),
        recent=json.loads(zlib.decompress(bytes(item["recent"]))),
        compacted_at=item["compacted_at"],
    )


class Lake:
    """A reader of one stage's lake; holds no data, so it may live as long as the process."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._bucket = names.lake_bucket

    def order_lines(
        self, since: date | None = None, until: date | None = None, *, fresh: bool = True
    ) -> pl.DataFrame:
        """DataFrame[dt, order_id, line_no, placed_at, customer_id, country, sku, product_id, title,
        category, quantity, unit_price_minor, line_total_minor, currency, kind, source, synthetic,
        event_id], one row per line sold or given back.

        Args: `since` inclusive, `until` exclusive, by booking date; `fresh` adds the raw tail.
        """
        return self._read(ORDER_LINES, since, until, fresh)

    def orders(
        self, since: date | None = None, until: date | None = None, *, fresh: bool = True
    ) -> pl.DataFrame:
        """DataFrame[dt, event_id, event_type, occurred_at, order_id, version, status, placed_at,
        customer_id, country, currency, lines, units, subtotal_minor, discount_minor,
        shipping_minor, tax_minor, total_minor, refund_id, source, synthetic], one row per order
        event."""
        return self._read(ORDERS, since, until, fresh)

    def clickstream(
        self, since: date | None = None, until: date | None = None, *, fresh: bool = True
    ) -> pl.DataFrame:
        """DataFrame[dt, event_id, event_type, occurred_at, session_id, anonymous_id, customer_id,
        product_id, sku, title, category, brand, query, results_count, referrer, device, path,
        order_id, source, synthetic], one row per browser event."""
        return self._read(CLICKSTREAM, since, until, fresh)

    def events(
        self, *event_types: str, since: date | None = None, until: date | None = None
    ) -> pl.DataFrame:
        """Distinct raw events of these types (all without any): the raw frame of landing.

        Args: `since` inclusive, `until` exclusive, by **arrival** date.
        """
        found = [one for one in self.list_objects("raw/", since) if _within(one, None, until)]
        events = self.read_raw(found)
        if event_types:
            events = events.filter(pl.col("event_type").is_in(event_types))
        return events.unique(["event_id", "event_type"], maintain_order=True)

    def quarantined(self, since: date | None = None, until: date | None = None) -> pl.DataFrame:
        """DataFrame[event_id: str?, reason, detail, body, source: str?, arrived_at, shard,
        sequence_number], one row per refused body of an event; dates by arrival."""
        found = [o for o in self.list_objects("quarantine/", since) if _within(o, None, until)]
        frames = [frame for frame in self.read_objects(found) if frame.height]
        rows = pl.concat(frames) if frames else pl.DataFrame(schema=QUARANTINE)
        record = pl.concat_str("shard", "sequence_number", separator=":")
        # A replay sends its refused rows again; another body of the same id is another refusal.
        same = rows.with_columns(pl.coalesce("event_id", record).alias("same"))
        return same.unique(["same", "body"], keep="first", maintain_order=True).drop("same")

    def pending(self, state: CompactionState | None = None) -> list[LakeObject]:
        """Raw files that compaction has not merged yet, oldest first."""
        state = state or read_state(self._names)
        since = None
        if state.settled_until is not None:
            since = (state.settled_until - _LATEST_LANDING).date()
        found = [one for one in self.list_objects("raw/", since) if not state.has(one)]
        return sorted(found, key=lambda one: (one.modified_at, one.key))

    def list_objects(self, prefix: str, since: date | None = None) -> list[LakeObject]:
        """Objects under a `dt=` partitioned prefix, from a date on."""
        start = {"StartAfter": f"{prefix}dt={since.isoformat()}"} if since else {}
        pages = aws.batch_client("s3").get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix, **start
        )  # fmt: skip
        return [
            LakeObject(item["Key"], item["ETag"], item["Size"], item["LastModified"])
            for page in pages
            for item in page.get("Contents", [])
        ]

    def read_objects(
        self, objects: Iterable[LakeObject], columns: Sequence[str] | None = None
    ) -> list[pl.DataFrame]:
        """The Parquet files, in order; all columns, or some."""
        keys = [one.key for one in objects]
        with ThreadPoolExecutor(_READERS) as pool:
            return list(pool.map(lambda key: self._read_object(key, columns), keys))

    def read_raw(
        self, objects: Sequence[LakeObject], columns: Sequence[str] = tuple(RAW)
    ) -> pl.DataFrame:
        """The raw frame of these files, or some columns, every delivery of an event included."""
        frames = [frame for frame in self.read_objects(objects, columns) if frame.height]
        if not frames:
            return pl.DataFrame(schema={name: RAW[name] for name in columns})
        return pl.concat(frames)

    def scan(
        self, table: Table, since: date | None = None, until: date | None = None
    ) -> pl.LazyFrame:
        """LazyFrame[dt, …], the curated rows booked since a date and before another, without the
        raw tail: only the columns that are used are read. Collecting raises PolarsError when
        compaction replaces a file meanwhile: scan again."""
        listed = self.list_objects(f"curated/{table.name}/", since)
        found = [one for one in listed if _within(one, since, until)]
        if not found:
            return pl.LazyFrame(schema={"dt": pl.Date, **table.columns})
        return self.scan_objects(table, found)

    def scan_objects(self, table: Table, objects: Sequence[LakeObject]) -> pl.LazyFrame:
        """As `scan`, of some files of a curated table."""
        return pl.scan_parquet(
            [f"s3://{self._bucket}/{one.key}" for one in objects],
            storage_options=aws.s3_storage_options(),
            hive_schema={"dt": pl.Date},
            # A file has the columns that its table had when it was written.
            schema=table.columns,
            missing_columns="insert",
            extra_columns="ignore",
        ).select("dt", *table.columns)

    @stamina.retry(on=pl.exceptions.PolarsError, attempts=3, wait_initial=0.2)
    def _read_curated(self, table: Table, objects: Sequence[LakeObject]) -> pl.DataFrame:
        """Read again when compaction replaces one meanwhile."""
        return self.scan_objects(table, objects).collect()

    def _read_object(self, key: str, columns: Sequence[str] | None) -> pl.DataFrame:
        answer = aws.batch_client("s3").get_object(Bucket=self._bucket, Key=key)
        body = io.BytesIO(answer["Body"].read())
        return pl.read_parquet(body, columns=list(columns) if columns else None)

    def _read(
        self, table: Table, since: date | None, until: date | None, fresh: bool
    ) -> pl.DataFrame:
        # The tail first: what compaction moves meanwhile is then read twice and counted once.
        tail = rows_of(table, self.read_raw(self.pending())) if fresh else None
        found = self.list_objects(f"curated/{table.name}/", since)
        objects = [one for one in found if _within(one, since, until)]
        frames = [self._read_curated(table, objects)] if objects else []
        if tail is not None and tail.height:
            wanted = [pl.lit(True)]
            wanted += [pl.col("dt") >= since] if since else []
            wanted += [pl.col("dt") < until] if until else []
            frames.append(tail.filter(pl.all_horizontal(wanted)))
            return pl.concat(frames).unique(list(table.identity), keep="first", maintain_order=True)
        if not frames:
            return pl.DataFrame(schema={"dt": pl.Date, **table.columns})
        return pl.concat(frames)


def groups(found: Sequence[LakeObject]) -> Iterator[list[LakeObject]]:
    """Raw files in order, cut where a group would exceed the bytes that fit in memory."""
    group: list[LakeObject] = []
    size = 0
    for one in found:
        if group and size + one.size > MAX_GROUP_BYTES:
            yield group
            group, size = [], 0
        group.append(one)
        size += one.size
    if group:
        yield group


def _within(found: LakeObject, since: date | None, until: date | None) -> bool:
    return (since is None or found.dt >= since.isoformat()) and (
        until is None or found.dt < until.isoformat()
    )
