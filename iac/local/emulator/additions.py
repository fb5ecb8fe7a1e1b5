"""The update that folding makes all day: whole numbers added to attributes, `ADD #0 :0,#1 :1`.

ministack reads the expression, walks to each attribute and measures the whole item, hundreds of
attributes for each. Here the terms of a text are read once, and only what changed is measured.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

Item = dict[str, Any]
Terms = tuple[tuple[str, str], ...]
_ADDITIONS = re.compile(r"ADD (?:#\w+ :\w+,)*#\w+ :\w+", re.ASCII)
# What a sum of two keeps exact for `Decimal` too, which ministack adds with.
_MOST = 10**18


@lru_cache(4096)
def terms_of(expression: str) -> Terms:
    """(name, value) as the text names them; nothing for every other update."""
    if not _ADDITIONS.fullmatch(expression):
        return ()
    terms = tuple(term.split(" ") for term in expression[len("ADD ") :].split(","))
    return tuple((name, value) for name, value in terms)


def added(
    item: Item, terms: Terms, values: Any, names: Any, size_of: Callable[[Any], int]
) -> tuple[Item, set[Any], int] | None:
    """The item with the sums in it, the attributes updated, and by how much it grew.

    Shares what did not change with `item`. None where not everything is a whole number: that is
    ministack's to do, or to refuse.
    """
    made = dict(item)
    updated: set[Any] = set()
    growth = 0
    try:
        for name_reference, value_reference in terms:
            name = names[name_reference]
            addend = _whole(values[value_reference])
            if (before := item.get(name)) is None:
                total = addend
                growth += len(name.encode())
            else:
                total = _whole(before) + addend
                growth -= size_of(before)
            made[name] = {"N": str(total)}
            growth += size_of(made[name])
            updated.add((name,))
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    if len(updated) < len(terms) or "M" in made:  # which ministack takes for a map
        return None
    return made, updated, growth


@lru_cache(65_536)
def _number(text: str) -> int:
    number = int(text)
    if abs(number) > _MOST:
        raise ValueError(text)
    return number


def _whole(value: Any) -> int:
    (text,) = value.values()
    if type(text) is not str or "N" not in value:
        raise ValueError(value)
    return _number(text)
