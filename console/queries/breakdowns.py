"""What the aggregates do not hold, from the lake's lines: crossings, hours of a week, products.

A slice is the lines of one currency, period and filter, as `lake_rows.lines` gives them.
"""

from collections.abc import Callable, Hashable, Sequence
from datetime import UTC, datetime, time
from functools import lru_cache
from typing import Any, TypeVar

import polars as pl

from console.periods import Grain, Period
from console.queries import lake_rows
from console.queries.sales import SERIES, Totals

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_BUCKETS = {"hour": "%Y-%m-%dT%H", "day": "%Y-%m-%d", "month": "%Y-%m"}


def sliced(
    period: Period, currency: str, country: str | None = None, category: str | None = None
) -> pl.DataFrame:
    """Raises edge.Unreachable."""
    first, until = (
        datetime.combine(day, time.min, UTC) for day in (period.first, period.until)
    )  # fmt: skip
    wanted = [pl.col("at") >= first, pl.col("at") < until, pl.col("currency") == currency]
    wanted += [pl.col("country") == country] if country else []
    wanted += [pl.col("category") == category] if category else []
    return lake_rows.lines().frame.filter(wanted)


T = TypeVar("T")


def of_slice(
    make: Callable[..., T], period: Period, currency: str, country: str | None,
    category: str | None, *more: Hashable,
) -> T:  # fmt: skip
    """`make(slice, *more)`, made once for all who look, until a line of the lake changes.

    Args: `make` a function of this module. Raises edge.Unreachable.
    """
    version = lake_rows.lines().version
    made: T = _made(version, make, period, currency, country, category, *more)
    return made


@lru_cache(maxsize=96)
def _made(
    _version: int, make: Callable[..., Any], period: Period, currency: str, country: str | None,
    category: str | None, *more: Hashable,
) -> Any:  # fmt: skip
    return make(sliced(period, currency, country, category), *more)


def measures() -> list[pl.Expr]:
    """The columns of SERIES over any grouping of lines; an order counts once."""
    is_sale, amount = pl.col("is_sale"), pl.col("amount")
    return [
        pl.col("order_id").filter(is_sale).n_unique().cast(pl.Int64).alias("orders"),
        pl.col("quantity").filter(is_sale).sum().alias("units"),
        amount.filter(is_sale).sum().alias("gross"),
        amount.filter(~is_sale).sum().alias("refunds"),
        amount.sum().alias("net"),
    ]


def totals(lines: pl.DataFrame, currency: str) -> Totals:
    row = lines.select(*measures()).row(0, named=True)
    mean = average(row["gross"], row["orders"])
    return Totals(currency, **row, customers=customers(lines), average_order=mean)


def customers(lines: pl.DataFrame) -> int:
    """Distinct known customers who ordered."""
    known = lines.filter("is_sale")["customer_id"].drop_nulls()
    return known.n_unique()


def average(gross: int, orders: int) -> int:
    """Whole minor units, halves up, as the API rounds."""
    return (2 * gross + orders) // (2 * orders) if orders else 0


def series(lines: pl.DataFrame, currency: str, grain: Grain) -> pl.DataFrame:
    """As the API's: DataFrame[bucket: str, currency, group: str, orders … net: i64]."""
    return (
        lines.group_by(pl.col("at").dt.strftime(_BUCKETS[grain]).alias("bucket"))
        .agg(*measures())
        .select("bucket", pl.lit(currency).alias("currency"), pl.lit("").alias("group"), *SERIES)
        .sort("bucket")
    )


def grouped(lines: pl.DataFrame, column: str, currency: str) -> pl.DataFrame:
    """As the API's, without buckets: DataFrame[bucket, currency, group, orders … net]."""
    return lines.group_by(pl.col(column).cast(pl.String).alias("group")).agg(*measures()).select(
        pl.lit("").alias("bucket"), pl.lit(currency).alias("currency"), "group", *SERIES
    )  # fmt: skip


def week(lines: pl.DataFrame) -> pl.DataFrame:
    """DataFrame[weekday: 1 (Monday) … 7, hour: 0 … 23, orders, gross: i64], all 168 rows."""
    sums = (
        lines.filter("is_sale")
        .group_by(
            pl.col("at").dt.weekday().cast(pl.Int64).alias("weekday"),
            pl.col("at").dt.hour().cast(pl.Int64).alias("hour"),
        )
        .agg(
            pl.col("order_id").n_unique().cast(pl.Int64).alias("orders"),
            pl.col("amount").sum().alias("gross"),
        )
    )
    days = pl.DataFrame({"weekday": range(1, 8)}, schema={"weekday": pl.Int64})
    hours = pl.DataFrame({"hour": range(24)}, schema={"hour": pl.Int64})
    return (
        days.join(hours, how="cross")
        .join(sums, on=["weekday", "hour"], how="left")
        .with_columns(pl.col("orders", "gross").fill_null(0))
    )


def tree(lines: pl.DataFrame, top: int = 30) -> pl.DataFrame:
    """Gross revenue by category and its best products; the rest of each in one row.

    Returns: DataFrame[category, product, product_id: str, units, gross: i64], largest first; sums
    to the slice's gross.
    """
    sums = (
        lines.filter("is_sale")
        .group_by("category", "product_id")
        .agg(
            pl.col("title").last().alias("product"),
            pl.col("quantity").sum().alias("units"),
            pl.col("amount").sum().alias("gross"),
        )
        .with_columns(pl.col("category", "product_id", "product").cast(pl.String))
        .with_columns(
            pl.col("gross").rank("ordinal", descending=True).over("category").alias("place")
        )
    )
    best = sums.filter(pl.col("place") <= top).drop("place")
    rest = (
        sums.filter(pl.col("place") > top)
        .group_by("category")
        .agg(
            pl.format("{} other products", pl.len()).first().alias("product"),
            pl.lit("").alias("product_id"),
            pl.col("units", "gross").sum(),
        )
    )
    columns = ["category", "product", "product_id", "units", "gross"]
    return pl.concat([best.select(columns), rest.select(columns)]).sort(
        "gross", "product_id", descending=[True, False]
    )


def products(lines: pl.DataFrame, currency: str, limit: int) -> pl.DataFrame:
    """As `sales.top_products`, of a slice."""
    return (
        lines.filter("is_sale")
        .group_by("product_id")
        .agg(
            pl.col("title").last(),
            pl.col("quantity").sum().alias("units"),
            pl.col("amount").sum().alias("gross"),
        )
        .with_columns(pl.col("product_id", "title").cast(pl.String))
        .sort(["gross", "product_id"], descending=[True, False])
        .head(limit)
        .select("product_id", "title", pl.lit(currency).alias("currency"), "units", "gross")
    )


def courses(lines: pl.DataFrame, product_ids: Sequence[str], parts: int = 24) -> pl.DataFrame:
    """The gross revenue of each product in equal parts of the slice's time, for sparklines.

    Returns: DataFrame[product_id: str, course: list[f64] whole units of currency, `parts` long].
    """
    sold = lines.filter(pl.col("is_sale") & pl.col("product_id").cast(pl.String).is_in(product_ids))
    if sold.is_empty():
        return pl.DataFrame(schema={"product_id": pl.String, "course": pl.List(pl.Float64)})
    at = pl.col("at").dt.epoch("us")
    first, last = lines["at"].dt.epoch("us").min(), lines["at"].dt.epoch("us").max()
    assert isinstance(first, int) and isinstance(last, int)
    step = max((last - first) // parts + 1, 1)
    sums = sold.group_by(
        pl.col("product_id").cast(pl.String), ((at - first) // step).alias("part")
    ).agg((pl.col("amount").sum() / 100).alias("course"))
    every = pl.DataFrame({"part": range(parts)}, schema={"part": pl.Int64})
    return (
        sums.select("product_id").unique().join(every, how="cross")
        .join(sums, on=["product_id", "part"], how="left")
        .with_columns(pl.col("course").fill_null(0.0))
        .sort("product_id", "part")
        .group_by("product_id", maintain_order=True)
        .agg("course")
    )  # fmt: skip
