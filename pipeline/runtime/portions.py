"""Cutting a sequence into what one call may carry."""

from collections.abc import Iterable, Iterator


def portions(sizes: Iterable[int], most: int, most_bytes: int) -> Iterator[slice]:
    """Slices of at most `most` items and `most_bytes` together; one that is too large stands alone.

    Args: `sizes` of the items in order, in bytes.
    """
    start = end = total = 0
    for end, size in enumerate(sizes, 1):
        count = end - 1 - start
        if count == most or (count and total + size > most_bytes):
            yield slice(start, end - 1)
            start, total = end - 1, 0
        total += size
    if end > start:
        yield slice(start, end)
