"""Reads each expression of DynamoDB once; ministack reads it anew for every row of a query.

The texts are few, as the values stand beside them: the shop has some dozens. One that only compares
attributes with values, or asks whether there are such, is judged without the grammar: each row of a
query and each item of a transaction is.
"""

import operator
import re
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any

from ministack.services import dynamodb

_MANY = 4096


class Tokens(list[tuple[str, str]]):
    """Those of one text; nobody changes them, so what was found wrong with them stays so."""

    __hash__ = object.__hash__  # type: ignore[assignment]


def remember(service: Any = dynamodb) -> None:
    """Call once, before ministack serves; `service` is its module."""
    tokenize: Callable[[str], list[tuple[str, str]]] = service._tokenize
    service._tokenize = remembered(lambda text: Tokens(tokenize(text)), str)
    service._condition_syntax_error = remembered(service._condition_syntax_error, str)
    for name in ("_check_redundant_parens", "_check_reserved_keyword_usage"):
        setattr(service, name, remembered(getattr(service, name), Tokens))
    service._evaluate_condition = _judged_at_once(service)


_PART = re.compile(
    r"\s*(?:(#?[A-Za-z]\w*)\s*(=|<=|>=|<|>)\s*(:\w+)"
    r"|attribute_(not_)?exists\s*\(\s*(#?[A-Za-z]\w*)\s*\))\s*",
    re.ASCII,
)
_OPERATORS = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_TEXT = {"S"}
# Whether one part of a condition holds for an item, with the request's values and names.
Part = Callable[[Any, Any, Any], bool]


def _judged_at_once(service: Any) -> Callable[..., Any]:
    plain = service._evaluate_condition

    @lru_cache(_MANY)
    def parts_of(expression: str) -> tuple[Part, ...]:
        """Empty where the expression has anything else in it, or is wrong."""
        found = [_PART.fullmatch(text) for text in expression.split(" AND ")]
        if (
            not all(found)
            or service._check_reserved_keyword_usage(service._tokenize(expression))
            or service._condition_syntax_error(expression, "ConditionExpression")
        ):
            return ()
        return tuple(_part(one, service._compare_ddb) for one in found if one)

    def judge(
        expression: Any, item: Any, values: Any, names: Any, slot: str = "ConditionExpression"
    ) -> Any:
        parts = parts_of(expression) if type(expression) is str else ()
        try:
            # Each is judged, as ministack does it: what is wrong with the last one is said.
            verdicts = [holds(item, values, names) for holds in parts]
        except (AttributeError, KeyError, TypeError):
            verdicts = []
        return all(verdicts) if verdicts else plain(expression, item, values, names, slot)

    return judge


def _part(found: re.Match[str], compare_other: Callable[[Any, str, Any], bool]) -> Part:
    """Raises KeyError, TypeError or AttributeError for what ministack is to judge."""
    reference, symbol, value, is_not, existing = found.groups()
    if existing:
        return lambda item, _, names: (item.get(_name(existing, names)) is None) is bool(is_not)
    compare = _OPERATORS[symbol]

    def holds(item: Any, values: Any, names: Any) -> bool:
        left, right = item.get(_name(reference, names)), values[value]
        if left and right and left.keys() == right.keys() == _TEXT:
            return bool(compare(left["S"], right["S"]))
        return compare_other(left, symbol, right)

    return holds


def _name(reference: str, names: Any) -> Any:
    return names[reference] if reference[0] == "#" else reference


def remembered(plain: Callable[..., Any], kind: type, many: int = _MANY) -> Callable[..., Any]:
    """For first arguments of this kind; what else a client may send is judged as ever."""
    kept = lru_cache(many)(plain)

    @wraps(plain)
    def judge(subject: Any, *rest: Any) -> Any:
        return kept(subject, *rest) if type(subject) is kind else plain(subject, *rest)

    return judge
