"""Reads each expression of DynamoDB once; ministack reads it anew for every row of a query.

The texts are few, as the values stand beside them: the shop has some dozens. One that only compares
attributes with values, as that of a query's key does, is answered at once where both are texts.
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
    service._evaluate_condition = _compared_at_once(service)


_COMPARISON = re.compile(r"\s*(#?[A-Za-z]\w*)\s*(=|<=|>=|<|>)\s*(:\w+)\s*", re.ASCII)
_OPERATORS = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
Comparison = tuple[str, Callable[[str, str], bool], str]  # a name, how, a value's name


def _compared_at_once(service: Any) -> Callable[..., Any]:
    plain = service._evaluate_condition

    @lru_cache(_MANY)
    def comparisons(expression: str) -> tuple[Comparison, ...]:
        """Empty where the expression has anything else in it, or is wrong."""
        parts = [_COMPARISON.fullmatch(part) for part in expression.split(" AND ")]
        if not all(parts) or service._check_reserved_keyword_usage(service._tokenize(expression)):
            return ()
        return tuple((part[1], _OPERATORS[part[2]], part[3]) for part in parts if part)

    def judge(
        expression: Any, item: Any, values: Any, names: Any, slot: str = "ConditionExpression"
    ) -> Any:
        known = comparisons(expression) if type(expression) is str else ()
        verdict = _verdict(known, item, values, names) if known else None
        return plain(expression, item, values, names, slot) if verdict is None else verdict

    return judge


def _verdict(
    comparisons: tuple[Comparison, ...], item: Any, values: Any, names: Any
) -> bool | None:
    """None unless texts are compared with texts, in each of them."""
    try:
        found = [
            compare(item[names[name] if name[0] == "#" else name]["S"], values[value]["S"])
            for name, compare, value in comparisons
        ]
    except (KeyError, TypeError):
        return None
    return all(found)


def remembered(plain: Callable[..., Any], kind: type, many: int = _MANY) -> Callable[..., Any]:
    """For first arguments of this kind; what else a client may send is judged as ever."""
    kept = lru_cache(many)(plain)

    @wraps(plain)
    def judge(subject: Any, *rest: Any) -> Any:
        return kept(subject, *rest) if type(subject) is kind else plain(subject, *rest)

    return judge
