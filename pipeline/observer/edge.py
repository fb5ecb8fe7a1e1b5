"""Envoy's own counters, as the amount since the last reading."""

from collections.abc import Iterator

import httpx

from pipeline.observer.readings import Gauge

_CLUSTER = {
    "upstream_rq_total": "EdgeRequests",
    "upstream_rq_5xx": "EdgeErrors",
    "upstream_rq_retry": "EdgeRetries",
    "upstream_rq_pending_overflow": "EdgeOverflows",
}
_HOSTS = {"membership_total": "EdgeHosts", "membership_healthy": "EdgeHealthyHosts"}
# What a service's callers were answered, by status class; iac/local/edge/routes.py names them.
_ANSWERS = r"vhost\.shop\.vcluster\.api_[a-z]+\.upstream_rq_[2-5]xx"
_FILTER = rf"^(cluster\.[^.]+\.({'|'.join([*_CLUSTER, *_HOSTS])})|{_ANSWERS})$"


class Edge:
    """Requests to each cluster, its hosts, and what the callers of each service were answered."""

    def __init__(self, admin_url: str) -> None:
        self._url = admin_url
        self._last: dict[str, int] | None = None  # counters only

    def read(self) -> Iterator[Gauge]:
        """The first reading gives no amounts. Raises httpx.HTTPError."""
        counted: dict[str, int] = {}
        for name, value in self._ask().items():
            _, of, counter = name.rsplit(".", 2)
            if counter in _HOSTS:
                yield Gauge(_HOSTS[counter], value, "Count", {"Cluster": of})
            else:
                counted[name] = value
        before, self._last = self._last, counted
        if before is not None:
            yield from _amounts(before, counted)

    def _ask(self) -> dict[str, int]:
        answer = httpx.get(
            f"{self._url}/stats", params={"format": "json", "filter": _FILTER},
            timeout=3, trust_env=False,
        ).raise_for_status().json()  # fmt: skip
        return {stat["name"]: int(stat["value"]) for stat in answer["stats"] if "value" in stat}


def _amounts(before: dict[str, int], counted: dict[str, int]) -> Iterator[Gauge]:
    if any(counted.get(name, 0) < count for name, count in before.items()):
        before = {}  # a restarted Envoy counts from nought
    for name, value in counted.items():
        scope, of, counter = name.rsplit(".", 2)
        # Envoy makes a counter when it first counts: one that is new has counted from nought.
        amount = value - before.get(name, 0)
        if scope == "cluster":
            yield Gauge(_CLUSTER[counter], amount, "Count", {"Cluster": of}, is_sum=True)
        elif amount:
            status = counter.removeprefix("upstream_rq_")
            dimensions = {"Service": of.removeprefix("api_"), "Status": status}
            yield Gauge("EdgeAnswers", amount, "Count", dimensions, is_sum=True)
