"""`make bench-compaction EVENTS=10000000`: made-up clicks of one day compacted, and the time and
memory that took.

Makes a lake of its own in the emulator, compacts it in a process of its own, counts what came of
it, and takes the lake away. Exit code 1 when a click is lost or doubled, or 2 GiB were taken.
"""

import argparse
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from pipeline.contracts.events import to_iso_z
from pipeline.contracts.names import CATALOGUE_SNAPSHOT, Names
from pipeline.runtime import aws
from pipeline.runtime.dynamo import to_item
from pipeline.runtime.facts import CLICKSTREAM, OF_PRODUCT, RAW
from pipeline.runtime.lake import Lake
from pipeline.runtime.packed import Packed

_DAY = datetime(1999, 12, 30, tzinfo=UTC)
_ROWS = 50_000  # of a raw file
_TWICE = 50  # one click in so many comes again, in the file behind its own
_LIMIT_MIB = 2_048
_GOODS = 100_000
_TABLES = ("analytics", "ops")


@dataclass(frozen=True, slots=True)
class Measured:
    """What went into a lake, what came out of it, and what the compaction between them took."""

    events: int
    raw_bytes: int
    rows: int
    distinct: int
    known: int  # that have got the attributes of their product
    sizes: tuple[int, ...]  # of the curated files, in bytes
    seconds: float
    peak_mib: float

    @property
    def is_good(self) -> bool:
        return (
            self.rows == self.distinct == self.known == self.events and self.peak_mib < _LIMIT_MIB
        )

    def __str__(self) -> str:
        sizes = ", ".join(f"{size / 1e6:.0f}" for size in self.sizes)
        return (
            f"{self.events:,} clicks, {self.raw_bytes / 1e6:,.0f} MB of raw files: "
            f"{self.rows:,} rows of {self.distinct:,} events in files of {sizes} MB; "
            f"{self.seconds:.0f} s, {self.events / self.seconds:,.0f}/s, "
            f"peak {self.peak_mib:,.0f} MiB"
        )


def raw_files(events: int) -> Iterator[pl.DataFrame]:
    """Raw frames of so many distinct clicks, in the order of their arrival, some of them twice."""
    again = pl.DataFrame(schema=RAW)
    for first in range(0, events, _ROWS):
        made = _clicks(first, min(_ROWS, events - first), events)
        yield pl.concat([made, again])
        again = made.gather_every(_TWICE)


def _clicks(first: int, number: int, events: int) -> pl.DataFrame:
    place = pl.col("place")
    visit = _digits((place // 8).hash(1) % 10**9, 16)
    goods = (place.hash(2) % _GOODS).cast(pl.String)
    # Spread over the day; up to a minute out of order.
    after_us = (place * (86_300_000_000 // events) + place.hash(3) % 60_000_000).cast(pl.Int64)
    payload = pl.concat_str(
        pl.lit('{"session_id":"01MSESSION'), visit, pl.lit('","anonymous_id":"01MBROWSER'), visit,
        pl.lit('","product_id":"goods-'), goods, pl.lit('","device":"phone","path":"/goods-'),
        goods, pl.lit('","referrer":"https://www.example.com/"}'),
    )  # fmt: skip
    made = pl.select(pl.int_range(first, first + number, dtype=pl.UInt64).alias("place")).select(
        # Like a ULID: 26 signs, of which the first follow the clock.
        pl.concat_str(
            pl.lit("01M"), _digits(after_us // 1_000, 13), _digits(place.hash(4) % 10**10, 10)
        ).alias("event_id"),
        pl.lit("shopper.product_viewed.v1").alias("event_type"),
        (pl.lit(_DAY) + pl.duration(microseconds=after_us)).alias("occurred_at"),
        pl.lit("browser").alias("source"),
        visit.alias("correlation_id"),
        visit.alias("partition_key"),
        pl.lit(True).alias("synthetic"),
        payload.alias("payload"),
        pl.lit("shardId-speed").alias("shard"),
        _digits(place, 20).alias("sequence_number"),
        (pl.lit(_DAY) + pl.duration(microseconds=after_us)).alias("arrived_at"),
    )  # fmt: skip
    return made.match_to_schema(RAW, missing_columns="insert", integer_cast="upcast").select(
        pl.col(name).cast(dtype) for name, dtype in RAW.items()
    )


def _digits(number: pl.Expr, width: int) -> pl.Expr:
    return number.cast(pl.String).str.zfill(width)


def make_lake(names: Names) -> None:
    """A bucket with a catalogue of all goods, and the tables that compaction writes."""
    s3 = aws.batch_client("s3")
    region = s3.meta.region_name
    where = {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=names.lake_bucket, **({} if region == "us-east-1" else where))
    Packed(names.lake_bucket, CATALOGUE_SNAPSHOT).write(_catalogue())
    for table in _TABLES:
        aws.batch_client("dynamodb").create_table(
            TableName=names.table(table), BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk")],
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
        )  # fmt: skip


def _catalogue() -> bytes:
    """Goods about as large as the shop's, with the attributes that clicks get."""
    lines = [json.dumps({"taken_at": to_iso_z(_DAY)})]
    for n in range(_GOODS):
        item = {
            "product_id": f"goods-{n}", "title": f"Floor lamp with a shade of linen, number {n}",
            "category": ["Home", f"Lighting {n % 40}"], "brand": f"Brand {n % 900}",
            "description": "x" * 500,
        }  # fmt: skip
        lines.append(json.dumps(to_item(item)))
    return "\n".join(lines).encode()


def fill_lake(names: Names, events: int) -> int:
    """Returns the bytes of its raw files."""
    size = 0
    for number, frame in enumerate(raw_files(events)):
        buffer = io.BytesIO()
        frame.write_parquet(buffer, compression="zstd", compression_level=1)
        key = f"raw/dt={_DAY:%Y-%m-%d}/hour=00/shardId-speed-{number:06d}-{number:06d}.parquet"
        aws.batch_client("s3").put_object(Bucket=names.lake_bucket, Key=key, Body=buffer.getvalue())
        size += buffer.tell()
    return size


def remove_lake(names: Names) -> None:
    s3 = aws.batch_client("s3")
    for one in Lake(names).list_objects(""):
        s3.delete_object(Bucket=names.lake_bucket, Key=one.key)
    s3.delete_bucket(Bucket=names.lake_bucket)
    for table in _TABLES:
        aws.batch_client("dynamodb").delete_table(TableName=names.table(table))
    glue = aws.batch_client("glue")
    with suppress(glue.exceptions.EntityNotFoundException):  # compaction makes it
        glue.delete_database(Name=names.glue_database)


def compact(names: Names) -> tuple[float, float]:
    """A compaction in a process of its own: (seconds, MiB resident at its peak).

    Raises: CalledProcessError when it fails.
    """
    command, began = [sys.executable, "-m", "pipeline.compaction", "--only"], time.monotonic()
    environment = os.environ | {"HAS_STAGE": names.stage, "HAS_SIGNALS": "off"}
    process = subprocess.Popen(command, env=environment)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return time.monotonic() - began, used.ru_maxrss / 1_024


def measure(names: Names, events: int) -> Measured:
    raw_bytes = fill_lake(names, events)
    seconds, peak_mib = compact(names)
    lake = Lake(names)
    files = lake.list_objects("curated/clickstream/")
    is_known = pl.all_horizontal(pl.col(name).is_not_null() for name in OF_PRODUCT)
    counted = lake.scan(CLICKSTREAM).select(
        pl.len(), pl.col("event_id").n_unique().alias("ids"), is_known.sum().alias("known")
    )
    rows, distinct, known = counted.collect(engine="streaming").row(0)
    sizes = tuple(one.size for one in files)
    return Measured(events, raw_bytes, rows, distinct, known, sizes, seconds, peak_mib)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-compaction", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    arguments = parser.parse_args()
    if not os.environ.get("AWS_ENDPOINT_URL"):
        parser.error("this makes tables and a bucket, so it wants the emulator: AWS_ENDPOINT_URL")
    names = Names(f"c{int(time.time()) % 10**8}")
    make_lake(names)
    try:
        measured = measure(names, arguments.events)
    finally:
        remove_lake(names)
    print(measured)
    return 0 if measured.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
