"""Requests as the services measured them, read back from CloudWatch a little at a time.

A period that has passed does not change, so only the last few are read again. All series are
summed as histograms: percentiles over routes and zones are taken from the summed buckets.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from threading import Lock

import polars as pl

from console.queries import clients
from console.queries.probes import Reading, Watch
from pipeline.runtime import metric_reader
from pipeline.runtime.clock import now
from pipeline.runtime.indicators import NotCounted
from pipeline.runtime.metric_reader import UNSETTLED, Wanted, floor

METRIC = "RequestDuration"
# Upper bounds of the histogram's buckets, in ms; one more is open above.
EDGES_MS = (2, 5, 10, 20, 50, 100, 200, 300, 500, 1000, 2000)
BUCKETS = tuple(f"b{index}" for index in range(len(EDGES_MS) + 1))
# The probes of the edge and of the stack itself are no requests of shoppers.
PROBES = ("GET /readyz", "GET /healthz")
_SERIES_FRESH_S = 60.0
_DIMENSIONS = ("Service", "Zone", "Route", "Status")
SCHEMA: dict[str, type[pl.DataType] | pl.DataType] = {
    "at": pl.Datetime("us", "UTC"),
    **{name.lower(): pl.String for name in _DIMENSIONS},
    **dict.fromkeys(BUCKETS, pl.Int64),
}


@dataclass(frozen=True, slots=True)
class Span:
    """How far back, and in which periods (s)."""

    label: str
    minutes: int
    period_s: int


SPANS = {"15m": Span("15 min", 15, 60), "1h": Span("1 h", 60, 60), "6h": Span("6 h", 360, 300)}
Row = tuple[datetime, tuple[tuple[str, str], ...]]


class History:
    """The last `span` of requests, kept and brought up to date."""

    def __init__(self, span: Span) -> None:
        self._span = span
        self._rows: dict[Row, list[int]] = {}
        self._series: list[tuple[tuple[str, str], ...]] = []
        self._series_at = float("-inf")
        self._read_until: datetime | None = None
        self._lock = Lock()

    def read(self) -> pl.DataFrame:
        """DataFrame[at, service, zone, route, status, b0 … b11: requests], one row per period and
        series; probes left out. Raises botocore's errors, NotCounted.
        """
        with self._lock:
            end = now()
            oldest = floor(end, self._span.period_s) - timedelta(minutes=self._span.minutes)
            start = oldest
            if self._read_until is not None:
                start = max(oldest, floor(self._read_until - UNSETTLED, self._span.period_s))
            self._refresh_series()
            self._read_from(start, end + timedelta(seconds=1))
            self._read_until = end
            self._rows = {key: counts for key, counts in self._rows.items() if key[0] >= oldest}
            return self._frame()

    def _refresh_series(self) -> None:
        if time.monotonic() - self._series_at < _SERIES_FRESH_S and self._series:
            return
        cloudwatch = clients.quick("cloudwatch")
        found = metric_reader.list_series(cloudwatch, METRIC)
        kept = [series for series in found if series.get("Route") not in PROBES]
        fresh = [metric_reader.named(series) for series in kept if set(series) == set(_DIMENSIONS)]
        if set(fresh) - set(self._series):
            self._read_until = None  # a new series may have begun before the last reading
        self._series, self._series_at = fresh, time.monotonic()

    def _read_from(self, start: datetime, end: datetime) -> None:
        bounds = ["", *(f"{edge:g}" for edge in EDGES_MS), ""]
        statistics = [f"TC({low}:{high})" for low, high in pairwise(bounds)]
        cloudwatch = clients.quick("cloudwatch")
        # Most series are silent most of the time: only who speaks is asked for its histogram.
        totals = [Wanted(METRIC, series, "SampleCount") for series in self._series]
        counted = metric_reader.read(cloudwatch, totals, start, end, self._span.period_s)
        speaking = [s for s, values in zip(self._series, counted, strict=True) if values]
        wanted = [Wanted(METRIC, series, stat) for series in speaking for stat in statistics]
        found = metric_reader.read(cloudwatch, wanted, start, end, self._span.period_s)
        fresh: dict[Row, list[int]] = {}
        for one, values, bucket in zip(
            wanted, found, list(range(len(BUCKETS))) * len(speaking), strict=True
        ):
            for at, value in values:
                if value != round(value):
                    raise NotCounted("CloudWatch gives no counts within bounds (statistic TC).")
                fresh.setdefault((at, one.dimensions), [0] * len(BUCKETS))[bucket] = round(value)
        self._rows |= fresh

    def _frame(self) -> pl.DataFrame:
        rows = [
            (at, *(dict(series)[name] for name in _DIMENSIONS), *counts)
            for (at, series), counts in self._rows.items()
        ]
        return pl.DataFrame(rows, schema=SCHEMA, orient="row").sort("at")


def percentile(counts: Sequence[int], share: float) -> float | None:
    """The value (ms) below which `share` of the requests lie, even spread assumed in a bucket."""
    total = sum(counts)
    if not total:
        return None
    wanted, seen = share * total, 0
    for index, count in enumerate(counts):
        if count and seen + count >= wanted:
            low = float(EDGES_MS[index - 1]) if index else 0.0
            if index == len(EDGES_MS):
                return low  # open above: at least this
            return low + (EDGES_MS[index] - low) * (wanted - seen) / count
        seen += count
    return float(EDGES_MS[-1])


def summary(frame: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """DataFrame[*by, requests, errors, p50, p95, p99: ms, null without requests], sorted.

    Errors are the answers of 5xx: what the service itself did wrong.
    """
    total = pl.sum_horizontal(BUCKETS)
    grouped = frame.group_by(by, maintain_order=True).agg(
        *(pl.col(bucket).sum() for bucket in BUCKETS),
        total.sum().alias("requests"),
        total.filter(pl.col("status") == "5xx").sum().alias("errors"),
    )
    columns = {
        name: [percentile(row, share) for row in grouped.select(BUCKETS).iter_rows()]
        for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
    }
    added = [pl.Series(name, values, dtype=pl.Float64) for name, values in columns.items()]
    return grouped.with_columns(added).select(*by, "requests", "errors", *columns).sort(by)


def per_period(frame: pl.DataFrame, span: Span) -> pl.DataFrame:
    """As `summary` by `at`, with a row for each period that has passed, also the quiet ones."""
    first = floor(now(), span.period_s) - timedelta(minutes=span.minutes)
    count = span.minutes * 60 // span.period_s
    every = [first + timedelta(seconds=span.period_s * index) for index in range(count + 1)]
    found = summary(frame, ["at"])
    axis = pl.DataFrame({"at": every}, schema={"at": SCHEMA["at"]})
    filled = axis.join(found, on="at", how="left")
    return filled.with_columns(pl.col("requests", "errors").fill_null(0))


def histogram(frame: pl.DataFrame) -> list[int]:
    return [int(frame[bucket].sum() or 0) for bucket in BUCKETS]


def requests(span: str) -> Reading:
    """The newest frame, shared by everybody who looks; read again every 10 s."""
    return _WATCHES[span].latest()["requests"]


def _watch(name: str, span: Span) -> Watch:
    history = History(span)
    return Watch(f"requests-{name}", lambda: {"requests": history.read}, pause_s=10.0)


_WATCHES = {name: _watch(name, span) for name, span in SPANS.items()}
