"""Each replica by its own port, and what Envoy thinks of them."""

import time
from collections import deque
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any

import httpx

from console.settings import settings

SERVICES = ("catalog", "users", "checkout", "analytics")
ZONES = ("a", "b")
_WINDOW_S = 60.0
_FILTER = r"(downstream_rq_[1-5]xx|upstream_rq_(total|retry|retry_success)|ejections_active)$"


@dataclass(frozen=True, slots=True)
class Replica:
    """`ready` is what its readyz says; `faults` names the dependencies it cannot use."""

    name: str
    ready: bool
    latency_ms: float
    version: str
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EdgeTraffic:
    """Over the last `window_s`: requests that clients made of the edge; `success` in percent."""

    window_s: float
    requests: int
    errors: int
    retries: int

    @property
    def success(self) -> float | None:
        return (1 - self.errors / self.requests) * 100 if self.requests else None


@cache
def _client() -> httpx.Client:
    return httpx.Client(timeout=httpx.Timeout(2.5, connect=1.0))


def port_of(service: str, zone: str) -> int:
    return settings().first_ports[zone] + SERVICES.index(service)


def read_replica(service: str, zone: str) -> Replica:
    """Raises httpx.HTTPError when nothing answers on its port."""
    began = time.perf_counter()
    url = f"http://127.0.0.1:{port_of(service, zone)}/api/{service}/readyz"
    response = _client().get(url)
    took_ms = (time.perf_counter() - began) * 1000
    body = response.json()
    dependencies: dict[str, Any] = body.get("dependencies") or {}
    faults = tuple(name for name, state in dependencies.items() if not state.get("ok"))
    return Replica(
        name=f"{service}-{zone}",
        ready=response.status_code == 200,
        latency_ms=took_ms,
        version=str(body.get("version", "")),
        faults=faults,
    )


def read_edge_hosts() -> dict[int, str]:
    """Port of each upstream host → `healthy`, or why Envoy sends it nothing.

    Raises httpx.HTTPError when Envoy's admin does not answer.
    """
    response = _client().get(f"{settings().envoy_admin_url}/clusters", params={"format": "json"})
    hosts: dict[int, str] = {}
    for cluster in response.raise_for_status().json().get("cluster_statuses", []):
        for host in cluster.get("host_statuses", []):
            address = host.get("address", {}).get("socket_address", {})
            hosts[int(address.get("port_value", 0))] = _judgement(host.get("health_status", {}))
    return hosts


class Traffic:
    """Envoy's counters turned into the last minute's traffic; one sample a reading."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, dict[str, int]]] = deque(maxlen=120)
        self._lock = Lock()

    def read(self) -> EdgeTraffic:
        counters = _counters()
        with self._lock:
            now = time.monotonic()
            if self._samples and counters["requests"] < self._samples[-1][1]["requests"]:
                self._samples.clear()  # Envoy has started anew
            self._samples.append((now, counters))
            while len(self._samples) > 2 and self._samples[1][0] < now - _WINDOW_S:
                self._samples.popleft()
            began, before = self._samples[0]
        changed = {name: counters[name] - before[name] for name in counters}
        return EdgeTraffic(window_s=now - began, **changed)


TRAFFIC = Traffic()


def _counters() -> dict[str, int]:
    url = f"{settings().envoy_admin_url}/stats"
    response = _client().get(url, params={"format": "json", "filter": _FILTER})
    sums = {"requests": 0, "errors": 0, "retries": 0}
    for stat in response.raise_for_status().json().get("stats", []):
        name, value = str(stat.get("name", "")), int(stat.get("value") or 0)
        if name.startswith("http.") and not name.startswith("http.admin."):
            sums["requests"] += value
            sums["errors"] += value if name.endswith("5xx") else 0
        elif name.startswith("cluster."):
            sums["retries"] += value if name.endswith("upstream_rq_retry") else 0
    return sums


def _judgement(status: dict[str, Any]) -> str:
    if status.get("failed_active_health_check"):
        return "failed health check"
    if status.get("failed_outlier_check"):
        return "ejected as outlier"
    eds = str(status.get("eds_health_status", "HEALTHY"))
    return "healthy" if eds == "HEALTHY" else eds.lower()
