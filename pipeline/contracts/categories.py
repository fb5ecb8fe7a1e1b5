"""Categories are paths, e.g. ["Clothing", "Dresses"]."""

from collections.abc import Sequence

SEPARATOR = " > "


def sales_category(path: Sequence[str]) -> str:
    """The one category an order line is booked under: the second level, or the first if alone."""
    return path[min(1, len(path) - 1)] if path else "Uncategorised"


def to_text(path: Sequence[str]) -> str:
    return SEPARATOR.join(path)
