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
from pipeline.runtime.signals import settings

NAMESPACE = "HighAvailabilityShop"
Unit = Literal["Count", "Milliseconds", "Bytes", "Seconds", "Percent", "None"]
# CloudWatch's limits: 150 distinct values in a datum, 1,000 data in a call.
MAX_VALUES = 150
MAX_DATA = 1_000
MAX_SERIES = 2_000

log = get_logger()
Series = tuple[str, Unit, tuple[tuple[str, str], ...]]


def series(name: str, unit: Unit, **dimensions: str) -> Series:
    """What values are observed under; worth keeping by whoever observes often."""
    return name, unit, tuple(sorted(dimensions.items()))


class Metrics:
    """Collects values and flushes them every `period_s`; safe to call from any thread."""

    def __init__(
        self, clock: Clock = now, period_s: float = 10.0, is_on: bool | None = None
    ) -> None:
        self._clock = clock
        self._period_s = period_s
        self._is_on = is_on
        self._values: dict[Series, Counter[float]] = {}
        self._sums: dict[Series, float] = {}
        self._refused = 0
        self._guard = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def observe(self, name: str, value: float, unit: Unit, **dimensions: str) -> None:
        """One value of a distribution, such as a duration; kept to two significant digits."""
        self.observe_in(series(name, unit, **dimensions), value)

    def observe_in(self, into: Series, value: float) -> None:
        if not self.is_on:
            return
        value = _rounded(value)
        with self._guard:
            values = self._values.get(into)
            if values is None:
                if not self._has_room():
                    return
                values = self._values[into] = Counter()
            values[value] += 1

    def add(self, name: str, amount: float, unit: Unit = "Count", **dimensions: str) -> None:
        """Towards a sum, kept exactly: orders, money in minor units, bytes."""
        self._sum(series(name, unit, **dimensions), amount, is_gauge=False)

    def gauge(self, name: str, value: float, unit: Unit, **dimensions: str) -> None:
        """How things stand: of several values in one period the last one counts."""
        self._sum(series(name, unit, **dimensions), value, is_gauge=True)

    def _sum(self, into: Series, amount: float, *, is_gauge: bool) -> None:
        if not self.is_on:
            return
        with self._guard:
            if into in self._sums or self._has_room():
                self._sums[into] = amount + (0 if is_gauge else self._sums.get(into, 0))

    def _has_room(self) -> bool:
        if len(self._values) + len(self._sums) < MAX_SERIES:
            return True
        self._refused += 1
        return False

    @property
    def is_on(self) -> bool:
        return settings().is_on if self._is_on is None else self._is_on

    def start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self.flush()

    def take(self) -> list[dict[str, Any]]:
        """What was observed since the last time, as data of PutMetricData; a value goes once."""
        with self._guard:
            values, self._values = self._values, {}
            sums, self._sums = self._sums, {}
            refused, self._refused = self._refused, 0
        if refused:
            log.warning("metrics.refused", values=refused, limit=MAX_SERIES)
        moment = self._clock()
        data = [datum for taken in values.items() for datum in _to_data(taken, moment)]
        data += [{**_head(into, moment), "Value": float(total)} for into, total in sums.items()]
        return data

    def flush(self) -> None:
        """Send what was observed since the last time; on failure it is dropped and logged."""
        data = self.take()
        try:
            for start in range(0, len(data), MAX_DATA):
                aws.plain_client("cloudwatch").put_metric_data(
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


def _head(into: Series, moment: datetime) -> dict[str, Any]:
    name, unit, dimensions = into
    return {
        "MetricName": name,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions],
        "Timestamp": moment,
        "Unit": unit,
    }


def _to_data(taken: tuple[Series, Counter[float]], moment: datetime) -> list[dict[str, Any]]:
    into, values = taken
    pairs = sorted(values.items())
    return [
        {
            **_head(into, moment),
            "Values": [value for value, _ in pairs[start : start + MAX_VALUES]],
            "Counts": [float(count) for _, count in pairs[start : start + MAX_VALUES]],
        }
        for start in range(0, len(pairs), MAX_VALUES)
    ]


metrics = Metrics()
