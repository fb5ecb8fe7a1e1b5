"""The curated files of a date: `curated/<table>/dt=<date>/part-0.parquet`, `part-1`, …

A date has one file until that is full, then another: a row never moves from file to file, and each
is replaced as a whole, so that whoever lists the date at any moment sees each fact at most once.
"""

import io
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any

import polars as pl
import stamina
from polars.io.plugins import register_io_source

from pipeline.compaction.domain import FULL_BYTES, PART_ROWS, merged, merged_parts, unknown_rows
from pipeline.contracts.names import Names
from pipeline.runtime import aws, s3
from pipeline.runtime.facts import Table
from pipeline.runtime.lake import Lake

# Merged in memory up to this, eight at a time: a click takes 30 bytes of a file, and 500 there.
_SMALL_BYTES = 2_000_000


class Changed(Exception):
    """Somebody replaced the file since it was read: read and merge again."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a merge did: rows that were new, and the size of the file that has them now."""

    rows: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class _Found:
    """A file as it was read: a replacement is made on the condition that it still is that."""

    key: str
    etag: str
    size: int
    body: Any


class CuratedFiles:
    """Merges rows into dates. Args: `full_bytes`, beyond which a file takes no more rows, and
    `small_bytes`, up to which it is merged in memory."""

    def __init__(
        self, names: Names, full_bytes: int = FULL_BYTES, small_bytes: int = _SMALL_BYTES
    ) -> None:
        self._bucket = names.lake_bucket
        self._lake = Lake(names)
        self._full_bytes, self._small_bytes = full_bytes, small_bytes
        self._disk = Lock()  # one large file at a time, so that memory and disk have a bound

    @stamina.retry(on=Changed, attempts=5, wait_initial=0.1, wait_max=2)
    def merge(self, table: Table, dt: str, added: pl.DataFrame) -> Written:
        """Merges rows into a date. A writer in between loses nothing.

        Raises: Changed when files are replaced again and again; ClientError.
        """
        first = f"curated/{table.name}/dt={dt}/part-0.parquet"
        found = self._get(first)
        if found is None:
            return self._put(first, table, merged(table, None, added), None)
        if found.size < self._full_bytes:
            return self._merge_into(found, table, added)
        found.body.close()
        return self._merge_behind(table, dt, added)

    def _merge_behind(self, table: Table, dt: str, added: pl.DataFrame) -> Written:
        """Into the last file of several, less what the full ones have."""
        listed = self._lake.list_objects(f"curated/{table.name}/dt={dt}/")
        parts = {_number(one.key): one for one in listed}
        last = parts[max(parts)]
        full = [one for one in listed if one.size >= self._full_bytes]
        fresh = unknown_rows(table, added, [self._scan(table, one.key) for one in full])
        if fresh.is_empty():
            return Written()
        if last.size >= self._full_bytes:
            key = f"curated/{table.name}/dt={dt}/part-{max(parts) + 1}.parquet"
            return self._put(key, table, fresh, None)
        found = self._get(last.key)
        if found is None or found.size >= self._full_bytes:
            raise Changed(last.key)
        return self._merge_into(found, table, fresh)

    def _merge_into(self, found: _Found, table: Table, added: pl.DataFrame) -> Written:
        if found.size <= self._small_bytes:
            existing = pl.read_parquet(io.BytesIO(found.body.read()))
            written = self._put(found.key, table, merged(table, existing, added), found.etag)
            return Written(written.rows - existing.height, written.bytes)
        found.body.close()
        with self._disk, TemporaryDirectory(prefix="merge-") as folder:
            same = self._get(found.key)
            if same is None or same.etag != found.etag:
                raise Changed(found.key)
            return self._merge_on_disk(same, table, added, Path(folder))

    def _merge_on_disk(
        self, found: _Found, table: Table, added: pl.DataFrame, folder: Path
    ) -> Written:
        """A part of the rows at a time: memory does not grow with the file."""
        before, after = folder / "before.parquet", folder / "after.parquet"
        with before.open("wb") as file:
            shutil.copyfileobj(found.body, file, 1 << 20)
        existing = pl.scan_parquet(before, low_memory=True)
        fresh = unknown_rows(table, added, [existing])
        if fresh.is_empty():
            return Written()
        _as_frame(table, merged_parts(table, existing, fresh)).sink_parquet(
            after, compression="zstd", compression_level=3, row_group_size=PART_ROWS,
            engine="streaming",
        )  # fmt: skip
        with after.open("rb") as file:
            self._put_body(found.key, file, found.etag)
        return Written(fresh.height, after.stat().st_size)

    def _scan(self, table: Table, key: str) -> pl.LazyFrame:
        return pl.scan_parquet(
            f"s3://{self._bucket}/{key}", storage_options=aws.s3_storage_options(),
            hive_partitioning=False,
        ).select(table.identity)  # fmt: skip

    def _get(self, key: str) -> _Found | None:
        client = aws.batch_client("s3")
        try:
            answer = client.get_object(Bucket=self._bucket, Key=key)
        except client.exceptions.NoSuchKey:
            return None
        return _Found(key, answer["ETag"], answer["ContentLength"], answer["Body"])

    def _put(self, key: str, table: Table, rows: pl.DataFrame, etag: str | None) -> Written:
        buffer = io.BytesIO()
        rows.write_parquet(
            buffer, compression="zstd", compression_level=3, row_group_size=PART_ROWS
        )
        self._put_body(key, buffer.getvalue(), etag)
        return Written(rows.height, buffer.tell())

    def _put_body(self, key: str, body: Any, etag: str | None) -> None:
        if not s3.put_over(self._bucket, key, body, etag):
            raise Changed(key)


def _number(key: str) -> int:
    """7 of `…/part-7.parquet`."""
    return int(key.rpartition("part-")[2].removesuffix(".parquet"))


def _as_frame(table: Table, parts: Iterator[pl.DataFrame]) -> pl.LazyFrame:
    """Frames as they are made, for polars' streaming engine."""

    def made(
        columns: Sequence[str] | None, _: pl.Expr | None, __: int | None, ___: int | None
    ) -> Iterator[pl.DataFrame]:
        return (part.select(columns) if columns else part for part in parts)

    return register_io_source(made, schema=table.columns)
