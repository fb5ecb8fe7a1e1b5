"""What the pipeline says of itself in CloudWatch over the last hour."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from console.queries import clients
from console.queries.probes import Reading, Watch
from pipeline.runtime import metric_reader
from pipeline.runtime.clock import now
from pipeline.runtime.metric_reader import Values, Wanted

MINUTES = 60
_PERIOD_S = 3600
# Counters of events, by what a person calls them.
_COUNTERS = {
    "landed": "EventsLanded",
    "folded": "EventsFolded",
    "duplicates": "DuplicatesDropped",
    "quarantined": "EventsQuarantined",
    "late": "LateEvents",
}
# It drops the duplicates that folding dropped, once more: from the tables.
_AGAIN = "compaction"
_BY_FUNCTION = {
    "calls": ("FunctionDuration", "SampleCount"),
    "p95_ms": ("FunctionDuration", "p95"),
    "errors": ("FunctionErrors", "Sum"),
    "records": ("BatchSize", "Sum"),
    "failures": ("BatchItemFailures", "Sum"),
    "iterator_age_ms": ("IteratorAge", "Maximum"),
}


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Sums over the last hour; a name that nobody has ever sent is missing from `counts`.

    `functions`: name → calls, p95_ms, errors, records, failures, iterator_age_ms (its largest).
    `fold_p95_ms`: from the moment of a live event to its place in the aggregates. `newest_age_s`:
    layer (`raw`, `curated`) → how long ago its newest live event happened, as last told.
    """

    counts: Mapping[str, int]
    functions: Mapping[str, Mapping[str, float]]
    fold_p95_ms: float | None
    newest_age_s: Mapping[str, float]


def read() -> Pipeline:
    """Raises botocore's errors."""
    functions: dict[str, dict[str, float]] = {}
    for name, (metric, statistic) in _BY_FUNCTION.items():
        for dimensions, value in _latest(metric, statistic):
            if function := dimensions.get("Function"):
                functions.setdefault(function, {})[name] = value
    counts = {
        name: round(sum(value for of, value in values if of.get("Function") != _AGAIN))
        for name, metric in _COUNTERS.items()
        if (values := _latest(metric, "Sum"))
    }
    delays = [value for _, value in _latest("FoldLatency", "p95")]
    ages = {
        dimensions["Layer"]: values[-1][1]
        for dimensions, values in _values("NewestEventAge", "Maximum", 10, 60)
        if values
    }
    return Pipeline(counts, functions, max(delays, default=None), ages)


def _latest(metric: str, statistic: str) -> list[tuple[dict[str, str], float]]:
    """(dimensions, statistic of the last hour) of each series; 0 for one that was silent.

    A period of an hour begins at the full hour, so the last hour touches two: sums are added, of
    anything else the larger is taken.
    """
    join = sum if statistic in ("Sum", "SampleCount") else max
    return [
        (dimensions, float(join(value for _, value in values)) if values else 0.0)
        for dimensions, values in _values(metric, statistic, MINUTES, _PERIOD_S)
    ]


def _values(
    metric: str, statistic: str, minutes: int, period_s: int
) -> list[tuple[dict[str, str], Values]]:
    """(dimensions, values by period in order of time) of each series."""
    cloudwatch, end = clients.quick("cloudwatch"), now()
    series = metric_reader.list_series(cloudwatch, metric)
    wanted = [Wanted(metric, metric_reader.named(found), statistic) for found in series]
    start = (end - timedelta(minutes=minutes)).replace(second=0, microsecond=0)
    found = metric_reader.read(cloudwatch, wanted, start, end, period_s)
    return list(zip(series, found, strict=True))


_WATCH = Watch("pipeline-metrics", lambda: {"pipeline": read}, pause_s=10.0)


def pipeline() -> Reading:
    return _WATCH.latest()["pipeline"]
