"""Writes the packs of the curated tables: `pipeline.runtime.packs` says what they are."""

import io
import json
from collections import defaultdict
from collections.abc import Sequence

from pipeline.contracts.names import Names
from pipeline.runtime import aws
from pipeline.runtime.facts import TABLES, Table
from pipeline.runtime.lake import Lake, LakeObject
from pipeline.runtime.logs import get_logger
from pipeline.runtime.packed import Packed
from pipeline.runtime.packs import AWAY, LIST_KEY, digest

log = get_logger()
# A month of more than this is read by its dates; in memory it is some twenty times that.
MAX_PACK_BYTES = 16_000_000


def take_list_away(names: Names, mark: str) -> None:
    """Before curated files change: from now on readers go to the dates themselves.

    Args: `mark` is of this compaction alone; a packing that began before it finds its list refused.
    """
    Packed(names.lake_bucket, LIST_KEY).write(json.dumps({AWAY: mark}).encode())


def pack(names: Names, max_bytes: int = MAX_PACK_BYTES) -> int:
    """Packs the months that changed and lists all; returns how many packs were written.

    Nothing is listed when a compaction has begun meanwhile: its own packing will.
    Raises: ClientError, BotoCoreError, PolarsError; then the list is as it was, which is away after
    changes.
    """
    packing, current = _Packing(names, max_bytes), Packed(names.lake_bucket, LIST_KEY)
    stood = current.find_version()  # before the dates are looked at
    listed = {table.name: packing.table(table) for table in TABLES}
    if not current.write_over(json.dumps(listed).encode(), stood):
        log.info("packing.overtaken")
    return packing.written


class _Packing:
    def __init__(self, names: Names, max_bytes: int) -> None:
        self._lake, self._bucket, self._max_bytes = Lake(names), names.lake_bucket, max_bytes
        self.written = 0

    def table(self, table: Table) -> dict[str, str | None]:
        """Month to the key of its pack; null for one that is read by its dates."""
        dates: dict[str, list[LakeObject]] = defaultdict(list)
        for one in self._lake.list_objects(f"curated/{table.name}/"):
            dates[one.dt[:7]].append(one)
        packs: dict[str, list[LakeObject]] = defaultdict(list)
        for one in self._lake.list_objects(f"packed/{table.name}/"):
            packs[one.key.rpartition("/")[2][:7]].append(one)
        return {
            month: self._month(table, month, found, packs[month])
            for month, found in dates.items()
        }  # fmt: skip

    def _month(
        self, table: Table, month: str, dates: Sequence[LakeObject], packs: Sequence[LakeObject]
    ) -> str | None:
        if sum(one.size for one in dates) > self._max_bytes:
            return None
        key = f"packed/{table.name}/{month}-{digest(table.columns, dates)}.parquet"
        if all(one.key != key for one in packs):
            self._write(table, key, dates)
        # The one before stays for who reads the list that was; older ones nobody reads.
        former = sorted((one for one in packs if one.key != key), key=lambda one: one.modified_at)
        for one in former[:-1]:
            aws.batch_client("s3").delete_object(Bucket=self._bucket, Key=one.key)
        return key

    def _write(self, table: Table, key: str, dates: Sequence[LakeObject]) -> None:
        rows = self._lake.scan_objects(table, dates).collect()
        buffer = io.BytesIO()
        rows.write_parquet(buffer, compression="zstd", compression_level=3)
        aws.batch_client("s3").put_object(Bucket=self._bucket, Key=key, Body=buffer.getvalue())
        self.written += 1
