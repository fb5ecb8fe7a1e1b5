"""SQL over the lake for developers: its tables in a DuckDB of the caller's own process.

People's queries do not come here: the console runs those where they can be stopped.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import duckdb
import polars as pl

from pipeline.runtime.lake import Lake

# A connection's first words: times are UTC, and JSON is read by the name that Athena has for it.
SETTINGS = """
    SET TimeZone = 'UTC';
    CREATE MACRO json_extract_scalar(document, path) AS json_extract_string(document, path);
"""


@contextmanager
def open_lake(
    lake: Lake, *tables: str, since: date | None = None, until: date | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in which the named tables can be queried; times are UTC.

    Args: `tables` of order_lines, orders, clickstream, quarantine, events; `since` inclusive,
    `until` exclusive, by event date (the last two tables by arrival).
    Raises: ValueError for a table that the lake does not have.
    """
    with duckdb.connect() as connection:
        connection.execute(SETTINGS)
        for name in tables:
            connection.register(name, _read(lake, name, since, until).to_arrow())
        yield connection


def _read(lake: Lake, name: str, since: date | None, until: date | None) -> pl.DataFrame:
    match name:
        case "order_lines":
            return lake.order_lines(since, until)
        case "orders":
            return lake.orders(since, until)
        case "clickstream":
            return lake.clickstream(since, until)
        case "quarantine":
            return lake.quarantined(since, until)
        case "events":
            return lake.events(since=since, until=until)
    raise ValueError(f"The lake has no table {name!r}.")
