"""Envoy's own view of each of its clusters, from its counters."""

import time
from collections import deque
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any

import httpx

from console.queries.probes import Reading, Watch
from console.settings import settings

_WINDOW_S = 60.0
_COUNTERS = {
    "upstream_rq_2xx": "ok",
    "upstream_rq_3xx": "ok",
    "upstream_rq_4xx": "refused",
    "upstream_rq_5xx": "failed",
    "upstream_rq_total": "tries",
    "upstream_rq_retry": "retries",
    "upstream_rq_retry_success": "saved",
    "outlier_detection.ejections_enforced_total": "ejections",
}
_GAUGES = {
    "upstream_cx_active": "connections",
    "upstream_rq_active": "active",
    "membership_healthy": "healthy",
    "membership_total": "members",
    "outlier_detection.ejections_active": "ejected",
}
_FILTER = r"^cluster\.[a-z]+\.(" + "|".join([*_COUNTERS, *_GAUGES]) + r")$"


@dataclass(frozen=True, slots=True)
class Cluster:
    """Over the last `window_s`: rates per second, counts, and the state of now.

    `ok`, `refused` and `failed` are the answers of 2xx and 3xx, 4xx, 5xx that Envoy passed on;
    `tries` are requests to a replica, repeats included.
    """

    name: str
    window_s: float
    ok: int
    refused: int
    failed: int
    tries: int
    retries: int
    saved: int
    ejections: int
    connections: int
    active: int
    healthy: int
    members: int
    ejected: int

    @property
    def rate(self) -> float:
        answers = self.ok + self.refused + self.failed
        return answers / self.window_s if self.window_s else 0.0


@cache
def _client() -> httpx.Client:
    return httpx.Client(timeout=httpx.Timeout(2.5, connect=1.0))


class Clusters:
    """Counters turned into the last minute's traffic; one sample a reading."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, dict[str, dict[str, int]]]] = deque(maxlen=120)
        self._lock = Lock()

    def read(self) -> list[Cluster]:
        """By name. Raises httpx.HTTPError when Envoy's admin does not answer."""
        stats = _stats()
        with self._lock:
            at = time.monotonic()
            if self._samples and _has_restarted(self._samples[-1][1], stats):
                self._samples.clear()
            self._samples.append((at, stats))
            while len(self._samples) > 2 and self._samples[1][0] < at - _WINDOW_S:
                self._samples.popleft()
            began, before = self._samples[0]
        return [
            _cluster(name, found, before.get(name, {}), at - began)
            for name, found in sorted(stats.items())
        ]


def _stats() -> dict[str, dict[str, int]]:
    """Cluster → its counters and gauges, by our names."""
    url = f"{settings().envoy_admin_url}/stats"
    answer = _client().get(url, params={"format": "json", "filter": _FILTER}).raise_for_status()
    stats: dict[str, dict[str, int]] = {}
    names = _COUNTERS | _GAUGES
    for stat in answer.json().get("stats", []):
        _, cluster, counter = str(stat.get("name", "..")).split(".", 2)
        found = stats.setdefault(cluster, dict.fromkeys(names.values(), 0))
        found[names[counter]] += int(stat.get("value") or 0)
    return stats


def _has_restarted(before: dict[str, dict[str, int]], after: dict[str, dict[str, int]]) -> bool:
    return any(found["tries"] < before.get(name, found)["tries"] for name, found in after.items())


def _cluster(name: str, found: dict[str, int], before: dict[str, int], window_s: float) -> Cluster:
    changed: dict[str, Any] = {
        key: found[key] - before.get(key, found[key]) for key in set(_COUNTERS.values())
    }
    gauges = {key: found[key] for key in _GAUGES.values()}
    return Cluster(name=name, window_s=window_s, **changed, **gauges)


_CLUSTERS = Clusters()
_WATCH = Watch("envoy", lambda: {"clusters": _CLUSTERS.read}, pause_s=2.0)


def clusters() -> Reading:
    return _WATCH.latest()["clusters"]
