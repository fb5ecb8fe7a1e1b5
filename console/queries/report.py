"""Totals and series of a period, whole or narrowed to a country, a category or both."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import TypeVar

import polars as pl

from console.periods import Grain, Period
from console.queries import breakdowns, sales
from console.queries.edge import Unreachable
from console.queries.sales import Totals

T = TypeVar("T")
TOP = 25


@dataclass(frozen=True, slots=True)
class Filter:
    country: str | None = None
    category: str | None = None

    @property
    def words(self) -> str:
        """Completes a sentence: ``, ` in France`, ` in France, Clocks only`."""
        where = f" in {self.country}" if self.country else ""
        return f"{where}{',' if where else ''} {self.category} only" if self.category else where


def begin(token: str, period: Period, before: Period | None, grain: Grain) -> None:
    """Read side by side what the page needs, so that it waits for the slowest, not for the sum."""
    sales.sales.begin(token, period, grain)
    sales.freshness.begin(token)
    if before:
        sales.sales.begin(token, before, grain)
    for name in sales.GROUPS:
        sales.settled_sales.begin(token, period, sales.grouping_grain(period), name)
    sales.top_products.begin(token, period, TOP)


def report(
    token: str, period: Period, grain: Grain, currency: str, only: Filter
) -> tuple[Totals, pl.DataFrame]:
    """(totals, series of `sales.sales`). The API answers for all and for one group; the lake for a
    country and a category at once. Raises edge.Unreachable, edge.SignedOut, edge.Problem."""
    if only.country and only.category:
        return (
            of_lines(breakdowns.totals, period, currency, only, currency),
            of_lines(breakdowns.series, period, currency, only, currency, grain),
        )
    if only == Filter():
        totals, series = sales.sales(token, period, grain)
        return totals.get(currency, Totals(currency)), series
    name = "country" if only.country else "category"
    group = only.country or only.category or ""
    _, series = sales.settled_sales(token, period, grain, name)
    mine = series.filter(pl.col("group") == group)
    try:
        known: int | None = of_lines(breakdowns.customers, period, currency, only)
    except Unreachable:
        known = None
    return replace(sales.of_group(series, currency, group), customers=known), mine


def by(token: str, period: Period, currency: str, column: str, only: Filter) -> pl.DataFrame:
    """A grouped series by `country` or `category`, narrowed by the other one."""
    other = replace(only, **{column: None})
    if other == Filter():
        grain = sales.grouping_grain(period)
        return sales.settled_sales(token, period, grain, column)[1]
    return of_lines(breakdowns.grouped, period, currency, other, column, currency)


def products(
    token: str, period: Period, currency: str, only: Filter, limit: int = TOP
) -> pl.DataFrame:
    if only == Filter():
        best = sales.top_products(token, period, limit)
        return best.filter(pl.col("currency") == currency)
    return of_lines(breakdowns.products, period, currency, only, currency, limit)


def of_lines(
    make: Callable[..., T], period: Period, currency: str, only: Filter, *more: Hashable
) -> T:
    """`make(the lake's lines of it, *more)`; see `breakdowns.of_slice`. Raises Unreachable."""
    return breakdowns.of_slice(make, period, currency, only.country, only.category, *more)
