"""Today so far, and other days until the same time of theirs."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import polars as pl

from console.periods import Period
from console.queries import behaviour, breakdowns, sales

_COMPLETED = "shopper.order_completed.v1"
_VIEWED = "shopper.product_viewed.v1"


@dataclass(frozen=True, slots=True)
class Day:
    """`until` is the moment it is looked at; `completed` and `viewed` are browser events."""

    day: date
    until: datetime
    orders: int
    net: int
    average_order: int | None
    completed: int
    viewed: int

    @property
    def conversion(self) -> float | None:
        """Completed orders per 100 product views, both as browsers report them."""
        return self.completed * 100 / self.viewed if self.viewed else None


def now_day(token: str, at: datetime, currency: str) -> Day:
    """From the aggregates. Raises edge.Unreachable, edge.SignedOut, edge.Problem."""
    period = Period(at.date(), at.date() + timedelta(days=1), "today")
    totals, _ = sales.sales(token, period, "hour")
    mine = totals.get(currency, sales.Totals(currency))
    counted = behaviour.counters(token, period)
    return Day(
        at.date(), at, mine.orders, mine.net, mine.average_order if mine.orders else None,
        counted[_COMPLETED], counted[_VIEWED],
    )  # fmt: skip


def earlier_day(at: datetime, days: int, currency: str) -> Day:
    """The same time `days` before, from the lake. Raises edge.Unreachable."""
    until = at - timedelta(days=days)
    first = datetime.combine(until.date(), time.min, UTC)
    period = Period(until.date(), until.date() + timedelta(days=1))
    lines = breakdowns.sliced(period, currency).filter(pl.col("at") < until)
    sold = breakdowns.totals(lines, currency)
    counted = behaviour.events(behaviour.between(first, until))
    return Day(
        until.date(), until, sold.orders, sold.net, sold.average_order if sold.orders else None,
        counted[_COMPLETED], counted[_VIEWED],
    )  # fmt: skip


def hours(token: str, day: date, currency: str) -> list[int]:
    """Net revenue of each of its 24 hours, minor units, from the aggregates."""
    period = Period(day, day + timedelta(days=1))
    _, series = sales.sales(token, period, "hour")
    return [int(net) for net in sales.filled(series, currency, period, "hour")["net"]]
