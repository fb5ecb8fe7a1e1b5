"""Values made in advance: the next while the last is used."""

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
_END = object()


def one_ahead(values: Iterator[T]) -> Generator[T, None, None]:
    """The same values in the same order, each made in a thread while the one before is in use.

    Worth its thread where the user mostly waits for a network. At most one value is made that
    nobody takes, and none is under way once this is closed. What `values` raises is raised here, in
    its place.
    """
    value = next(values, _END)
    if value is _END:
        return
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as maker:
        while value is not _END:
            coming = maker.submit(next, values, _END)
            yield value  # type: ignore[misc]  # only the end is no T
            value = coming.result()
