"""Counting answers: exact percentiles of a run, of its routes and of its last seconds; no I/O."""

import heapq
from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from typing import Any

_WINDOW_S = 10
_SLOWEST = 20
_SLOWEST_KEPT = 10
_FAULTS = 20


@dataclass(slots=True)
class Times:
    """Answer times in steps of 0.1 ms below 10 ms and of 1 ms above."""

    counts: Counter[float] = field(default_factory=Counter)
    requests: int = 0
    failures: int = 0

    def add(self, ms: float, is_failure: bool) -> None:
        self.counts[round(ms, 1) if ms < 10 else float(round(ms))] += 1
        self.requests += 1
        self.failures += is_failure

    def percentile(self, share: float) -> float:
        """The smallest time that `share` of the requests did not exceed; 0 before the first."""
        wanted = share * self.requests
        seen = 0
        for ms in sorted(self.counts):
            seen += self.counts[ms]
            if seen >= wanted:
                return ms
        return 0.0

    def share_within(self, ms: float) -> float:
        """The share of requests answered in at most `ms`; 1 before the first."""
        within = sum(count for time_ms, count in self.counts.items() if time_ms <= ms)
        return within / self.requests if self.requests else 1.0

    def row(self) -> dict[str, float]:
        return {
            "requests": self.requests,
            "failures": self.failures,
            "p50_ms": self.percentile(0.5),
            "p95_ms": self.percentile(0.95),
            "p99_ms": self.percentile(0.99),
            "max_ms": max(self.counts, default=0.0),
        }


@dataclass(frozen=True, slots=True, order=True)
class Slow:
    """One of the slowest requests, or one that failed (then `fault` says how).

    `is_kept`: the answer said that the shop keeps its trace.
    """

    ms: float
    route: str
    correlation_id: str
    at: str
    fault: str = ""
    trace_id: str = ""
    is_kept: bool = False


@dataclass(frozen=True, slots=True)
class Second:
    """One second of a run. Rates per second over this second; times over the last ten.

    `offered` is what the plan asks for, `cpu` the host's percent of all cores, `shares` percent of
    all cores by process.
    """

    elapsed_s: int
    users: int
    offered: float
    achieved: float
    failures: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    cpu: float
    shares: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


class Tally:
    """Everything that one run was answered."""

    def __init__(self) -> None:
        self.total = Times()
        self.routes: dict[str, Times] = {}
        self._slowest: list[Slow] = []
        self._slowest_kept: list[Slow] = []
        self._faults: deque[Slow] = deque(maxlen=_FAULTS)
        self._second = Times()
        self._window: deque[Times] = deque(maxlen=_WINDOW_S)

    def add(
        self,
        route: str,
        ms: float,
        correlation_id: str,
        at: str,
        fault: str = "",
        trace_id: str = "",
        *,
        is_kept: bool = False,
    ) -> None:
        """One answer; `fault` says why it was none."""
        for times in (self.total, self.routes.setdefault(route, Times()), self._second):
            times.add(ms, bool(fault))
        entry = Slow(round(ms, 1), route, correlation_id, at, fault[:200], trace_id, is_kept)
        if fault:
            self._faults.append(entry)
        _keep_slowest(self._slowest, entry, _SLOWEST)
        if is_kept:
            _keep_slowest(self._slowest_kept, entry, _SLOWEST_KEPT)

    def end_second(self) -> tuple[int, int, float, float, float]:
        """(requests, failures of this second, p50, p95, p99 of the last ten); begins the next."""
        done, self._second = self._second, Times()
        self._window.append(done)
        last = Times()
        for times in self._window:
            last.counts.update(times.counts)
            last.requests += times.requests
        p50, p95, p99 = (last.percentile(share) for share in (0.5, 0.95, 0.99))
        return done.requests, done.failures, p50, p95, p99

    def route_rows(self) -> list[dict[str, Any]]:
        """One row per route, the busiest first."""
        rows = [{"route": route, **times.row()} for route, times in self.routes.items()]
        return sorted(rows, key=lambda row: -float(row["requests"]))

    def slowest(self) -> list[dict[str, Any]]:
        """The slowest of all, and the slowest of those whose traces are kept; slowest first."""
        chosen = {*self._slowest, *self._slowest_kept}
        return [asdict(entry) for entry in sorted(chosen, reverse=True)]

    def faults(self) -> list[dict[str, Any]]:
        """The latest failures, newest first."""
        return [asdict(entry) for entry in reversed(self._faults)]


def _keep_slowest(heap: list[Slow], entry: Slow, most: int) -> None:
    if len(heap) < most:
        heapq.heappush(heap, entry)
    elif entry.ms > heap[0].ms:
        heapq.heapreplace(heap, entry)
