"""The update that folding makes all day: whole numbers added to attributes, `ADD #0 :0,#1 :1`.

ministack reads the expression, walks to each attribute and measures the whole item, hundreds of
attributes for each. Here the terms of a text are read once, and an item is measured when what it
grew by since might have brought it to the limit.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import islice
from typing import Any

Item = dict[str, Any]
Terms = tuple[tuple[str, str], ...]
_ADDITIONS = re.compile(r"ADD (?:#\w+ :\w+,)*#\w+ :\w+", re.ASCII)
_WHOLE = re.compile(r"-?[0-9]{1,18}(?:,-?[0-9]{1,18})*")
# `Decimal`, which ministack adds with, keeps such a sum exact.
_MOST = 10**18
_MOST_BYTES = 12  # that such a number is counted with


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


def added(item: Item, terms: Terms, values: Any, names: Any) -> tuple[Item, set[Any], int] | None:
    """The item with the sums in it, the attributes updated, and by how much it grew at most.

    Shares what did not change with `item`. None where not everything is a whole number: that is
    ministack's to do, or to refuse.
    """
    made = dict(item)
    try:
        for name_reference, value_reference in terms:
            name, value = names[name_reference], values[value_reference]
            total = int(value["N"])
            if (before := item.get(name)) is not None:
                total += int(before["N"])
                if len(before) > 1:
                    return None
            if len(value) > 1 or not -_MOST < total < _MOST:
                return None
            made[name] = {"N": str(total)}
        updated = {(names[reference],) for reference, _ in terms}
        new_names = islice(made, len(item), None)
        growth = _MOST_BYTES * len(terms) + sum(len(name.encode()) for name in new_names)
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
        and _are_whole(values.values())
    )


def _are_whole(values: Iterable[Any]) -> bool:
    try:
        texts = ",".join([value["N"] for value in values])
    except (KeyError, TypeError):
        return False
    return bool(_WHOLE.fullmatch(texts))
