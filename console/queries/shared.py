"""Readings shared by everybody who looks: each taken once at a time, and shown at once.

A page that redraws itself every 3 s must not wait each time for a busy source. So a reading that is
no longer fresh is still given while the next is on its way in another thread, and the page shows
that one when it draws again; unless the next is there within a moment, as nearly always. Every page
says as of when its figures are.
"""

import inspect
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import cache
from threading import RLock
from typing import Generic, ParamSpec, TypeVar

from console.queries.edge import Problem, SignedOut, Unreachable

# As many as the edge's client has connections.
_WORKERS = 16
_MAX_ENTRIES = 96
# A source that did not answer is not asked again within this, nor believed for longer.
_FAULT_S = 2.0
# Readings begun side by side have this time together, not one after the other.
_SOON_S = 0.3
P = ParamSpec("P")
T = TypeVar("T")


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_WORKERS, thread_name_prefix="read")


@dataclass(frozen=True, slots=True)
class _Kept(Generic[T]):
    """How a reading ended, and when it began."""

    began_s: float
    outcome: "Future[T]"

    def is_soon(self) -> bool:
        """Waits for it, but not longer than `_SOON_S` after it began; whether it has ended."""
        left_s = self.began_s + _SOON_S - time.monotonic()
        return bool(wait([self.outcome], max(0.0, left_s)).done)


class Shared(Generic[P, T]):
    """A function of the network, its answers kept by those arguments not named `_…`."""

    def __init__(
        self, read: Callable[P, T], fresh_s: Callable[..., float], keep_s: float, max_entries: int
    ) -> None:
        self._read, self._fresh_s, self._keep_s = read, fresh_s, keep_s
        self._max_entries = max_entries
        self._signature = inspect.signature(read)
        self._kept: OrderedDict[Hashable, _Kept[T]] = OrderedDict()
        self._flights: dict[Hashable, _Kept[T]] = {}
        # Reentrant: a reading that fails at once lands while it is being started.
        self._lock = RLock()
        self.__doc__ = read.__doc__

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        key, fresh_s = self._key(*args, **kwargs), self._fresh_s(*args, **kwargs)
        with self._lock:
            kept = self._usable(key, max(fresh_s, self._keep_s))
            if kept and time.monotonic() - kept.began_s <= fresh_s:
                return kept.outcome.result()
            flight = self._flights.get(key)
            is_mine = flight is None
            if flight is None:
                flight = self._start(key, *args, **kwargs)
        if kept and not flight.is_soon():
            return kept.outcome.result()
        try:
            return flight.outcome.result()
        except (SignedOut, Problem):
            if is_mine:
                raise
            return self._read(*args, **kwargs)  # it was another person's token that failed

    def begin(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Read it meanwhile, if it is not fresh: who asks for it later waits less."""
        key, fresh_s = self._key(*args, **kwargs), self._fresh_s(*args, **kwargs)
        with self._lock:
            if self._usable(key, fresh_s) is None and key not in self._flights:
                self._start(key, *args, **kwargs)

    def clear(self) -> None:
        """What is under way is not kept either."""
        with self._lock:
            self._kept.clear()
            self._flights.clear()

    def _key(self, *args: P.args, **kwargs: P.kwargs) -> Hashable:
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return tuple(v for name, v in bound.arguments.items() if not name.startswith("_"))

    def _usable(self, key: Hashable, max_age_s: float) -> _Kept[T] | None:
        kept = self._kept.get(key)
        if kept is None:
            return None
        limit = _FAULT_S if kept.outcome.exception() else max_age_s
        if time.monotonic() - kept.began_s > limit:
            return None
        self._kept.move_to_end(key)
        return kept

    def _start(self, key: Hashable, *args: P.args, **kwargs: P.kwargs) -> _Kept[T]:
        flight = _Kept(time.monotonic(), _pool().submit(self._read, *args, **kwargs))
        self._flights[key] = flight
        flight.outcome.add_done_callback(lambda _: self._land(key, flight))
        return flight

    def _land(self, key: Hashable, flight: _Kept[T]) -> None:
        with self._lock:
            if self._flights.get(key) is not flight:
                return
            del self._flights[key]
            fault = flight.outcome.exception()
            if fault is not None and not isinstance(fault, Unreachable):
                self._kept.pop(key, None)  # of one person, or a mistake of ours: never of others
                return
            self._kept[key] = flight
            self._kept.move_to_end(key)
            while len(self._kept) > self._max_entries:
                self._kept.popitem(last=False)


def shared(
    fresh_s: float | Callable[..., float], keep_s: float = 60.0, max_entries: int = _MAX_ENTRIES
) -> Callable[[Callable[P, T]], Shared[P, T]]:
    """Share what a function reads.

    Args: younger than `fresh_s` an answer is given as it is, younger than `keep_s` while the next
    is read; older, it is waited for.
    """

    def decorate(read: Callable[P, T]) -> Shared[P, T]:
        def constant(*args: P.args, **kwargs: P.kwargs) -> float:
            return fresh_s if isinstance(fresh_s, float) else fresh_s(*args, **kwargs)

        return Shared(read, constant, keep_s, max_entries)

    return decorate
