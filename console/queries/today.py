"""Today so far, and other days until the same time of theirs."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import polars as pl

from console.periods import Period, preset_period
from console.queries import behaviour, breakdowns, orders, runs, sales

FEED = 15
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


def begin(token: str, at: datetime) -> None:
    """Read side by side what the page needs."""
    runs.find_replay.begin()
    sales.freshness.begin(token)
    orders.live.begin(preset_period("28d", at.date()), FEED)
    sales.settled_sales.begin(token, preset_period("28d", at.date()), "day")
    today = _whole_day(at.date())
    behaviour.counters.begin(token, today)
    for back in (0, 1, 7):
        day = _whole_day(at.date() - timedelta(days=back))
        sales.sales.begin(token, day, "hour")


def now_day(token: str, at: datetime, currency: str) -> Day:
    """From the aggregates. Raises edge.Unreachable, edge.SignedOut, edge.Problem."""
    period = _whole_day(at.date())
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
    period = _whole_day(until.date())
    day = breakdowns.of_slice(_as_it_is, period, currency, None, None)
    lines = day.filter(pl.col("at") < until)
    sold = breakdowns.totals(lines, currency)
    counted = behaviour.events(behaviour.between(first, until))
    return Day(
        until.date(), until, sold.orders, sold.net, sold.average_order if sold.orders else None,
        counted[_COMPLETED], counted[_VIEWED],
    )  # fmt: skip


def _whole_day(day: date) -> Period:
    return Period(day, day + timedelta(days=1))


def _as_it_is(lines: pl.DataFrame) -> pl.DataFrame:
    return lines


def hours(token: str, day: date, currency: str) -> list[int]:
    """Net revenue of each of its 24 hours, minor units, from the aggregates."""
    period = _whole_day(day)
    _, series = sales.sales(token, period, "hour")
    return [int(net) for net in sales.filled(series, currency, period, "hour")["net"]]
