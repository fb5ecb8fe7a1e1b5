"""The lease, the state and the Glue catalogue as compaction writes them; `files` has the lake."""

import json
import zlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import stamina

from pipeline.contracts import keys
from pipeline.contracts.events import to_iso_z
from pipeline.contracts.names import Names
from pipeline.runtime import aws
from pipeline.runtime.dictionary import meaning_of, sql_type
from pipeline.runtime.facts import TABLES, Table
from pipeline.runtime.lake import CompactionState
from pipeline.runtime.lease import Lease

_PARTITIONS_PER_CALL = 100
_PRESENT = "AlreadyExistsException"


class NotRegistered(Exception):
    """Glue took a part of the dates and put off the rest."""


class Ops:
    """The lease that lets one compaction run at a time, and what is merged so far."""

    def __init__(self, names: Names) -> None:
        self._table = aws.table(names.table("ops"))
        self._lease = Lease(self._table, "compaction")

    def take_lease(self, owner: str, now: datetime, seconds: int) -> bool:
        """Also renews it; False while another owner's has not expired."""
        return self._lease.take(owner, now, seconds)

    def drop_lease(self, owner: str) -> None:
        self._lease.drop(owner)

    def save(self, state: CompactionState) -> None:
        """Two states are both true of their time, so the last written one is good enough."""
        if state.settled_until is None or state.compacted_at is None:
            return
        self._table.put_item(
            Item={
                **keys.compaction_state(),
                "settled_until": to_iso_z(state.settled_until),
                "recent": zlib.compress(json.dumps(state.recent).encode()),
                "compacted_at": state.compacted_at,
            }
        )


class Catalogue:
    """The Glue tables over the curated files, as Athena and awswrangler want them."""

    def __init__(self, names: Names) -> None:
        self._database = names.glue_database
        self._root = f"s3://{names.lake_bucket}/curated"
        self._glue = aws.batch_client("glue")

    def ensure_tables(self) -> None:
        glue = self._glue
        try:
            glue.create_database(DatabaseInput={"Name": self._database})
        except glue.exceptions.AlreadyExistsException:
            pass
        for table in TABLES:
            definition = {
                "Name": table.name,
                "TableType": "EXTERNAL_TABLE",
                "Parameters": {"classification": "parquet", "EXTERNAL": "TRUE"},
                "PartitionKeys": [{"Name": "dt", "Type": "date"}],
                "StorageDescriptor": self._storage(table, f"{self._root}/{table.name}/"),
            }
            try:
                glue.create_table(DatabaseName=self._database, TableInput=definition)
            except glue.exceptions.AlreadyExistsException:
                glue.update_table(DatabaseName=self._database, TableInput=definition)

    def add_dates(self, table: Table, dates: Sequence[str]) -> None:
        """Registers partitions; those that exist are left as they are.

        Raises: NotRegistered after bounded retries: without its partition a date is in no answer
        of Athena's, and the run has to be made again. ClientError.
        """
        for start in range(0, len(dates), _PARTITIONS_PER_CALL):
            self._register(table, dates[start : start + _PARTITIONS_PER_CALL])

    @stamina.retry(on=NotRegistered, attempts=5, wait_initial=0.2, wait_max=2)
    def _register(self, table: Table, dates: Sequence[str]) -> None:
        answer = self._glue.batch_create_partition(
            DatabaseName=self._database,
            TableName=table.name,
            PartitionInputList=[
                {
                    "Values": [dt],
                    "StorageDescriptor": self._storage(
                        table, f"{self._root}/{table.name}/dt={dt}/"
                    ),
                }
                for dt in dates
            ],
        )
        codes = {error["ErrorDetail"]["ErrorCode"] for error in answer.get("Errors", ())}
        if left := codes - {_PRESENT}:
            raise NotRegistered(f"{table.name}: {sorted(left)}")

    def _storage(self, table: Table, location: str) -> dict[str, Any]:
        hive = "org.apache.hadoop.hive.ql.io.parquet"
        return {
            "Columns": [
                {"Name": name, "Type": sql_type(dtype), "Comment": meaning_of(table.name, name)}
                for name, dtype in table.columns.items()
            ],
            "Location": location,
            "InputFormat": f"{hive}.MapredParquetInputFormat",
            "OutputFormat": f"{hive}.MapredParquetOutputFormat",
            "Compressed": True,
            "SerdeInfo": {
                "SerializationLibrary": f"{hive}.serde.ParquetHiveSerDe",
                "Parameters": {"serialization.format": "1"},
            },
        }
