"""What the pipeline says of itself in CloudWatch over the last hour."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from console.queries import clients
from console.queries.probes import Reading, Watch
from pipeline.runtime import metric_reader
from pipeline.runtime.clock import now
from pipeline.runtime.metric_reader import Wanted

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
    `fold_p95_ms`: from the moment of a live event to its place in the aggregates.
    """

    counts: Mapping[str, int]
    functions: Mapping[str, Mapping[str, float]]
    fold_p95_ms: float | None


def read() -> Pipeline:
    """Raises botocore's errors."""
    functions: dict[str, dict[str, float]] = {}
    for name, (metric, statistic) in _BY_FUNCTION.items():
        for dimensions, value in _latest(metric, statistic):
            if function := dimensions.get("Function"):
                functions.setdefault(function, {})[name] = value
    counts = {
        name: round(sum(value for _, value in values))
        for name, metric in _COUNTERS.items()
        if (values := _latest(metric, "Sum"))
    }
    delays = [value for _, value in _latest("FoldLatency", "p95")]
    return Pipeline(counts, functions, max(delays, default=None))


def _latest(metric: str, statistic: str) -> list[tuple[dict[str, str], float]]:
    """(dimensions, statistic of the last hour) of each series; 0 for one that was silent.

    A period of an hour begins at the full hour, so the last hour touches two: sums are added, of
    anything else the larger is taken.
    """
    cloudwatch, end = clients.quick("cloudwatch"), now()
    series = metric_reader.list_series(cloudwatch, metric)
    wanted = [Wanted(metric, metric_reader.named(found), statistic) for found in series]
    start = end - timedelta(minutes=MINUTES)
    found = metric_reader.read(
        cloudwatch, wanted, start.replace(second=0, microsecond=0), end, _PERIOD_S
    )
    join = sum if statistic in ("Sum", "SampleCount") else max
    return [
        (dimensions, float(join(value for _, value in values)) if values else 0.0)
        for dimensions, values in zip(series, found, strict=True)
    ]


_WATCH = Watch("pipeline-metrics", lambda: {"pipeline": read}, pause_s=10.0)


def pipeline() -> Reading:
    return _WATCH.latest()["pipeline"]
