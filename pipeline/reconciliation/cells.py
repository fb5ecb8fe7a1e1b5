"""What the lake says the aggregates hold, and what they do hold, as frames that can be compared.

A cells frame is DataFrame[stream, kind, grain, bucket, currency, attribute: str, amount: i64], one
row per figure that is not zero. `kind` is `sales`, `products`, `customers`, `clicks` or `searches`;
`attribute` is the name in the aggregate's item, of customers `customers|<id>` with an amount of 1,
of searches `without_results|<term>`.

The sums are made here by polars from the curated columns, not by folding's code: a mistake in
either shows as drift.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import polars as pl

from pipeline.contracts import keys
from pipeline.contracts.searches import SEARCHED, term_of
from pipeline.folding.domain import PRODUCT_GRAINS, SALES_GRAINS, WITHOUT_RESULTS

CELL: dict[str, Any] = {
    "stream": pl.String, "kind": pl.String, "grain": pl.String, "bucket": pl.String,
    "currency": pl.String, "attribute": pl.String, "amount": pl.Int64,
}  # fmt: skip
_FORMATS = {"hour": "%Y-%m-%dT%H", "day": "%Y-%m-%d", "month": "%Y-%m"}
_COUNTERS = ("orders", "units", "gross", "refunds")
_KEY = ["stream", "bucket", "currency"]
# Of curated order lines and orders, what the sums need.
LINES = ("event_id", "line_no", "currency", "country", "category", "product_id", "customer_id",
         "quantity", "line_total_minor", "kind", "synthetic")  # fmt: skip
MOMENTS = ("event_id", "occurred_at")
CLICKS = ("event_id", "event_type", "occurred_at", "synthetic", "query", "results_count")


def of_lines(lines: pl.LazyFrame, moments: pl.LazyFrame) -> pl.DataFrame:
    """Cells of sales, products and customers. Args: frames of LINES and MOMENTS, distinct."""
    # Read once: every sum below goes over them again.
    facts = lines.join(moments, on="event_id").with_columns(
        _stream(), (pl.col("kind") == "sale").alias("is_sale")
    ).collect().lazy()  # fmt: skip
    parts: list[pl.LazyFrame] = []
    for grain in SALES_GRAINS:
        at = facts.with_columns(_bucket(grain))
        for group in (None, "country", "category"):
            parts.append(_sales(at, grain, group))
        if grain in PRODUCT_GRAINS:
            parts.append(_products(at, grain))
        if grain == "day":
            parts.append(_customers(at))
    return pl.concat(pl.collect_all(parts))


def of_clicks(clicks: pl.LazyFrame) -> pl.DataFrame:
    """Cells of clicks and searches. Args: a frame of CLICKS, distinct."""
    daily = clicks.with_columns(_stream(), _bucket("day"), pl.lit("").alias("currency"))
    events = _counted(daily, pl.concat_str(pl.lit("events|"), "event_type"))
    asked = daily.filter(
        pl.col("event_type") == SEARCHED, pl.col("results_count") == 0, pl.col("query") != ""
    )
    # Of each text once, because only the terms' own rule can say which they are.
    terms = pl.col("query").map_batches(
        lambda texts: texts.replace_strict(
            (each := texts.unique()), [term_of(text) for text in each], return_dtype=pl.String
        ),
        return_dtype=pl.String,
    )
    vain = asked.with_columns(terms.alias("query")).filter(pl.col("query") != "")
    searches = _counted(vain, pl.concat_str(pl.lit(f"{WITHOUT_RESULTS}|"), "query"))
    parts = [_cells(events, "clicks", "day"), _cells(searches, "searches", "day")]
    return pl.concat(parts).collect(engine="streaming")


def _counted(rows: pl.LazyFrame, attribute: pl.Expr) -> pl.LazyFrame:
    named = rows.with_columns(attribute.alias("attribute"))
    return named.group_by(*_KEY, "attribute").agg(pl.len().cast(pl.Int64).alias("amount"))


def _sales(facts: pl.LazyFrame, grain: str, group: str | None) -> pl.LazyFrame:
    is_sale, total = pl.col("is_sale"), pl.col("line_total_minor")
    by = [*_KEY, *([group] if group else [])]
    counted = facts.group_by(by).agg(
        pl.col("event_id").filter(is_sale).n_unique().cast(pl.Int64).alias("orders"),
        pl.col("quantity").filter(is_sale).sum().alias("units"),
        total.filter(is_sale).sum().alias("gross"),
        total.filter(~is_sale).sum().alias("refunds"),
    )
    long = counted.unpivot(
        on=list(_COUNTERS), index=by, variable_name="counter", value_name="amount"
    )
    name = pl.concat_str("counter", pl.lit(f"|{group}|"), group) if group else pl.col("counter")
    return _cells(long.with_columns(name.alias("attribute")), "sales", grain)


def _products(facts: pl.LazyFrame, grain: str) -> pl.LazyFrame:
    sold = facts.filter("is_sale").group_by(*_KEY, "product_id").agg(
        pl.col("quantity").sum().alias("units"), pl.col("line_total_minor").sum().alias("gross")
    )  # fmt: skip
    long = sold.unpivot(
        on=["units", "gross"], index=[*_KEY, "product_id"],
        variable_name="counter", value_name="amount",
    )  # fmt: skip
    name = pl.concat_str("counter", pl.lit("|"), "product_id").alias("attribute")
    return _cells(long.with_columns(name), "products", grain)


def _customers(facts: pl.LazyFrame) -> pl.LazyFrame:
    known = facts.filter(pl.col("is_sale") & pl.col("customer_id").is_not_null())
    name = pl.concat_str(pl.lit("customers|"), "customer_id").alias("attribute")
    each = known.select(*_KEY, name).unique().with_columns(pl.lit(1, pl.Int64).alias("amount"))
    return _cells(each, "customers", "day")


def _cells(rows: pl.LazyFrame, kind: str, grain: str) -> pl.LazyFrame:
    named = rows.filter(pl.col("amount") != 0).with_columns(
        pl.lit(kind).alias("kind"), pl.lit(grain).alias("grain")
    )
    return named.select(pl.col(name).cast(dtype) for name, dtype in CELL.items())


def _stream() -> pl.Expr:
    named = pl.when("synthetic").then(pl.lit("synthetic")).otherwise(pl.lit("real"))
    return named.alias("stream")


def _bucket(grain: str) -> pl.Expr:
    return pl.col("occurred_at").dt.strftime(_FORMATS[grain]).alias("bucket")


def of_items(items: Iterable[tuple[str, str, Mapping[str, Any]]]) -> pl.DataFrame:
    """Cells of aggregate items, (pk, sk, figures), under the first generation's keys."""
    rows = [row for pk, sk, figures in items for row in _of_item(pk, sk, figures)]
    return pl.DataFrame(rows, schema=CELL, orient="row")


def _of_item(pk: str, sk: str, figures: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    kind, stream, grain, bucket, currency = unit_of(pk, sk)
    suffix = f"|{sk.partition('#')[2]}" if kind == "searches" else ""
    for name, amount in figures.items():
        if isinstance(amount, int):
            yield stream, kind, grain, bucket, currency, name + suffix, amount
        else:
            for member in amount:
                yield stream, kind, grain, bucket, currency, f"customers|{member}", 1


def unit_of(pk: str, sk: str) -> tuple[str, str, str, str, str]:
    """(kind, stream, grain, bucket, currency) of an aggregate item; clicks and searches have no
    currency."""
    kind, stream, *rest = pk.split("#")
    if kind == "SALES":
        bucket, currency = sk.split("#")
        return "sales", stream, rest[0], bucket, currency
    if kind == "PRODUCTS":
        return "products", stream, rest[0], rest[1], sk.split("#")[0]
    if kind == "CUSTOMERS":
        day, currency, _ = sk.split("#")
        return "customers", stream, "day", day, currency
    if kind == "SEARCHES":
        return "searches", stream, "day", sk.partition("#")[0], ""
    return "clicks", stream, "day", sk, ""


def apart(lake: pl.DataFrame, aggregates: pl.DataFrame) -> pl.DataFrame:
    """What differs: DataFrame[the columns of a cell but its amount, lake: i64, aggregates: i64]."""
    on = [name for name in CELL if name != "amount"]
    both = lake.rename({"amount": "lake"}).join(
        aggregates.filter(pl.col("amount") != 0).rename({"amount": "aggregates"}),
        on=on, how="full", coalesce=True,
    )  # fmt: skip
    filled = both.with_columns(pl.col("lake", "aggregates").fill_null(0))
    return filled.filter(pl.col("lake") != pl.col("aggregates")).sort(on)


def partitions(cells: pl.DataFrame) -> set[str]:
    """Partition keys of the items that hold these cells."""
    found = set()
    for stream, kind, grain, bucket in (
        cells.select("stream", "kind", "grain", "bucket").unique().iter_rows()
    ):
        found.add(
            {
                "sales": lambda s, g, b: keys.sales_partition(s, g, b),
                "products": lambda s, g, b: f"PRODUCTS#{s}#{g}#{b}",
                "customers": lambda s, g, b: f"CUSTOMERS#{s}#{b[:4]}",
                "clicks": lambda s, g, b: f"CLICKS#{s}#{b[:4]}",
                "searches": lambda s, g, b: f"SEARCHES#{s}#{b[:4]}",
            }[kind](stream, grain, bucket)
        )
    return found
