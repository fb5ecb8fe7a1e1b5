"""How the lake stands: what waits for compaction, how new its newest events are, how it is cut."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

import polars as pl

from pipeline.contracts import keys
from pipeline.contracts.names import Names
from pipeline.observer.readings import Gauge
from pipeline.runtime import aws
from pipeline.runtime.clock import Clock, now
from pipeline.runtime.facts import CLICKSTREAM, ORDERS, TABLES
from pipeline.runtime.lake import Lake, LakeObject, read_state

# Landing writes a file for each batch, also one without a row: of the newest, this many are opened.
_OPENED = 5
_RECENT = timedelta(days=1)


def read_lake(names: Names) -> Iterator[Gauge]:
    """How old the oldest raw file is that no curated table has yet; 0 when there is none."""
    pending = Lake(names).pending(read_state(names))
    oldest = min((found.modified_at for found in pending), default=None)
    age_s = (datetime.now(UTC) - oldest).total_seconds() if oldest else 0.0
    yield Gauge("Freshness", max(0.0, age_s), "Seconds", {"Layer": "curated"})
    yield Gauge("UncompactedFiles", len(pending), "Count", {})


def read_newest(names: Names, clock: Clock = now) -> Iterator[Gauge]:
    """How long ago the newest live event of each layer happened; nothing of a layer without one.

    Unlike `Freshness` it grows while nothing happens. A day back is the furthest it looks.
    """
    at, lake = clock(), Lake(names)
    newest = {
        "aggregates": _newest_folded(names),
        "raw": _newest_raw(lake, at),
        "curated": _newest_curated(lake, at),
    }
    for layer, occurred_at in newest.items():
        if occurred_at is not None:
            age_s = max(0.0, (at - occurred_at).total_seconds())
            yield Gauge("NewestEventAge", age_s, "Seconds", {"Layer": layer})


def _newest_folded(names: Names) -> datetime | None:
    item = aws.plain_client("dynamodb").get_item(
        TableName=names.table("analytics"),
        Key={name: {"S": value} for name, value in keys.progress("folding").items()},
        ProjectionExpression="newest_occurred_at",
    ).get("Item", {})  # fmt: skip
    return datetime.fromisoformat(item["newest_occurred_at"]["S"]) if item else None


def _newest_raw(lake: Lake, at: datetime) -> datetime | None:
    found = lake.list_objects("raw/", (at - _RECENT).date())
    newest = sorted(found, key=lambda one: one.modified_at)[-_OPENED:]
    frames = [frame.lazy() for frame in lake.read_objects(newest)]
    return _newest(frames)


def _newest_curated(lake: Lake, at: datetime) -> datetime | None:
    since = (at - _RECENT).date()
    return _newest([lake.scan(table, since) for table in (ORDERS, CLICKSTREAM)])


def _newest(frames: Iterable[pl.LazyFrame]) -> datetime | None:
    live = [frame.filter(pl.col("source") != "replay").select("occurred_at") for frame in frames]
    if not live:
        return None
    found: datetime | None = pl.concat(live).max().collect(engine="streaming").item()
    return found


def read_partitions(names: Names, clock: Clock = now) -> Iterator[Gauge]:
    """Files and bytes of each table's newest date, and of the largest one of a curated table."""
    lake, since = Lake(names), (clock() - _RECENT).date()
    for prefix in ("raw", "quarantine"):
        dates = _by_date(lake.list_objects(f"{prefix}/", since))
        yield from _sizes(prefix, "newest", dates, max(dates, default=None))
    for table in TABLES:
        dates = _by_date(lake.list_objects(f"curated/{table.name}/"))
        yield from _sizes(table.name, "newest", dates, max(dates, default=None))
        largest = max(dates, key=lambda dt: sum(dates[dt]), default=None)
        yield from _sizes(table.name, "largest", dates, largest)


def _by_date(found: Iterable[LakeObject]) -> dict[str, list[int]]:
    """Date to the bytes of its files."""
    dates: dict[str, list[int]] = defaultdict(list)
    for one in found:
        dates[one.dt].append(one.size)
    return dates


def _sizes(table: str, which: str, dates: dict[str, list[int]], dt: str | None) -> Iterator[Gauge]:
    if dt is not None:
        of = {"Table": table, "Partition": which}
        yield Gauge("PartitionFiles", len(dates[dt]), "Count", of)
        yield Gauge("PartitionBytes", sum(dates[dt]), "Bytes", of)
