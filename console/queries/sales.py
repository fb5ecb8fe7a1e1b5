"""What was sold, from `/api/analytics`: totals, series, groups, products, data age.

Every amount is an integer in minor units; every frame is of one currency, never of two.
`customers` is None where it is not known.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from console import wording
from console.periods import Grain, Period, preset_period
from console.queries import edge
from console.queries.shared import shared
from pipeline.runtime.clock import now

MEASURES = ("orders", "units", "gross", "refunds", "net", "customers", "average_order")
SERIES = ("orders", "units", "gross", "refunds", "net")
GROUPS = ("country", "category")
Report = tuple[dict[str, "Totals"], pl.DataFrame]


@dataclass(frozen=True, slots=True)
class Totals:
    currency: str
    orders: int = 0
    units: int = 0
    gross: int = 0
    refunds: int = 0
    net: int = 0
    customers: int | None = 0
    average_order: int = 0


@dataclass(frozen=True, slots=True)
class Freshness:
    """When the newest folded event reached the stream, and the lake was compacted last."""

    newest_arrived_at: datetime | None
    compacted_at: datetime | None
    read_at: datetime


def _fresh_s(_token: str, period: Period, *_: Any, **__: Any) -> float:
    """What is past moves only when the order history is being replayed."""
    return 2.0 if period.until > now().date() else 20.0


def _settled_s(_token: str, period: Period, *_: Any, **__: Any) -> float:
    return 10.0 if period.until > now().date() else 20.0


@shared(_fresh_s)
def sales(_token: str, period: Period, grain: Grain) -> Report:
    """(totals by currency, DataFrame[bucket: str, currency, group: str, orders … net: i64]).

    Raises edge.Unreachable, edge.SignedOut, edge.Problem.
    """
    return _read(_token, period, grain, None)


@shared(_settled_s, keep_s=600.0)
def settled_sales(_token: str, period: Period, grain: Grain, group_by: str | None = None) -> Report:
    """As `sales`, older: for what is past, or costs more to read than it moves."""
    return _read(_token, period, grain, group_by)


def _read(token: str, period: Period, grain: Grain, group_by: str | None) -> Report:
    answer = edge.get(
        "/api/analytics/sales",
        token,
        **{"from": period.first.isoformat(), "to": period.until.isoformat()},
        grain=grain,
        group_by=group_by,
    )
    totals = {row["currency"]: _totals(row) for row in answer.get("totals") or []}
    rows = [
        {
            "bucket": str(row["bucket"]),
            "currency": str(row["currency"]),
            "group": str(row.get("group") or ""),
            **{name: _whole(row.get(name)) for name in SERIES},
        }
        for row in answer.get("series") or []
    ]
    schema = {"bucket": pl.String, "currency": pl.String, "group": pl.String}
    return totals, pl.DataFrame(rows, schema=schema | dict.fromkeys(SERIES, pl.Int64))


def of_group(frame: pl.DataFrame, currency: str, group: str) -> Totals:
    """The sums of one group of a grouped series; customers are not known by group."""
    own = frame.filter((pl.col("currency") == currency) & (pl.col("group") == group))
    sums = {name: int(own[name].sum()) for name in SERIES}
    orders = sums["orders"]
    average = (2 * sums["gross"] + orders) // (2 * orders) if orders else 0
    return Totals(currency, **sums, average_order=average, customers=None)


def groups(token: str, period: Period) -> dict[str, list[str]]:
    """The names that sold in the period, by `country` and `category`."""
    grain = grouping_grain(period)
    for name in GROUPS:
        settled_sales.begin(token, period, grain, name)
    return {
        name: sorted(set(settled_sales(token, period, grain, name)[1]["group"].to_list()))
        for name in GROUPS
    }


def opening_preset(token: str, today: date) -> str:
    """The range to open on: the last 28 days, or all time while those hold no sale."""
    totals, _ = sales(token, preset_period("28d", today), "day")
    return "28d" if any(row.orders for row in totals.values()) else "all"


def by_group(frame: pl.DataFrame, currency: str, top: int) -> pl.DataFrame:
    """The largest groups of a grouped series.

    Returns: DataFrame[group, orders … net, share: f64 percent of net], at most `top` rows, then
    one row for all others (group `Others (n)`) when there are more.
    """
    if frame.is_empty():
        return frame.with_columns(share=pl.lit(0.0))
    sums = (
        frame.filter(pl.col("currency") == currency)
        .group_by("group")
        .agg(pl.col(*SERIES).sum())
        .sort(["net", "group"], descending=[True, False])
    )
    whole = int(sums["net"].sum()) or 1
    rest = sums.slice(top)
    if rest.height:
        others = rest.select(
            pl.lit(f"Others ({rest.height})").alias("group"), pl.col(*SERIES).sum()
        )
        sums = pl.concat([sums.head(top), others])
    return sums.with_columns(share=pl.col("net") * 100 / whole)


def filled(frame: pl.DataFrame, currency: str, period: Period, grain: Grain) -> pl.DataFrame:
    """One row for each bucket, quiet ones with zeros, from the first sale on for all time.

    Returns: DataFrame[bucket: datetime UTC naive, orders … net: i64], sorted.
    """
    own = frame.filter(pl.col("currency") == currency).select(
        pl.col("bucket").map_elements(_start, return_dtype=pl.Datetime("us")), *SERIES
    )
    first: Any = datetime.combine(period.first, datetime.min.time())
    if period.preset == "all":
        first = own["bucket"].min() or datetime.combine(
            period.until - timedelta(days=1), datetime.min.time()
        )
    if grain == "month":
        first = first.replace(day=1)
    end = datetime.combine(period.until, datetime.min.time())
    step = {"hour": "1h", "day": "1d", "month": "1mo"}[grain]
    buckets = pl.datetime_range(first, end, step, closed="left", eager=True).alias("bucket")
    return (
        buckets.to_frame()
        .join(own, on="bucket", how="left")
        .with_columns(pl.col(*SERIES).fill_null(0))
    )


@shared(_settled_s, keep_s=600.0)
def top_products(_token: str, period: Period, limit: int = 15) -> pl.DataFrame:
    """DataFrame[product_id, title, currency: str, units, gross: i64], best first."""
    answer = edge.get(
        "/api/analytics/top-products",
        _token,
        **{"from": period.first.isoformat(), "to": period.until.isoformat()},
        limit=limit,
    )
    rows = [
        {
            "product_id": str(item["product_id"]),
            "title": str(item.get("title") or item["product_id"]),
            "currency": str(item.get("currency") or ""),
            "units": _whole(item.get("units")),
            "gross": _whole(item.get("gross")),
        }
        for item in answer.get("items") or []
    ]
    text = dict.fromkeys(("product_id", "title", "currency"), pl.String)
    return pl.DataFrame(rows, schema={**text, "units": pl.Int64, "gross": pl.Int64})


@shared(2.0)
def freshness(_token: str) -> Freshness:
    read_at = now()
    answer = edge.get("/api/analytics/freshness", _token)
    return Freshness(
        wording.moment(answer.get("newest_arrived_at")),
        wording.moment(answer.get("compacted_at")),
        read_at,
    )


def grouping_grain(period: Period) -> Grain:
    """The coarsest grain whose buckets the range cuts cleanly: groups are summed over it."""
    whole_months = period.first.day == 1 and period.until.day == 1
    return "month" if whole_months or period.preset == "all" else "day"


def _totals(row: dict[str, Any]) -> Totals:
    return Totals(str(row["currency"]), **{name: _whole(row.get(name)) for name in MEASURES})


def _whole(value: Any) -> int:
    """Amounts may come as an integer or as {amount_minor, currency}."""
    if isinstance(value, dict):
        value = value.get("amount_minor")
    return int(value or 0)


def _start(bucket: str) -> datetime:
    if len(bucket) == 7:
        return datetime.fromisoformat(f"{bucket}-01")
    if len(bucket) == 10:
        return datetime.combine(date.fromisoformat(bucket), datetime.min.time())
    return datetime.fromisoformat(bucket[:13] + ":00")
