"""Readings taken side by side, each with its own deadline: one dead source hides no other."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlow
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from threading import Event, Lock, Thread
from typing import Any

from console.queries.edge import Unreachable
from pipeline.runtime.clock import now

_WORKERS = 48
_DEADLINE_S = 2.8
_UNWATCHED_S = 10.0
Sources = Mapping[str, Callable[[], Any]]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a source said, or why it said nothing; `value` is None exactly when `fault` is not.

    `at` is when its round began: nothing in it is older.
    """

    value: Any = None
    fault: str | None = None
    at: datetime = field(default_factory=now)

    @property
    def is_known(self) -> bool:
        return self.fault is None


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_WORKERS, thread_name_prefix="probe")


def take(sources: Sources) -> dict[str, Reading]:
    """Every source at once, answered within 2.8 s altogether."""
    began = now()
    futures = {name: _pool().submit(read) for name, read in sources.items()}
    deadline = time.monotonic() + _DEADLINE_S
    return {name: replace(_settle(f, deadline), at=began) for name, f in futures.items()}


def as_of(*readings: Reading) -> datetime:
    """When the oldest of these was taken."""
    return min(reading.at for reading in readings)


class Watch:
    """Takes readings again and again in a thread of its own, for as long as somebody looks.

    A page draws the latest round at once: a source that hangs delays no page, and what is shown is
    never older than one pause and one deadline.
    """

    def __init__(self, name: str, sources: Callable[[], Sources], pause_s: float) -> None:
        self._name, self._sources, self._pause_s = name, sources, pause_s
        self._lock = Lock()
        self._latest: dict[str, Reading] = {}
        self._looked_at = float("-inf")
        self._thread: Thread | None = None
        self._has_round = Event()

    def latest(self) -> dict[str, Reading]:
        """The newest round; waits only for the first one after nobody has looked for a while."""
        with self._lock:
            self._looked_at = time.monotonic()
            if self._thread is None:
                self._has_round.clear()
                self._thread = Thread(target=self._run, name=f"watch-{self._name}", daemon=True)
                self._thread.start()
        self._has_round.wait(2 * _DEADLINE_S)
        return self._latest

    def _run(self) -> None:
        while True:
            self._latest = take(self._sources())
            self._has_round.set()
            time.sleep(self._pause_s)
            with self._lock:
                if time.monotonic() - self._looked_at > _UNWATCHED_S + self._pause_s:
                    self._thread = None
                    return


def _settle(future: "Future[Any]", deadline: float) -> Reading:
    try:
        return Reading(value=future.result(max(0.0, deadline - time.monotonic())))
    except TooSlow:
        future.cancel()
        return Reading(fault=f"no answer in {_DEADLINE_S:g} s")
    except Exception as error:  # a probe's edge: whatever fails is the answer
        return Reading(fault=_words(error))


def _words(error: Exception) -> str:
    kind = type(error).__name__
    if kind in ("EndpointConnectionError", "ConnectionRefusedError", "ConnectError"):
        return "refuses connections"
    if kind in ("ReadTimeout", "ReadTimeoutError", "ConnectTimeout", "ConnectTimeoutError"):
        return "does not answer in time"
    if kind == "FileNotFoundError":
        return "is not there"
    if isinstance(error, Unreachable):
        return str(error)
    code = getattr(error, "response", None)
    if isinstance(code, dict):
        return str(code.get("Error", {}).get("Code", kind))
    return kind
