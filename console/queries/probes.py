"""Readings taken side by side, each with its own deadline: one dead source hides no other."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlow
from dataclasses import dataclass
from functools import cache
from typing import Any

_WORKERS = 24
_DEADLINE_S = 3.5


@dataclass(frozen=True, slots=True)
class Reading:
    """What a source said, or why it said nothing; `value` is None exactly when `fault` is not."""

    value: Any = None
    fault: str | None = None

    @property
    def is_known(self) -> bool:
        return self.fault is None


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_WORKERS, thread_name_prefix="probe")


def take(sources: Mapping[str, Callable[[], Any]]) -> dict[str, Reading]:
    """Every source at once, answered within about 3.5 s altogether."""
    futures = {name: _pool().submit(read) for name, read in sources.items()}
    deadline = time.monotonic() + _DEADLINE_S
    return {name: _settle(future, deadline) for name, future in futures.items()}


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
    code = getattr(error, "response", None)
    if isinstance(code, dict):
        return str(code.get("Error", {}).get("Code", kind))
    return kind
