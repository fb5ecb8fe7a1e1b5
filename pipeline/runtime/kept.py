"""Curated tables read through copies on this machine, so that a second question costs one listing.

Each question asks S3 which objects there are, and fetches those whose ETag is new: what is read is
what S3 has, as with `Lake.scan`, without hundreds of requests for days that never change.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import polars as pl
import stamina
from botocore.exceptions import ClientError

from pipeline.contracts.names import Names
from pipeline.runtime import aws
from pipeline.runtime.clock import new_id
from pipeline.runtime.facts import Table
from pipeline.runtime.lake import Lake, LakeObject

_READERS = 8
_REPLACED = frozenset({"PreconditionFailed", "NoSuchKey", "404", "412"})


class _Replaced(Exception):
    """Compaction replaced an object since it was listed: list again."""


class KeptTables:
    """Copies under a folder of the caller's, one file per date and table at most."""

    def __init__(self, names: Names, folder: Path) -> None:
        self._lake, self._bucket = Lake(names), names.lake_bucket
        self._folder = folder / names.stage

    def scan(self, table: Table, since: date | None = None) -> pl.LazyFrame:
        """LazyFrame[dt, …], the curated rows booked since a date, without the raw tail.

        Raises: ClientError or BotoCoreError when S3 does not answer.
        """
        paths = self._fetched(table, since)
        if not paths:
            return pl.LazyFrame(schema={"dt": pl.Date, **table.columns})
        rows = pl.scan_parquet(paths, hive_partitioning=True)
        return rows.select(pl.col("dt").cast(pl.Date), *table.columns)

    @stamina.retry(on=_Replaced, attempts=4, wait_initial=0.1)
    def _fetched(self, table: Table, since: date | None) -> list[Path]:
        found = self._lake.list_objects(f"curated/{table.name}/", since)
        wanted = {self._path_of(one): one for one in found}
        new = [path for path in wanted if not path.exists()]
        with ThreadPoolExecutor(_READERS) as pool:
            list(pool.map(lambda path: self._fetch(wanted[path], path), new))
        return list(wanted)

    def _path_of(self, one: LakeObject) -> Path:
        folder = self._folder / one.key.rpartition("/")[0]
        etag = one.etag.strip('"')
        return folder / f"{etag}.parquet"

    def _fetch(self, one: LakeObject, path: Path) -> None:
        client = aws.batch_client("s3")
        try:
            answer = client.get_object(Bucket=self._bucket, Key=one.key, IfMatch=one.etag)
            body = answer["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] in _REPLACED:
                raise _Replaced(one.key) from error
            raise
        path.parent.mkdir(parents=True, exist_ok=True)
        former = list(path.parent.glob("*.parquet"))
        # In one step: who reads at the same time has the whole file or none.
        half = path.with_suffix(f".{new_id()}")
        half.write_bytes(body)
        half.replace(path)
        for old in former:
            old.unlink(missing_ok=True)
