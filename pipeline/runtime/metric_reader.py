"""Metrics read back from CloudWatch: which series there are, and their statistics by period."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.runtime.metrics import NAMESPACE

# CloudWatch takes 500. Fewer make shorter calls, between which the emulator serves the shop.
_MAX_QUERIES = 20
_MAX_PAGES = 40
_MAX_SERIES = 2_000
# What a process observed may arrive this much later.
UNSETTLED = timedelta(seconds=120)
Dimensions = Mapping[str, str]
Values = list[tuple[datetime, float]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One statistic (`SampleCount`, `p95`, `TC(:200)` …) of exactly one series."""

    metric: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str


def list_series(cloudwatch: Any, metric: str) -> list[dict[str, str]]:
    """The dimensions of every series of a metric of ours; at most 2,000."""
    series: list[dict[str, str]] = []
    pages = cloudwatch.get_paginator("list_metrics").paginate(
        Namespace=NAMESPACE, MetricName=metric
    )
    for page in pages:
        for found in page["Metrics"]:
            series.append({entry["Name"]: entry["Value"] for entry in found["Dimensions"]})
        if len(series) >= _MAX_SERIES:
            break
    return series


def named(dimensions: Dimensions) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(dimensions.items()))


def read(
    cloudwatch: Any, wanted: Sequence[Wanted], start: datetime, end: datetime, period_s: int
) -> list[Values]:
    """For each of `wanted`, (start of the period, value) in order of time; empty periods lack.

    Args: `start` and `end` at whole periods, so that a period is whole or absent.
    """
    found: list[Values] = []
    for first in range(0, len(wanted), _MAX_QUERIES):
        part = wanted[first : first + _MAX_QUERIES]
        by_id: dict[str, Values] = {f"q{index}": [] for index in range(len(part))}
        queries = [_query(f"q{index}", one, period_s) for index, one in enumerate(part)]
        for result in _results(cloudwatch, queries, start, end):
            pairs = zip(result["Timestamps"], result["Values"], strict=True)
            by_id[result["Id"]] += [(at, float(value)) for at, value in pairs]
        found += [sorted(values) for values in by_id.values()]
    return found


class Kept:
    """Values of the last `span`, of which only the periods that may still change are read again."""

    def __init__(self, cloudwatch: Any, period_s: int, span: timedelta) -> None:
        self._cloudwatch, self._period_s, self._span = cloudwatch, period_s, span
        self._values: dict[Wanted, dict[datetime, float]] = {}
        self._read_until: dict[Wanted, datetime] = {}

    def read(self, wanted: Sequence[Wanted], now: datetime) -> list[Values]:
        """As the function `read`, up to `now`. Not for several threads at once."""
        oldest = floor(now, self._period_s) - self._span
        by_start: dict[datetime, list[Wanted]] = {}
        for one in wanted:
            until = self._read_until.get(one, oldest)
            start = max(oldest, floor(until - UNSETTLED, self._period_s))
            by_start.setdefault(start, []).append(one)
        for start, part in by_start.items():
            found = read(self._cloudwatch, part, start, now + timedelta(seconds=1), self._period_s)
            for one, values in zip(part, found, strict=True):
                kept = self._values.get(one, {}).items()
                self._values[one] = {at: v for at, v in kept if oldest <= at < start} | dict(values)
                self._read_until[one] = now
        return [sorted(self._values[one].items()) for one in wanted]


def floor(at: datetime, period_s: int) -> datetime:
    """The start of the period in which a moment lies."""
    return datetime.fromtimestamp(at.timestamp() // period_s * period_s, UTC)


def _results(
    cloudwatch: Any, queries: list[dict[str, Any]], start: datetime, end: datetime
) -> Iterator[dict[str, Any]]:
    more: dict[str, str] = {}
    for _ in range(_MAX_PAGES):
        answer = cloudwatch.get_metric_data(
            MetricDataQueries=queries, StartTime=start, EndTime=end, **more
        )
        yield from answer["MetricDataResults"]
        if not answer.get("NextToken"):
            return
        more = {"NextToken": answer["NextToken"]}


def _query(name: str, one: Wanted, period_s: int) -> dict[str, Any]:
    return {
        "Id": name,
        "MetricStat": {
            "Metric": {
                "Namespace": NAMESPACE,
                "MetricName": one.metric,
                "Dimensions": [{"Name": key, "Value": value} for key, value in one.dimensions],
            },
            "Period": period_s,
            "Stat": one.statistic,
        },
    }
