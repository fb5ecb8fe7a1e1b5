"""What ministack's CloudWatch lacks of the real one, as far as the shop leans on it.

- Trimmed counts: `TC(100:200)` is how many values lie above 100 and not above 200.
- Alarms look at the series that they name: by itself it pools all series of a metric's name,
  knows no missing data and no M of N.
- A metric's points are kept by the minute, as CloudWatch keeps them, and old ones are cleared
  away once a minute, not at every request: that took longer the longer the shop ran.
"""

import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from operator import mul
from typing import Any

from ministack.services import cloudwatch

Point = dict[str, Any]
_TRIMMED_COUNT = re.compile(r"TC\(([\d.]*):([\d.]*)\)", re.IGNORECASE)
_CLEAR_EVERY_S = 60.0
# Late values of a minute may still come; after this it is put together.
_SETTLED_AFTER_S = 180.0
_COMPARE: dict[str, tuple[str, Callable[[float, float], bool]]] = {
    "GreaterThanThreshold": ("above", lambda value, threshold: value > threshold),
    "GreaterThanOrEqualToThreshold": ("at or above", lambda value, threshold: value >= threshold),
    "LessThanThreshold": ("below", lambda value, threshold: value < threshold),
    "LessThanOrEqualToThreshold": ("at or below", lambda value, threshold: value <= threshold),
}


def complete() -> None:
    """Call once, before ministack serves."""
    plain: Callable[..., float | None] = cloudwatch._stat_value

    def stat_value(
        stats: dict[str, float], name: str, points: list[Point] | None = None
    ) -> float | None:
        bounds = _TRIMMED_COUNT.fullmatch(name or "")
        if bounds is None:
            return plain(stats, name, points)
        low, high = float(bounds[1] or "-inf"), float(bounds[2] or "inf")
        return float(sum(p.get("Count", 1.0) for p in points or [] if low < p["Value"] <= high))

    cloudwatch._stat_value = stat_value
    cloudwatch._calc_stats = _sums
    cloudwatch._evaluate_alarm = evaluate
    cloudwatch._evict_old_metrics = _Tidy()


_plain_sums: Callable[[list[Point]], dict[str, float]] = cloudwatch._calc_stats


def _sums(points: list[Point]) -> dict[str, float]:
    """As ministack's own, in a third of the time: every request of the shop waits for it."""
    if any("_stat" in point for point in points):
        return _plain_sums(points)
    values = [point["Value"] for point in points]
    counts = [point.get("Count", 1.0) for point in points]
    if not (count := sum(counts)):
        return {}
    total = sum(map(mul, values, counts))
    return {
        "SampleCount": count,
        "Sum": total,
        "Average": total / count,
        "Minimum": min(values),
        "Maximum": max(values),
    }


def evaluate(alarm: dict[str, Any]) -> None:
    """Moves the alarm to the state that its own series calls for, and tells its topic."""
    if alarm.get("ComparisonOperator") not in _COMPARE:
        return
    new_state, reason = _judge(alarm, time.time())
    old_state = alarm["StateValue"]
    if new_state == old_state:
        return
    alarm["StateValue"], alarm["StateReason"] = new_state, reason
    alarm["StateUpdatedTimestamp"] = alarm["StateTransitionedTimestamp"] = int(time.time())
    cloudwatch._record_history(alarm["AlarmName"], old_state, new_state, reason)
    cloudwatch._dispatch_alarm_actions(alarm, old_state, new_state, reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def _judge(alarm: dict[str, Any], now: float) -> tuple[str, str]:
    period, periods = int(alarm["Period"]), int(alarm["EvaluationPeriods"])
    needed = int(alarm.get("DatapointsToAlarm") or periods)
    words, is_beyond = _COMPARE[alarm["ComparisonOperator"]]
    threshold, missing = float(alarm["Threshold"]), alarm.get("TreatMissingData") or "missing"
    values = _recent(alarm, period, periods, now)
    known = [value for value in values if value is not None]
    beyond = [value for value in known if is_beyond(value, threshold)]
    absent = len(values) - len(known)
    if not known and missing == "missing":
        return "INSUFFICIENT_DATA", f"No value in {periods} periods of {period} s."
    if not known and missing == "ignore":
        return str(alarm["StateValue"]), str(alarm["StateReason"])
    breaches = len(beyond) + (absent if missing == "breaching" else 0)
    latest = f"{known[0]:g}" if known else "no value"
    stamp = f"{datetime.fromtimestamp(now, UTC):%H:%M:%S} UTC"
    text = f"{breaches} of {periods} values {words} {threshold:g}, latest {latest} ({stamp})."
    if breaches >= needed:
        return "ALARM", f"Threshold crossed: {text}"
    return "OK", f"Within the threshold: {text}"


def _recent(alarm: dict[str, Any], period: int, periods: int, now: float) -> list[float | None]:
    """The statistic of each of the last periods, newest first; a bare current one is left out."""
    dimensions = {entry["Name"]: entry["Value"] for entry in alarm.get("Dimensions") or []}
    key = (alarm["Namespace"], alarm["MetricName"], cloudwatch._dims_key(dimensions))
    current = int(now // period)
    long_ago = now - period * (periods + 2) - _SETTLED_AFTER_S
    buckets: dict[int, list[Point]] = defaultdict(list)
    for point in reversed(cloudwatch._metrics.get(key) or []):
        # Values come nearly in order: one that is much too old ends the search.
        if point["Timestamp"] < long_ago:
            break
        buckets[int(point["Timestamp"] // period)].append(point)
    first = current if current in buckets else current - 1
    statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic")
    return [
        cloudwatch._stat_value(cloudwatch._calc_stats(points), statistic, points)
        if (points := buckets.get(first - offset))
        else None
        for offset in range(periods)
    ]


class _Tidy:
    """Puts a settled minute's equal values together, and forgets what is two weeks old."""

    def __init__(self) -> None:
        self._next_at = 0.0
        self._settled: dict[Any, int] = {}

    def __call__(self) -> None:
        now = time.monotonic()
        if now < self._next_at:
            return
        self._next_at = now + _CLEAR_EVERY_S
        settled_before = time.time() - _SETTLED_AFTER_S
        oldest = time.time() - cloudwatch.TWO_WEEKS_SECONDS
        for key, points in list(cloudwatch._metrics.items()):
            done = min(self._settled.get(key, 0), len(points))
            head, tail = points[:done], points[done:]
            if head and head[0]["Timestamp"] < oldest:
                head = [point for point in head if point["Timestamp"] >= oldest]
            head += _by_minute([p for p in tail if p["Timestamp"] < settled_before])
            self._settled[key] = len(head)
            points[:] = head + [p for p in tail if p["Timestamp"] >= settled_before]
            if not points:
                del cloudwatch._metrics[key]


def _by_minute(points: list[Point]) -> list[Point]:
    merged: Counter[tuple[float, float]] = Counter()
    apart = [point for point in points if "_stat" in point]
    like: Point = {}
    for point in points:
        if "_stat" not in point:
            like = point
            minute = point["Timestamp"] // 60 * 60
            merged[minute, point["Value"]] += point.get("Count", 1.0)
    shared = {name: like[name] for name in ("Unit", "Dimensions") if name in like}
    together = [
        {**shared, "Timestamp": minute, "Value": value, "Count": count}
        for (minute, value), count in merged.items()
    ]
    return sorted(apart + together, key=lambda point: float(point["Timestamp"]))
