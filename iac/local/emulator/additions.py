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


_DIGITS = 18  # fewer than _MOST has


@lru_cache(4096)
def terms_of(expression: str) -> Terms:
    """(name, value) as the text names them; nothing for every other update."""
    if not _ADDITIONS.fullmatch(expression):
        return ()
    terms = tuple(term.split(" ") for term in expression[len("ADD ") :].split(","))
    return tuple((name, value) for name, value in terms)


@lru_cache(4096)
def _references(expression: str) -> tuple[frozenset[str], frozenset[str]]:
    """The names and the values that such a text uses; none of an other text."""
    terms = terms_of(expression)
    return frozenset(name for name, _ in terms), frozenset(value for _, value in terms)


def added(
    item: Item, terms: Terms, values: Any, names: Any, size_of: Callable[[str], int]
) -> tuple[Item, set[Any], int] | None:
    """The item with the sums in it, the attributes updated, and by how much it grew.

    Shares what did not change with `item`. None where not everything is a whole number: that is
    ministack's to do, or to refuse.

    Args: `size_of` measures a number's text.
    """
    made = dict(item)
    growth = 0
    try:
        for name_reference, value_reference in terms:
            name, value = names[name_reference], values[value_reference]
            total = int(value["N"])
            if len(value) > 1 or not -_MOST < total < _MOST:
                return None
            if (before := item.get(name)) is None:
                growth += len(name.encode())
            else:
                text = before["N"]
                number = int(text)
                if len(before) > 1 or not -_MOST < number < _MOST:
                    return None
                total += number
                growth -= size_of(text)
            text = str(total)
            made[name] = {"N": text}
            growth += size_of(text)
        updated = {(names[reference],) for reference, _ in terms}
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    if len(updated) < len(terms) or "M" in made:  # which ministack takes for a map
        return None
    return made, updated, growth


def is_sound(action: Any) -> bool:
    """Whether an action is such an update, defines the names and values it uses, no others, and
    adds short whole numbers."""
    text = action.get("UpdateExpression")
    if type(text) is not str or "ConditionExpression" in action:
        return False
    used_names, used_values = _references(text)
    names, values = (action.get(f"ExpressionAttribute{slot}") for slot in ("Names", "Values"))
    return (
        bool(used_names)
        and type(names) is type(values) is dict
        and names.keys() == used_names
        and values.keys() == used_values
        and all(map(_is_short, values.values()))
    )


def _is_short(value: Any) -> bool:
    if type(value) is not dict or len(value) > 1 or type(text := value.get("N")) is not str:
        return False
    digits = text[1:] if text[:1] == "-" else text
    return digits.isdigit() and digits.isascii() and len(digits) <= _DIGITS
