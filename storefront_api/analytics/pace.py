"""How fast one browser, and one network address, may send events.

Each replica counts for itself: this keeps a flood off the stream, and nothing depends on its sums.
A minute's counts go with the minute, which bounds them; a library that keeps them by key sweeps all
keys for each that ends, and whoever makes up names would have it sweep for ever.
"""

import math
import threading
from collections import Counter
from collections.abc import Sequence
from typing import Any

from pipeline.contracts.errors import TooManyRequests
from pipeline.runtime.clock import Clock

_MINUTE_S = 60
_LONGEST_ID = 128
# Browsers told apart in one minute; from there on a new one counts for its network address only.
_MOST_CLIENTS = 50_000


class Pace:
    """Limits in events a minute; a browser is who it says it is, a network address is certain."""

    def __init__(self, per_client: int, per_network: int, clock: Clock) -> None:
        self._per_client, self._per_network = per_client, per_network
        self._clock = clock
        self._lock = threading.Lock()  # requests are answered in threads
        self._minute = -1
        self._networks: Counter[str] = Counter()
        self._clients: Counter[str] = Counter()

    def take(self, events: Sequence[Any], network: str) -> None:
        """Counts the events of one request; raises TooManyRequests where they are too many."""
        minute, since_s = divmod(self._clock().timestamp(), _MINUTE_S)
        named = _clients(events)
        with self._lock:
            if minute != self._minute:
                self._minute = int(minute)
                self._networks.clear()
                self._clients.clear()
            self._networks[network] += len(events)
            worst = self._networks[network] / self._per_network
            for client, count in named.items():
                if client in self._clients or len(self._clients) < _MOST_CLIENTS:
                    self._clients[client] += count
                    worst = max(worst, self._clients[client] / self._per_client)
        if worst > 1:
            seconds = max(1, math.ceil(_MINUTE_S - since_s))
            raise TooManyRequests(
                f"Too many events in this minute; try again in {seconds} s",
                headers={"Retry-After": str(seconds)},
                retry_after_s=seconds,
            )


def _clients(events: Sequence[Any]) -> Counter[str]:
    """Events by who sent them; those without a name count for their network address only."""
    names = (
        event.get("anonymous_id") or event.get("session_id")
        for event in events
        if isinstance(event, dict)
    )
    return Counter(name for name in names if isinstance(name, str) and len(name) <= _LONGEST_ID)
