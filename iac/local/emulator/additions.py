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
    item: Item, terms: Terms, values: Any, names: Any, size_of: Callable[[str], int]
) -> tuple[Item, set[Any], int] | None:
    """The item with the sums in it, the attributes updated, and by how much it grew.

    Shares what did not change with `item`. None where not everything is a whole number: that is
    ministack's to do, or to refuse.

    Args: `size_of` measures a number's text.
    """
    made = dict(item)
    updated: set[Any] = set()
    growth = 0
    try:
        for name_reference, value_reference in terms:
            name = names[name_reference]
            total = _whole(values[value_reference])
            if (before := item.get(name)) is None:
                growth += len(name.encode())
            else:
                total += _whole(before)
                growth -= size_of(before["N"])
            text = str(total)
            made[name] = {"N": text}
            growth += size_of(text)
            updated.add((name,))
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    if len(updated) < len(terms) or "M" in made:  # which ministack takes for a map
        return None
    return made, updated, growth


def _whole(value: Any) -> int:
    number = int(value["N"])
    if len(value) > 1 or not -_MOST < number < _MOST:
        raise ValueError(value)
    return number


def names_fit(action: Any) -> bool:
    """Whether an action is such an update, and defines the names and values it uses, no others."""
    text = action.get("UpdateExpression")
    terms = terms_of(text) if type(text) is str and "ConditionExpression" not in action else ()
    used = [action.get(f"ExpressionAttribute{slot}") for slot in ("Names", "Values")]
    return bool(terms) and all(
        type(defined) is dict and defined.keys() == {term[slot] for term in terms}
        for slot, defined in enumerate(used)
    )
