"""Good and bad values of each objective by window, from CloudWatch and the proof ledger."""

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from boto3.dynamodb.conditions import Key

from pipeline.contracts import keys
from pipeline.contracts.slo import COUNTERS, WINDOWS_MIN, Counts, Objective, SloFile
from pipeline.runtime import metric_reader
from pipeline.runtime.metric_reader import Kept, Values, Wanted, floor

Clock = Callable[[], datetime]
Timed = list[tuple[datetime, Counts]]
# (dimensions, all values, those within the objective's bound) of one series.
Found = tuple[dict[str, str], Values, Values]
_MAX_PAGES = 20


class NotCounted(ValueError):
    """The source answered with something that is no count, as one without trimmed counts does."""


@dataclass(frozen=True, slots=True)
class Grain:
    """How finely a window is read: `span_min` back, in periods, and again after `fresh_s`."""

    span_min: int
    period_s: int
    fresh_s: float


# A window is read from the finest grain that covers it; its start is rounded to a whole period.
_GRAINS = (Grain(60, 60, 10), Grain(360, 300, 60), Grain(90 * 1440, 3600, 300))


class Indicators:
    """Counts of every objective by window; what was just read is not read again.

    Args: `ops` is the ops table (a boto3 resource), where the proof ledger keeps its runs.
    """

    def __init__(self, cloudwatch: Any, ops: Any, clock: Clock) -> None:
        self._cloudwatch, self._ops, self._clock = cloudwatch, ops, clock
        self._kept: dict[tuple[Any, ...], tuple[float, Any]] = {}
        self._readers: dict[tuple[int, timedelta], Kept] = {}
        self._lock = Lock()

    def counts(self, file: SloFile, name: str) -> dict[int, Counts]:
        """By window in minutes: those of the rules and the file's whole window.

        Raises botocore's errors when CloudWatch or the ops table does not answer, NotCounted.
        """
        windows = {window for rule in file.rules for window in (rule.long_min, rule.short_min)}
        windows |= {*WINDOWS_MIN, file.window_d * 1440}
        objective = file.objectives[name]
        return {
            window: self._over(objective, window, file.window_d * 1440)
            for window in sorted(windows)
        }

    def by(self, objective: Objective, dimension: str, window_min: int) -> dict[str, Counts]:
        """Counts over one window of at most an hour, by the value of one dimension."""
        grain = _GRAINS[0]
        since = floor(self._clock(), grain.period_s) - timedelta(minutes=window_min)
        found: dict[str, Counts] = {}
        for one in self._raw(objective, grain, grain.span_min):
            counts = sum((c for at, c in _judged(objective, [one]) if at >= since), Counts())
            name = one[0].get(dimension, "")
            found[name] = found.get(name, Counts()) + counts
        return found

    def series(self, file: SloFile, name: str, hours: int) -> Timed:
        """Counts by period of the last hours, to be drawn: by 5 minutes up to 6 h, else by hour."""
        grain = _GRAINS[1] if hours <= 6 else _GRAINS[2]
        since = floor(self._clock(), grain.period_s) - timedelta(hours=hours)
        found = self._timed(file.objectives[name], grain, file.window_d * 1440)
        return [(at, counts) for at, counts in found if at >= since]

    def _over(self, objective: Objective, window_min: int, longest_min: int) -> Counts:
        grain = next(grain for grain in _GRAINS if window_min <= grain.span_min)
        since = floor(self._clock(), grain.period_s) - timedelta(minutes=window_min)
        found = self._timed(objective, grain, longest_min)
        return sum((counts for at, counts in found if at >= since), Counts())

    def _timed(self, objective: Objective, grain: Grain, longest_min: int) -> Timed:
        if objective.metric == "ProofChecks":
            ledger: Timed = self._once(("ledger",), 30, self._read_ledger)
            return ledger
        return _judged(objective, self._raw(objective, grain, longest_min))

    def _raw(self, objective: Objective, grain: Grain, longest_min: int) -> list[Found]:
        span = timedelta(minutes=min(grain.span_min, longest_min))
        key = (grain.period_s, objective.metric, objective.within)

        def read() -> list[Found]:
            return self._read(objective, grain, span)

        found: list[Found] = self._once(key, grain.fresh_s, read)
        return found

    def _read(self, objective: Objective, grain: Grain, span: timedelta) -> list[Found]:
        metric, within = objective.metric, objective.within
        series = metric_reader.list_series(self._cloudwatch, metric)
        statistics = ["Sum" if metric in COUNTERS else "SampleCount"]
        if within is not None:
            statistics.append(f"TC(:{within:g})")
        wanted = [
            Wanted(metric, metric_reader.named(dimensions), statistic)
            for statistic in statistics
            for dimensions in series
        ]
        kept = self._readers.setdefault(
            (grain.period_s, span), Kept(self._cloudwatch, grain.period_s, span)
        )
        found = kept.read(wanted, self._clock())
        count = len(series)
        good: Iterable[Values] = found[count:] if within is not None else found[:count]
        return list(zip(series, found[:count], good, strict=True))

    def _read_ledger(self) -> Timed:
        """Checks of each proof that is kept; what could not be proven counts as neither."""
        runs: Timed = []
        start: dict[str, Any] = {}
        condition = Key("pk").eq(keys.past_proof("")["pk"])
        for _ in range(_MAX_PAGES):
            page = self._ops.query(KeyConditionExpression=condition, **start)
            runs += [_ledger_counts(item) for item in page["Items"]]
            if "LastEvaluatedKey" not in page:
                break
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
        return sorted(runs, key=lambda run: run[0])

    def _once(self, key: tuple[Any, ...], fresh_s: float, read: Callable[[], Any]) -> Any:
        with self._lock:
            at, value = self._kept.get(key, (float("-inf"), None))
            if time.monotonic() - at > fresh_s:
                value = read()
                self._kept[key] = (time.monotonic(), value)
            return value


def _judged(objective: Objective, found: list[Found]) -> Timed:
    by_period: dict[datetime, Counts] = {}
    for dimensions, totals, goods in found:
        if _has(dimensions, objective.without):
            continue
        is_bad = _has(dimensions, objective.bad)
        good = {} if is_bad else dict(goods)
        for at, total in totals:
            fine = good.get(at, 0.0)
            if fine > total or fine != round(fine):
                raise NotCounted(f"CloudWatch gives no count of {objective.metric} within a bound")
            counts = Counts(bad=round(total - fine), total=round(total))
            by_period[at] = by_period.get(at, Counts()) + counts
    return sorted(by_period.items())


def _has(dimensions: dict[str, str], values: dict[str, list[str]]) -> bool:
    return any(dimensions.get(name) in allowed for name, allowed in values.items())


def _ledger_counts(item: dict[str, Any]) -> tuple[datetime, Counts]:
    report = json.loads(str(item.get("report") or "{}"))
    verdicts = [str(check.get("verdict")) for check in report.get("checks") or []]
    bad = verdicts.count("invalid")
    at = datetime.fromisoformat(str(item["at"]))
    return at, Counts(bad, bad + verdicts.count("valid"))
