"""Ask the lake: the same question on the laptop and on AWS.

`Query()` takes the stage from `HAS_STAGE`, and boto3's own variables say where AWS is. SQL is run
by DuckDB over Arrow on the laptop and by Athena on AWS; what both understand is in
`docs/queries/`. Polars and awswrangler read the same files: `location` and `database` name them.
"""

import os
import re
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

import duckdb
import polars as pl
import polars.selectors as cs
import stamina

from pipeline.contracts.names import Names
from pipeline.runtime import aws, lake_sql
from pipeline.runtime.dictionary import TABLES
from pipeline.runtime.facts import TABLES as CURATED
from pipeline.runtime.kept import KeptTables
from pipeline.runtime.lake import Lake
from pipeline.runtime.packs import PackedTables

Engine = Literal["duckdb", "athena"]
_ATHENA_WAITS_S = 600
# A name that is no table of ours, a common table expression for one, is left to DuckDB.
_AFTER_FROM = re.compile(r'\b(?:from|join)\s+"?(\w+)', re.IGNORECASE)
_DONE = ("SUCCEEDED", "FAILED", "CANCELLED")
_ATHENA_TYPES: dict[str, Any] = {
    **dict.fromkeys(("tinyint", "smallint", "integer", "bigint"), pl.Int64),
    **dict.fromkeys(("double", "float", "real", "decimal"), pl.Float64),
    "boolean": pl.Boolean,
    "date": pl.Date,
}


class QueryFailed(Exception):
    """The engine's own message: what it could not do with the SQL."""


class Query:
    """Questions to one stage's lake; holds no data but what `keep` says."""

    def __init__(self, stage: str | None = None, keep: Path | None = None) -> None:
        """Args: `stage`, e.g. `local` or `dev`; without it `HAS_STAGE`, which must be set then.
        `keep`, a folder for copies of the curated files, which make the second `scan` fast.
        """
        self.names = Names(stage or os.environ["HAS_STAGE"])
        self.lake = Lake(self.names)
        self.database = self.names.glue_database
        self._packed = PackedTables(self.names)
        self._kept = KeptTables(self.names, keep) if keep else None

    def location(self, table: str) -> str:
        """`s3://has-local-lake/curated/orders/`: what readers of a path want."""
        folder = TABLES[table][1].partition(",")[0]
        return f"s3://{self.names.lake_bucket}/{folder}"

    def scan(self, table: str, since: date | None = None) -> pl.LazyFrame:
        """A curated table for polars, as of the last compaction; only what is used is read.

        Raises: KeyError for a table that is not curated.
        """
        curated = {one.name: one for one in CURATED}
        source = self._kept or self._packed
        return source.scan(curated[table], since)

    def sql(
        self,
        text: str,
        *,
        since: date | None = None,
        until: date | None = None,
        engine: Engine | None = None,
    ) -> pl.DataFrame:
        """The answer to one SELECT. Integers are Int64, all other numbers Float64, times UTC.

        Args: `engine`: DuckDB where boto3 talks to an emulator, else Athena. DuckDB counts what
        arrived since the last compaction, too; Athena sees the curated tables. `since` inclusive
        and `until` exclusive, by date, spare DuckDB the reading of other days; for Athena say so in
        the SQL (`dt >= DATE '2026-11-01'`).
        Raises: QueryFailed.
        """
        chosen = engine or ("duckdb" if os.environ.get("AWS_ENDPOINT_URL") else "athena")
        if chosen == "athena":
            return _athena(self.names, text)
        return self._duckdb(text, since, until)

    def _duckdb(self, text: str, since: date | None, until: date | None) -> pl.DataFrame:
        tables = {name.lower() for name in _AFTER_FROM.findall(text)} & TABLES.keys()
        try:
            with lake_sql.open_lake(self.lake, *sorted(tables), since=since, until=until) as lake:
                return _plain(lake.sql(text).pl())
        except duckdb.Error as error:
            raise QueryFailed(str(error)) from error


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    """The types that Athena's answers have, so that the engines' answers are equal."""
    return frame.with_columns(
        cs.integer().cast(pl.Int64),
        (cs.float() | cs.decimal()).cast(pl.Float64),
        cs.datetime().dt.cast_time_unit("us"),
    )


def _athena(names: Names, text: str) -> pl.DataFrame:
    """By GetQueryResults, in pages: for answers, not for exports."""
    client = aws.batch_client("athena")
    started = client.start_query_execution(
        QueryString=text,
        QueryExecutionContext={"Database": names.glue_database},
        ResultConfiguration={"OutputLocation": f"s3://{names.lake_bucket}/athena-results/"},
    )
    query_id = started["QueryExecutionId"]
    _wait(client, query_id)
    columns: list[dict[str, Any]] = []
    rows: list[list[str | None]] = []
    for page in client.get_paginator("get_query_results").paginate(QueryExecutionId=query_id):
        columns = page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
        rows += [[cell.get("VarCharValue") for cell in row["Data"]]
                 for row in page["ResultSet"]["Rows"]]  # fmt: skip
    # The first row of the first page repeats the names.
    return _typed(columns, rows[1:])


class _Running(Exception):
    """Not done yet: ask again."""


@stamina.retry(on=_Running, attempts=None, timeout=_ATHENA_WAITS_S, wait_initial=0.1, wait_max=2)
def _wait(client: Any, query_id: str) -> None:
    answer = client.get_query_execution(QueryExecutionId=query_id)
    status = answer["QueryExecution"]["Status"]
    if status["State"] not in _DONE:
        raise _Running(query_id)
    if status["State"] != "SUCCEEDED":
        raise QueryFailed(status.get("StateChangeReason") or status["State"])


def _typed(columns: list[dict[str, Any]], rows: list[list[str | None]]) -> pl.DataFrame:
    series = []
    for place, column in enumerate(columns):
        cells = [row[place] for row in rows]
        kind = column["Type"].partition("(")[0]
        if kind.startswith("timestamp"):
            moments = [datetime.fromisoformat(cell) if cell else None for cell in cells]
            series.append(_moments(column["Name"], moments))
        else:
            text = pl.Series(column["Name"], cells, pl.String)
            series.append(_cast(text, _ATHENA_TYPES.get(kind, pl.String)))
    return pl.DataFrame(series)


def _cast(text: pl.Series, dtype: Any) -> pl.Series:
    if dtype == pl.Boolean:
        return (text == "true").alias(text.name)
    return text.str.to_date() if dtype == pl.Date else text.cast(dtype)


def _moments(name: str, moments: list[datetime | None]) -> pl.Series:
    return pl.Series(name, moments, pl.Datetime("us"), strict=False).dt.replace_time_zone("UTC")
