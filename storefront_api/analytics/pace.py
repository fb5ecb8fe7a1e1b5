"""How fast one browser, and one network address, may send events.

Each replica counts for itself: this keeps a flood off the stream, and nothing depends on its sums.
"""

import math
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from pipeline.contracts.errors import TooManyRequests

_LONGEST_ID = 128


class Pace:
    """Limits in events a minute; a browser is who it says it is, a network address is certain."""

    def __init__(self, per_client: int, per_network: int) -> None:
        self._client = RateLimitItemPerMinute(per_client, namespace="client")
        self._network = RateLimitItemPerMinute(per_network, namespace="network")
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    def take(self, events: Sequence[Any], network: str) -> None:
        """Counts the events of one request; raises TooManyRequests where they are too many."""
        self._count(self._network, network, len(events))
        for client, count in _clients(events).items():
            self._count(self._client, client, count)

    def _count(self, limit: RateLimitItemPerMinute, subject: str, count: int) -> None:
        if self._limiter.hit(limit, subject, cost=count):
            return
        ends_at = self._limiter.get_window_stats(limit, subject).reset_time
        seconds = max(1, math.ceil(ends_at - time.time()))
        raise TooManyRequests(
            f"At most {limit.amount} events a minute; try again in {seconds} s",
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
