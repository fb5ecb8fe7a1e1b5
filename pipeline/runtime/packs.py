"""Curated tables in files of a useful size: the small dates of a month as one pack.

A date of a small shop is a few kilobytes, so that a year is hundreds of requests. Compaction ends
by writing what changed into packs (`packed/<table>/<month>-<digest of its dates>.parquet`), which
never change, and a list of the current ones; it begins by putting a mark, each time another one, in
the list's place. So whoever finds a list sees the curated tables as they are, and who finds none
reads the dates themselves; and a list is written only over the mark that stood when it was begun.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from hashlib import sha256

import polars as pl

from pipeline.contracts.names import Names
from pipeline.runtime import aws
from pipeline.runtime.facts import Table
from pipeline.runtime.lake import Lake, LakeObject
from pipeline.runtime.packed import Packed

# Table -> month (`2011-12`) -> the key of its pack, or null where its dates are large enough alone.
PackList = Mapping[str, Mapping[str, str | None]]
LIST_KEY = "packed/list-v1.json.gz"
# In the place of a list while there is none: who took it away.
AWAY = "away"


def digest(columns: Iterable[str], files: Sequence[LakeObject]) -> str:
    """Of what rows are made of: the same objects and columns give the same."""
    text = "\n".join([*columns, *(f"{one.key} {one.etag}" for one in files)])
    return sha256(text.encode()).hexdigest()[:16]


def read_list(names: Names) -> PackList | None:
    """None while there is none. Raises: ClientError, BotoCoreError; ValueError for a broken one."""
    content = Packed(names.lake_bucket, LIST_KEY).read()
    found: PackList = {} if content is None else json.loads(content)
    return None if not found or AWAY in found else found


class PackedTables:
    """A reader of the packs of one stage; as `Lake.scan`, in fewer requests."""

    def __init__(self, names: Names) -> None:
        self._names, self._lake = names, Lake(names)

    def scan(self, table: Table, since: date | None = None) -> pl.LazyFrame:
        """LazyFrame[dt, …], the curated rows booked since a date, without the raw tail.

        Collecting raises PolarsError when compaction takes a file away meanwhile: scan again.
        """
        months = (read_list(self._names) or {}).get(table.name)
        if months is None:
            return self._lake.scan(table, since)
        first = since.isoformat()[:7] if since else ""
        wanted = {month: key for month, key in sorted(months.items()) if month >= first}
        rows = pl.concat([
            pl.LazyFrame(schema={"dt": pl.Date, **table.columns}), *self._frames(table, wanted)
        ])  # fmt: skip
        return rows.filter(pl.col("dt") >= since) if since else rows

    def _frames(self, table: Table, months: Mapping[str, str | None]) -> Iterator[pl.LazyFrame]:
        if packs := [key for key in months.values() if key]:
            yield pl.scan_parquet(
                [f"s3://{self._names.lake_bucket}/{key}" for key in packs],
                storage_options=aws.s3_storage_options(),
                hive_partitioning=False,
                schema={"dt": pl.Date, **table.columns},
                # A pack has the columns that its table had when it was written.
                missing_columns="insert",
                extra_columns="ignore",
            )
        for month, key in months.items():
            if key is None:
                start = date.fromisoformat(f"{month}-01")
                yield self._lake.scan(table, start, (start + timedelta(days=32)).replace(day=1))
