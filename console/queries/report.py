"""Totals and series of a period, whole or narrowed to a country, a category or both."""

from dataclasses import dataclass, replace

import polars as pl

from console.periods import Grain, Period
from console.queries import breakdowns, sales
from console.queries.edge import Unreachable
from console.queries.sales import Totals


@dataclass(frozen=True, slots=True)
class Filter:
    country: str | None = None
    category: str | None = None

    @property
    def words(self) -> str:
        """Completes a sentence: ``, ` in France`, ` in France, Clocks only`."""
        where = f" in {self.country}" if self.country else ""
        return f"{where}{',' if where else ''} {self.category} only" if self.category else where


def report(
    token: str, period: Period, grain: Grain, currency: str, only: Filter
) -> tuple[Totals, pl.DataFrame]:
    """(totals, series of `sales.sales`). The API answers for all and for one group; the lake for a
    country and a category at once. Raises edge.Unreachable, edge.SignedOut, edge.Problem."""
    if only.country and only.category:
        lines = breakdowns.sliced(period, currency, only.country, only.category)
        return breakdowns.totals(lines, currency), breakdowns.series(lines, currency, grain)
    if only == Filter():
        totals, series = sales.sales(token, period, grain)
        return totals.get(currency, Totals(currency)), series
    name = "country" if only.country else "category"
    group = only.country or only.category or ""
    _, series = sales.settled_sales(token, period, grain, name)
    mine = series.filter(pl.col("group") == group)
    try:
        lines = breakdowns.sliced(period, currency, only.country, only.category)
        known: int | None = breakdowns.customers(lines)
    except Unreachable:
        known = None
    return replace(sales.of_group(series, currency, group), customers=known), mine


def by(token: str, period: Period, currency: str, column: str, only: Filter) -> pl.DataFrame:
    """A grouped series by `country` or `category`, narrowed by the other one."""
    other = replace(only, **{column: None})
    if other == Filter():
        grain = sales.grouping_grain(period)
        return sales.settled_sales(token, period, grain, column)[1]
    lines = breakdowns.sliced(period, currency, other.country, other.category)
    return breakdowns.grouped(lines, column, currency)


def products(
    token: str, period: Period, currency: str, only: Filter, limit: int = 25
) -> pl.DataFrame:
    if only == Filter():
        best = sales.top_products(token, period, limit)
        return best.filter(pl.col("currency") == currency)
    lines = breakdowns.sliced(period, currency, only.country, only.category)
    return breakdowns.products(lines, currency, limit)
