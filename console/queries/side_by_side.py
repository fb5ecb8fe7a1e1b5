"""Several questions to a source at once, in few threads."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

_WORKERS = 6
Q = TypeVar("Q")
A = TypeVar("A")


def at_once(ask: Callable[[Q], A], questions: Iterable[Q]) -> list[A]:
    """The answers in the order of the questions. Raises what the first that failed raised."""
    return list(_pool().map(ask, questions))


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_WORKERS, thread_name_prefix="side-by-side")
