"""`make bench-funnel SESSIONS=3200000`: the sessions of ten days counted, and the time and memory
that took: the first time, after one date has changed, and when none has.

Makes a lake of its own in the emulator, with curated clicks as compaction writes them, counts in a
process of its own, compares the aggregates with the figures that the clicks were made from, and
takes the lake away. Exit code 1 when one is wrong, or 1 GiB was taken.
"""

import argparse
import io
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context

import polars as pl

from loadgen.compaction_speed import compact, make_lake, remove_lake
from pipeline.contracts import keys
from pipeline.contracts.funnel import STEPS
from pipeline.contracts.names import Names
from pipeline.runtime import aws
from pipeline.runtime.facts import CLICKSTREAM

_FIRST = datetime(1999, 12, 20, tzinfo=UTC)
_DAYS = 10
_KINDS = ("page_viewed", "product_viewed", "cart_changed")  # of each session, on its day
_LATE = 10  # one session in so many comes back the day after, and orders
_ROW_GROUP = 100_000
_LIMIT_MIB = 1_024


@dataclass(frozen=True, slots=True)
class Counted:
    """What one run took, and whether the items were right after it."""

    what: str
    seconds: float
    peak_mib: float
    is_right: bool

    def __str__(self) -> str:
        verdict = "right" if self.is_right else "WRONG"
        return f"{self.what}: {self.seconds:.1f} s, peak {self.peak_mib:,.0f} MiB, {verdict}"


def clicks_of(day: int, sessions: int) -> pl.DataFrame:
    """A day's curated clicks: of its own sessions, and the orders of some of the day before's."""
    kinds = [(day, kind, 1) for kind in _KINDS]
    kinds += [(day - 1, "order_completed", _LATE)] if day else []
    rows = pl.concat(
        _clicks(day, began, sessions, number, kind, every)
        for number, (began, kind, every) in enumerate(kinds)
    )
    made = rows.match_to_schema(CLICKSTREAM.columns, missing_columns="insert")
    return made.select(list(CLICKSTREAM.columns)).sort(CLICKSTREAM.order)


def _clicks(
    day: int, began: int, sessions: int, number: int, kind: str, every: int
) -> pl.DataFrame:
    """One of every so many sessions that began on a day, `number` minutes after its first."""
    place = pl.col("place")
    after_us = (place * (86_000_000_000 // sessions) + number * 60_000_000).cast(pl.Int64)
    session = (place + began * sessions).hash(1).cast(pl.String).str.zfill(20)
    made = pl.select(pl.int_range(0, sessions, every, dtype=pl.UInt64).alias("place"))
    return made.select(
        pl.concat_str(
            pl.lit(f"01M{day:02}{number}"), place.cast(pl.String).str.zfill(10),
            (place.hash(2) % 10**10).cast(pl.String).str.zfill(10),
        ).alias("event_id"),
        pl.lit(f"shopper.{kind}.v1").alias("event_type"),
        (pl.lit(_FIRST + timedelta(days=day)) + pl.duration(microseconds=after_us)).alias(
            "occurred_at"
        ),
        (pl.lit("01MS") + session).alias("session_id"),
        (pl.lit("01MB") + session).alias("anonymous_id"),
        (pl.lit("goods-") + (place.hash(3) % 100_000).cast(pl.String)).alias("product_id"),
        pl.lit("browser").alias("source"),
        pl.lit(True).alias("synthetic"),
    )  # fmt: skip


def expected(days: int, sessions: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """(day, sessions that reached each of STEPS) of the clicks of so many days."""
    for day in range(days):
        late = len(range(0, sessions, _LATE)) if day + 1 < days else 0
        yield f"{_FIRST + timedelta(days=day):%Y-%m-%d}", (sessions,) * 3 + (late, late)


def put(names: Names, day: int, sessions: int) -> None:
    buffer = io.BytesIO()
    clicks_of(day, sessions).write_parquet(
        buffer, compression="zstd", compression_level=3, row_group_size=_ROW_GROUP
    )
    key = f"curated/{CLICKSTREAM.name}/dt={_FIRST + timedelta(days=day):%Y-%m-%d}/part-0.parquet"
    aws.batch_client("s3").put_object(Bucket=names.lake_bucket, Key=key, Body=buffer.getvalue())


def counted(names: Names, what: str, days: int, sessions: int) -> Counted:
    seconds, peak_mib = compact(names)
    found = aws.batch_client("dynamodb").query(
        TableName=names.table("analytics"), ConsistentRead=True, KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": keys.funnel_partition("synthetic")}},
    )["Items"]  # fmt: skip
    items = [(one["sk"]["S"], tuple(int(one[step]["N"]) for step in STEPS)) for one in found]
    return Counted(what, seconds, peak_mib, items == list(expected(days, sessions)))


def measure(names: Names, sessions: int) -> Iterator[Counted]:
    # In another process: the peak of one that is begun counts from its parent's.
    with ProcessPoolExecutor(1, get_context("spawn")) as elsewhere:
        for day in range(_DAYS):
            elsewhere.submit(put, names, day, sessions).result()
        yield counted(names, "all dates for the first time", _DAYS, sessions)
        elsewhere.submit(put, names, _DAYS, sessions).result()
    yield counted(names, "one date more", _DAYS + 1, sessions)
    yield counted(names, "no date changed", _DAYS + 1, sessions)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-funnel", description=__doc__)
    parser.add_argument("--sessions", type=int, default=3_200_000)
    each = parser.parse_args().sessions // _DAYS
    if not os.environ.get("AWS_ENDPOINT_URL"):
        parser.error("this makes tables and a bucket, so it wants the emulator: AWS_ENDPOINT_URL")
    names, is_good = Names(f"f{int(time.time()) % 10**8}"), True
    make_lake(names)
    try:
        for one in measure(names, each):
            print(one, flush=True)
            is_good = is_good and one.is_right and one.peak_mib < _LIMIT_MIB
    finally:
        remove_lake(names)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
