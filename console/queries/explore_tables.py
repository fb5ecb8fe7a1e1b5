"""What can be queried on the Explore page: the lake's tables, their columns and what they mean."""

from dataclasses import dataclass
from typing import Any

import polars as pl

from pipeline.runtime import facts
from pipeline.runtime.dictionary import meaning_of

_TYPES = {pl.String: "VARCHAR", pl.Int64: "BIGINT", pl.Boolean: "BOOLEAN", pl.Date: "DATE"}


@dataclass(frozen=True, slots=True)
class QueryTable:
    """`prefix` is its place in the lake; `columns` map a name to its polars type."""

    name: str
    prefix: str
    about: str
    columns: dict[str, Any]

    @property
    def ddl(self) -> str:
        """An empty table of the same shape."""
        body = ", ".join(f'"{name}" {sql_type(kind)}' for name, kind in self.columns.items())
        return f"CREATE TABLE {self.name} ({body})"

    def described(self) -> list[dict[str, str]]:
        return [
            {"Column": name, "Type": sql_type(kind), "Meaning": meaning_of(self.name, name)}
            for name, kind in self.columns.items()
        ]


def sql_type(kind: Any) -> str:
    return _TYPES.get(kind, "TIMESTAMPTZ")


def _curated(table: facts.Table, about: str) -> QueryTable:
    columns = {"dt": pl.Date, **table.columns}
    return QueryTable(table.name, f"curated/{table.name}/", about, columns)


TABLES = {
    table.name: table
    for table in (
        _curated(facts.ORDER_LINES, "One row per line sold or given back: the sales"),
        _curated(facts.ORDERS, "One row per order event: placed, paid, shipped, refunded …"),
        _curated(facts.CLICKSTREAM, "One row per browser event: views, searches, carts"),
        QueryTable(
            "quarantine",
            "quarantine/",
            "Events that were refused, with the reason; dates by arrival",
            facts.QUARANTINE,
        ),
        QueryTable("events", "raw/", "Every event as it came; dates by arrival", facts.RAW),
    )
}
CURATED = {table.name: table for table in facts.TABLES}
