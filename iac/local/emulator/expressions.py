"""Reads each expression of DynamoDB once; ministack reads it anew for every row of a query.

The texts are few, as the values stand beside them: the shop has some dozens.
"""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any

from ministack.services import dynamodb

_MANY = 4096


class Tokens(list[tuple[str, str]]):
    """Those of one text; nobody changes them, so what was found wrong with them stays so."""

    __hash__ = object.__hash__  # type: ignore[assignment]


def remember() -> None:
    """Call once, before ministack serves."""
    tokenize: Callable[[str], list[tuple[str, str]]] = dynamodb._tokenize
    dynamodb._tokenize = remembered(lambda text: Tokens(tokenize(text)), str)
    dynamodb._condition_syntax_error = remembered(dynamodb._condition_syntax_error, str)
    for name in ("_check_redundant_parens", "_check_reserved_keyword_usage"):
        setattr(dynamodb, name, remembered(getattr(dynamodb, name), Tokens))


def remembered(plain: Callable[..., Any], kind: type, many: int = _MANY) -> Callable[..., Any]:
    """For first arguments of this kind; what else a client may send is judged as ever."""
    kept = lru_cache(many)(plain)

    @wraps(plain)
    def judge(subject: Any, *rest: Any) -> Any:
        return kept(subject, *rest) if type(subject) is kind else plain(subject, *rest)

    return judge
