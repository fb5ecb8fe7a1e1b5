"""Metrics: observed in process, sent to CloudWatch by one background thread.

Values travel as distinct values with counts, so that CloudWatch can give real percentiles.
Nothing here is on a request's path but a dictionary update; what cannot be sent is dropped and
counted, never queued without bound.
"""

import threading
from collections import Counter
from datetime import datetime
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from pipeline.runtime import aws
from pipeline.runtime.clock import Clock, now
from pipeline.runtime.logs import get_logger

NAMESPACE = "HighAvailabilityShop"
Unit = Literal["Count", "Milliseconds", "Bytes", "Seconds"]
# CloudWatch's limits: 150 distinct values in a datum, 1,000 data in a call.
MAX_VALUES = 150
MAX_DATA = 1_000
MAX_SERIES = 2_000

log = get_logger()
_Series = tuple[str, Unit, tuple[tuple[str, str], ...]]


class Metrics:
    """Collects values and flushes them every `period_s`; safe to call from any thread."""

    def __init__(self, clock: Clock = now, period_s: float = 10.0) -> None:
        self._clock = clock
        self._period_s = period_s
        self._values: dict[_Series, Counter[float]] = {}
        self._guard = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def observe(self, name: str, value: float, unit: Unit, **dimensions: str) -> None:
        series: _Series = (name, unit, tuple(sorted(dimensions.items())))
        with self._guard:
            values = self._values.get(series)
            if values is None:
                if len(self._values) >= MAX_SERIES:
                    return
                values = self._values[series] = Counter()
            values[_rounded(value)] += 1

    def start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self.flush()

    def flush(self) -> None:
        """Send what was observed since the last time; on failure it is dropped and logged."""
        with self._guard:
            taken, self._values = self._values, {}
        data = [datum for series in taken.items() for datum in _to_data(series, self._clock())]
        try:
            for start in range(0, len(data), MAX_DATA):
                aws.client("cloudwatch").put_metric_data(
                    Namespace=NAMESPACE, MetricData=data[start : start + MAX_DATA]
                )
        except (BotoCoreError, ClientError) as error:
            log.warning("metrics.dropped", data=len(data), error=type(error).__name__)

    def _run(self) -> None:
        while not self._stopped.wait(self._period_s):
            self.flush()


def _rounded(value: float) -> float:
    """Two significant digits: at most 90 distinct values a decade, and 5 % of error at worst."""
    return float(f"{value:.1e}")


def _to_data(series: tuple[_Series, Counter[float]], moment: datetime) -> list[dict[str, Any]]:
    (name, unit, dimensions), values = series
    pairs = sorted(values.items())
    return [
        {
            "MetricName": name,
            "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions],
            "Timestamp": moment,
            "Unit": unit,
            "Values": [value for value, _ in pairs[start : start + MAX_VALUES]],
            "Counts": [float(count) for _, count in pairs[start : start + MAX_VALUES]],
        }
        for start in range(0, len(pairs), MAX_VALUES)
    ]


metrics = Metrics()
