"""Sales, products and clicks from the aggregates; sums of integers, nothing else."""

from calendar import monthrange
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal, Protocol

from pipeline.contracts.errors import Unprocessable
from pipeline.contracts.events import CLICK_TYPES
from pipeline.contracts.funnel import STEPS
from pipeline.contracts.keys import Grain, Stream

GroupBy = Literal["country", "category"]
COUNTERS = ("orders", "units", "gross", "refunds")
DEFAULT_DAYS = 30
MAX_HOUR_DAYS = 92
# Only years and months in which something was booked cost anything to read.
MAX_CLICK_DAYS = 7_400
# Each term of each day is an item to read.
MAX_SEARCH_DAYS = 92
MAX_TOP_DAYS = 7_400


@dataclass(frozen=True, slots=True)
class Range:
    """Whole UTC days: `since` inclusive, `until` exclusive."""

    since: date
    until: date

    @property
    def days(self) -> int:
        return (self.until - self.since).days

    def has_whole(self, month: str) -> bool:
        """Whether a month, `2011-12`, lies in it from its first day to its last."""
        first = date.fromisoformat(f"{month}-01")
        last = first.replace(day=monthrange(first.year, first.month)[1])
        return self.since <= first and last < self.until


@dataclass(frozen=True, slots=True)
class SalesItem:
    """One aggregate item: its bucket, currency and counters (`gross`, `gross|country|France` …)."""

    bucket: str
    currency: str
    counters: Mapping[str, int]


# The months in which something was booked; the value changes with whatever is booked in one.
Months = Mapping[str, Hashable]


class Aggregates(Protocol):
    def months(self, stream: Stream, period: Range) -> Months:
        """Of those that the period touches."""

    def sales(
        self, stream: Stream, grain: Grain, period: Range, months: Months
    ) -> Iterable[SalesItem]:
        """The items of a grain whose bucket lies in the period; days where it cuts a month."""

    def customers(self, stream: Stream, period: Range, months: Months) -> Mapping[str, set[str]]:
        """Currency -> the distinct registered customers of the period."""

    def products(
        self, stream: Stream, period: Range, months: Months
    ) -> Mapping[tuple[str, str], Counter[str]]:
        """(currency, product id) -> its `units` and `gross`."""

    def clicks(self, stream: Stream, period: Range) -> Counter[str]:
        """Event type -> how many."""

    def sessions(self, stream: Stream, period: Range) -> Mapping[str, Counter[str]]:
        """Day -> how many of the sessions that began on it reached each step of the funnel."""

    def searches_without_results(self, stream: Stream, period: Range) -> Counter[str]:
        """Term -> how often it was looked for in vain."""

    def titles(self, product_ids: Sequence[str]) -> Mapping[str, str]:
        """Product id -> title, of those the catalogue knows."""


def period_of(since: date | None, until: date | None, now: datetime) -> Range:
    """The range asked for; the last 30 days by default, today included."""
    end = until or now.astimezone(UTC).date() + timedelta(days=1)
    try:
        start = since or end - timedelta(days=DEFAULT_DAYS)
    except OverflowError:
        raise refused("to", "is too early") from None
    if start >= end:
        raise refused("to", f"must be after from ({start})")
    return Range(start, end)


def refused(field: str, message: str) -> Unprocessable:
    return Unprocessable(f"{field} {message}", errors=[{"field": field, "message": message}])


Total = dict[str, str | int | None]


def sales_report(
    aggregates: Aggregates,
    period: Range,
    grain: Grain,
    group_by: GroupBy | None,
    streams: Sequence[Stream],
) -> tuple[list[Total], list[Total]]:
    """(totals per currency, series per bucket, currency and group), both sorted.

    Buckets without a sale or refund are left out. Raises Unprocessable for hours of too long a
    period.
    """
    if grain == "hour" and period.days > MAX_HOUR_DAYS:
        raise refused("grain", f"hour takes at most {MAX_HOUR_DAYS} days, not {period.days}")
    totals: dict[str, Counter[str]] = defaultdict(Counter)
    series: dict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    customers: dict[str, set[str]] = defaultdict(set)
    marker = f"|{group_by}|" if group_by else ""
    for stream in streams:
        months = aggregates.months(stream, period)
        for item in aggregates.sales(stream, grain, period, months):
            bucket = item.bucket[:7] if grain == "month" else item.bucket
            for counter in COUNTERS:
                totals[item.currency][counter] += item.counters.get(counter, 0)
            if not group_by:
                for counter in COUNTERS:
                    series[bucket, item.currency, ""][counter] += item.counters.get(counter, 0)
                continue
            for name, amount in item.counters.items():
                counter, is_of_it, group = name.partition(marker)
                if is_of_it:
                    series[bucket, item.currency, group][counter] += amount
        for currency, ids in aggregates.customers(stream, period, months).items():
            customers[currency] |= ids
    return (
        [_total(currency, totals[currency], customers[currency]) for currency in sorted(totals)],
        [
            {"bucket": bucket, "currency": currency, **({"group": group} if group_by else {}),
             **_counted(counted)}
            for (bucket, currency, group), counted in sorted(series.items())
        ],
    )  # fmt: skip


def _total(currency: str, counted: Counter[str], customers: set[str]) -> Total:
    orders = counted["orders"]
    return {
        "currency": currency,
        **_counted(counted),
        "customers": len(customers),
        "average_order": _rounded(counted["gross"], orders) if orders else None,
    }


def _counted(counted: Counter[str]) -> Total:
    counters: Total = {name: counted[name] for name in COUNTERS}
    return counters | {"net": counted["gross"] + counted["refunds"]}


def _rounded(amount: int, parts: int) -> int:
    """A share in whole minor units, halves up."""
    return (2 * amount + parts) // (2 * parts)


def top_products(
    aggregates: Aggregates,
    period: Range,
    by: Literal["gross", "units"],
    limit: int,
    streams: Sequence[Stream],
) -> list[Total]:
    """The products sold most, per currency at most `limit`, by what was sold (refunds apart)."""
    if period.days > MAX_TOP_DAYS:
        raise refused("from", f"at most {MAX_TOP_DAYS} days, not {period.days}")
    summed: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for stream in streams:
        months = aggregates.months(stream, period)
        for key, counted in aggregates.products(stream, period, months).items():
            summed[key].update(counted)
    best: list[tuple[str, str]] = []
    for currency in sorted({currency for currency, _ in summed}):
        mine = [key for key in summed if key[0] == currency]
        best += sorted(mine, key=lambda key: (-summed[key][by], key))[:limit]
    titles = aggregates.titles([product_id for _, product_id in best])
    return [
        {"product_id": product_id, "title": titles.get(product_id, product_id),
         "currency": currency, "units": summed[currency, product_id]["units"],
         "gross": summed[currency, product_id]["gross"]}
        for currency, product_id in best
    ]  # fmt: skip


def funnel(aggregates: Aggregates, period: Range, streams: Sequence[Stream]) -> list[Total]:
    """Events per step, in the order of the way to an order."""
    _check_clicks(period)
    counted: Counter[str] = Counter()
    for stream in streams:
        counted.update(aggregates.clicks(stream, period))
    return [{"event_type": kind, "count": counted[kind]} for kind in CLICK_TYPES]


def sessions(
    aggregates: Aggregates, period: Range, streams: Sequence[Stream]
) -> tuple[Total, list[Total]]:
    """(sessions by the steps they reached, the same of each day on which some began)."""
    _check_clicks(period)
    days: dict[str, Counter[str]] = defaultdict(Counter)
    for stream in streams:
        for day, reached in aggregates.sessions(stream, period).items():
            days[day].update(reached)
    # A session is of one day alone, so that the days add up.
    total = sum(days.values(), Counter())
    return _reached(total), [{"day": day, **_reached(days[day])} for day in sorted(days)]


def _reached(counted: Counter[str]) -> Total:
    return {step: counted[step] for step in STEPS}


def searches_without_results(
    aggregates: Aggregates, period: Range, limit: int, streams: Sequence[Stream]
) -> tuple[list[Total], int]:
    """(the terms most often looked for in vain, how many such searches there were in all)."""
    if period.days > MAX_SEARCH_DAYS:
        raise refused("from", f"at most {MAX_SEARCH_DAYS} days, not {period.days}")
    counted: Counter[str] = Counter()
    for stream in streams:
        counted.update(aggregates.searches_without_results(stream, period))
    best = sorted(counted.items(), key=lambda one: (-one[1], one[0]))[:limit]
    return [{"term": term, "searches": searches} for term, searches in best], counted.total()


def _check_clicks(period: Range) -> None:
    if period.days > MAX_CLICK_DAYS:
        raise refused("from", f"at most {MAX_CLICK_DAYS} days, not {period.days}")
