"""Curated tables read through copies on this machine, so that a second question costs one listing.

A day is an object, and a year is hundreds of requests. Each question asks S3 which objects there
are; months in which none changed are read from one file here. What is read is what S3 has.
"""

import io
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import polars as pl
import stamina
from botocore.exceptions import ClientError

from pipeline.contracts.names import Names
from pipeline.runtime import aws
from pipeline.runtime.clock import new_id
from pipeline.runtime.facts import Table, conformed
from pipeline.runtime.lake import Lake, LakeObject
from pipeline.runtime.packs import digest

_READERS = 8
_GONE = frozenset({"PreconditionFailed", "NoSuchKey", "404", "412"})


class _Replaced(Exception):
    """Compaction replaced an object since it was listed: list again."""


class KeptTables:
    """Copies under a folder of the caller's: one file per month and table."""

    def __init__(self, names: Names, folder: Path) -> None:
        self._lake, self._bucket = Lake(names), names.lake_bucket
        self._folder = folder / names.stage

    def scan(self, table: Table, since: date | None = None) -> pl.LazyFrame:
        """LazyFrame[dt, …], the curated rows booked since a date, without the raw tail.

        Raises: ClientError or BotoCoreError when S3 does not answer.
        """
        paths = self._months(table, since)
        if not paths:
            return pl.LazyFrame(schema={"dt": pl.Date, **table.columns})
        rows = pl.scan_parquet(paths).select("dt", *table.columns)
        return rows.filter(pl.col("dt") >= since) if since else rows

    @stamina.retry(on=_Replaced, attempts=4, wait_initial=0.1)
    def _months(self, table: Table, since: date | None) -> list[Path]:
        # Whole months, or every other question would change what is kept.
        first = since.replace(day=1) if since else None
        by_month: dict[str, list[LakeObject]] = defaultdict(list)
        for one in self._lake.list_objects(f"curated/{table.name}/", first):
            by_month[one.dt[:7]].append(one)
        return [self._kept(table, month, found) for month, found in by_month.items()]

    def _kept(self, table: Table, month: str, found: Sequence[LakeObject]) -> Path:
        name = f"{month}-{digest(table.columns, found)}.parquet"
        path = self._folder / table.name / name
        if path.exists():
            return path
        with ThreadPoolExecutor(_READERS) as pool:
            rows = pl.concat(pool.map(lambda one: self._read(table, one), found))
        path.parent.mkdir(parents=True, exist_ok=True)
        former = list(path.parent.glob(f"{month}-*"))
        # In one step: who asks at the same time has the whole file or none.
        half = path.with_suffix(f".{new_id()}")
        rows.write_parquet(half, compression="zstd", compression_level=1)
        half.replace(path)
        for old in former:
            old.unlink(missing_ok=True)
        return path

    def _read(self, table: Table, one: LakeObject) -> pl.DataFrame:
        client = aws.batch_client("s3")
        try:
            answer = client.get_object(Bucket=self._bucket, Key=one.key, IfMatch=one.etag)
            body = answer["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] in _GONE:
                raise _Replaced(one.key) from error
            raise
        day = pl.lit(date.fromisoformat(one.dt)).alias("dt")
        return conformed(table, pl.read_parquet(io.BytesIO(body))).with_columns(day)
