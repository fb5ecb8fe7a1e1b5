"""Who buys: new and returning, cohorts, segments; of known customers, from the lake's lines.

Guests have no id and are in none of these; `Purchases.guests` says what they bring.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Literal

import polars as pl
import streamlit as st

from console.periods import Period
from console.queries import lake_rows

REFUNDS_ONLY = "Refunds only"
# Recency and frequency scores (1 to 5 each) to names: first that matches.
SEGMENTS: tuple[tuple[str, str, tuple[int, int], tuple[int, int]], ...] = (
    ("Champions", "bought lately and often", (5, 5), (4, 5)),
    ("Loyal", "buy often, the last time not long ago", (3, 4), (4, 5)),
    ("Potential loyalists", "bought lately, more than once or twice", (4, 5), (2, 3)),
    ("New", "bought lately, for the first time", (5, 5), (1, 1)),
    ("Promising", "bought a while ago, rarely yet", (4, 4), (1, 1)),
    ("Need attention", "in the middle of both", (3, 3), (3, 3)),
    ("About to sleep", "rare, and not seen for a while", (3, 3), (1, 2)),
    ("Cannot lose", "bought very often, long ago", (1, 2), (5, 5)),
    ("At risk", "bought often, long ago", (1, 2), (3, 4)),
    ("Hibernating", "rare and long ago", (1, 2), (1, 2)),
)


@dataclass(frozen=True, slots=True)
class Purchases:
    """`orders`: DataFrame[customer_id: str, at: datetime of the order, net, gross: i64, is_sale],
    one row per order or credit note of a known customer; `of_guests`: DataFrame[at, net], the
    lines of those without an id."""

    orders: pl.DataFrame
    of_guests: pl.DataFrame
    currencies: list[str]

    @property
    def guests(self) -> int:
        """Net of guests, minor units."""
        return int(self.of_guests["net"].sum())

    def until(self, day: date) -> "Purchases":
        """What was known when `day` began."""
        end = datetime.combine(day, time.min, UTC)
        return self._where(pl.col("at") < end)

    def within(self, period: Period) -> "Purchases":
        begin = datetime.combine(period.first, time.min, UTC)
        return self.until(period.until)._where(pl.col("at") >= begin)

    def _where(self, condition: pl.Expr) -> "Purchases":
        return Purchases(
            self.orders.filter(condition), self.of_guests.filter(condition), self.currencies
        )


def purchases(currency: str) -> Purchases:
    """Raises edge.Unreachable."""
    rows = lake_rows.lines()
    return _purchases(rows.version, currency, rows.frame)


@st.cache_resource(max_entries=4, show_spinner=False)
def _purchases(version: int, currency: str, _lines: pl.DataFrame) -> Purchases:
    own = _lines.filter(pl.col("currency") == currency)
    known = own.filter(pl.col("customer_id").is_not_null())
    orders = (
        known.group_by("event_id", "is_sale")
        .agg(
            pl.col("customer_id").first().cast(pl.String),
            pl.col("at").first(),
            pl.col("amount").sum().alias("net"),
        )
        .drop("event_id")
    )
    of_guests = own.filter(pl.col("customer_id").is_null()).select(
        "at", pl.col("amount").alias("net")
    )
    currencies = sorted(str(name) for name in _lines["currency"].unique())
    return Purchases(orders, of_guests, currencies)


Step = Literal["day", "month"]


def by_period(orders: pl.DataFrame, period: Period, step: Step) -> pl.DataFrame:
    """Who ordered in each day or month of the period, for the first time or again.

    Args: `orders` from the beginning, for a first order may lie before the period.
    Returns: DataFrame[start: date, new, returning: i64, net_new, net_returning: i64], every step
    from the first to the last with an order. The nets are of orders and credit notes of that step;
    `net_new` of those who were new in it.
    """
    begin, end = (datetime.combine(day, time.min, UTC) for day in (period.first, period.until))
    every = {"day": "1d", "month": "1mo"}[step]
    dated = _with_first(orders, every).filter(pl.col("at") >= begin, pl.col("at") < end)
    if dated.is_empty():
        kinds = dict.fromkeys(("new", "returning", "net_new", "net_returning"), pl.Int64)
        return pl.DataFrame(schema={"start": pl.Date, **kinds})
    is_new = pl.col("start") == pl.col("first")
    who = pl.col("customer_id")
    sums = dated.group_by("start").agg(
        who.filter(pl.col("is_sale") & is_new).n_unique().cast(pl.Int64).alias("new"),
        who.filter(pl.col("is_sale") & ~is_new).n_unique().cast(pl.Int64).alias("returning"),
        pl.col("net").filter(is_new).sum().alias("net_new"),
        pl.col("net").filter(is_new.not_().fill_null(True)).sum().alias("net_returning"),
    )
    span = pl.date_range(pl.col("start").min(), pl.col("start").max(), every)
    return sums.select(span).join(sums, on="start", how="left").fill_null(0)


def cohorts(orders: pl.DataFrame) -> pl.DataFrame:
    """Of those who first ordered in a month, how many ordered again in later months.

    Returns: DataFrame[cohort: date, age: months since, customers, size: i64, share: percent].
    """
    sales = _with_first(orders.filter("is_sale"), "1mo")
    age = (
        (pl.col("start").dt.year() - pl.col("first").dt.year()) * 12
        + pl.col("start").dt.month().cast(pl.Int32)
        - pl.col("first").dt.month().cast(pl.Int32)
    )
    active = sales.group_by(pl.col("first").alias("cohort"), age.alias("age")).agg(
        pl.col("customer_id").n_unique().cast(pl.Int64).alias("customers")
    )
    sizes = active.filter(pl.col("age") == 0).select("cohort", pl.col("customers").alias("size"))
    return (
        active.join(sizes, on="cohort")
        .with_columns(share=pl.col("customers") * 100 / pl.col("size"))
        .sort("cohort", "age")
    )


def rfm(orders: pl.DataFrame, today: date) -> pl.DataFrame:
    """Each customer's recency, frequency and monetary value, scored in fifths of all customers.

    Returns: DataFrame[customer_id, segment: str, recency_days, orders, net: i64, first_order,
    last_order: date, r, f, m: 1 to 5 (5 is best; equal values score alike; null for those who only
    gave back)], by net, largest first.
    """
    at = pl.col("at").filter(pl.col("is_sale"))
    people = orders.group_by("customer_id").agg(
        at.max().dt.date().alias("last_order"),
        at.min().dt.date().alias("first_order"),
        pl.col("is_sale").sum().cast(pl.Int64).alias("orders"),
        pl.col("net").sum(),
    )
    recency = (pl.lit(today) - pl.col("last_order")).dt.total_days().alias("recency_days")
    buyers = people.filter(pl.col("orders") > 0).with_columns(recency)
    scored = buyers.with_columns(
        r=_fifth(-pl.col("recency_days")), f=_fifth(pl.col("orders")), m=_fifth(pl.col("net"))
    ).with_columns(segment=_segment())
    others = people.filter(pl.col("orders") == 0).with_columns(segment=pl.lit(REFUNDS_ONLY))
    columns = ["customer_id", "segment", "recency_days", "orders", "net", "first_order",
               "last_order", "r", "f", "m"]  # fmt: skip
    return (
        pl.concat([scored, others], how="diagonal")
        .select(columns)
        .sort(["net", "customer_id"], descending=[True, False])
    )


def segments(scored: pl.DataFrame) -> pl.DataFrame:
    """DataFrame[segment, customers, net: i64, share: percent of customers, average_net,
    median_recency_days], in the order of SEGMENTS; sums to all known customers."""
    order = [name for name, *_ in SEGMENTS] + [REFUNDS_ONLY]
    return (
        scored.group_by("segment")
        .agg(
            pl.len().cast(pl.Int64).alias("customers"),
            pl.col("net").sum(),
            (pl.col("net").sum() // pl.len()).alias("average_net"),
            pl.col("recency_days").median().cast(pl.Int64).alias("median_recency_days"),
        )
        .with_columns(share=pl.col("customers") * 100 / pl.col("customers").sum())
        .sort(pl.col("segment").cast(pl.Enum(order)))
    )


def _with_first(orders: pl.DataFrame, every: str) -> pl.DataFrame:
    """Adds `start` of the order's day or month, and `first`: that of the customer's first order
    (null without any)."""
    dated = orders.with_columns(pl.col("at").dt.date().dt.truncate(every).alias("start"))
    firsts = (
        dated.filter("is_sale").group_by("customer_id").agg(pl.col("start").min().alias("first"))
    )
    return dated.join(firsts, on="customer_id", how="left")


def _fifth(value: pl.Expr) -> pl.Expr:
    return (value.rank("average") * 5 / pl.len()).ceil().clip(1, 5).cast(pl.Int64)


def _segment() -> pl.Expr:
    named: pl.Expr = pl.lit("Hibernating")
    for name, _, recency, frequency in reversed(SEGMENTS):
        fits = pl.col("r").is_between(*recency) & pl.col("f").is_between(*frequency)
        named = pl.when(fits).then(pl.lit(name)).otherwise(named)
    return named
