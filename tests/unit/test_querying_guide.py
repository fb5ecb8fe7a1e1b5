"""What docs/querying.md says the order log answers is what it answers."""

from collections.abc import Iterator

import duckdb
import polars as pl
import pytest

from pipeline.replay.files import BOOKED, read_log
from pipeline.replay.products import DATA
from tests.guide import QUERIES, beginning_of, documented


@pytest.fixture(scope="module")
def lake() -> Iterator[duckdb.DuckDBPyConnection]:
    """The order lines of the whole log, as booking makes them."""
    log = read_log(DATA / "online_retail.parquet").filter(pl.col("fate").is_in(BOOKED))
    sign = pl.when(pl.col("fate") == "sale").then(1).otherwise(-1)
    pieces = pl.col("quantity").abs()
    lines = log.select(
        pl.col("fate").alias("kind"),
        pl.col("invoice").alias("order_id"),
        pl.col("at").first().over("invoice").alias("placed_at"),
        "customer_id",
        "country",
        pl.col("stock_code").alias("product_id"),
        pl.coalesce("description", "stock_code").alias("title"),
        pieces.alias("quantity"),
        (sign * pieces * pl.col("minor").round().cast(pl.Int64)).alias("line_total_minor"),
        pl.lit("GBP").alias("currency"),
        pl.lit(False).alias("synthetic"),
    )
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("order_lines", lines.to_arrow())
        yield connection


@pytest.mark.parametrize("name", [name for name in QUERIES if name != "funnel"])
def test_the_documented_table_is_the_answer_of_the_whole_log(
    lake: duckdb.DuckDBPyConnection, name: str
) -> None:
    table = documented(name)
    assert len(table) > 4
    assert table == beginning_of(lake.sql(QUERIES[name]).pl(), len(table) - 1)
