"""Opaque page cursors: where in the order of a list a page ended.

A cursor holds the sort key and id of the last product shown, not an offset, so a list that changes
between two pages never repeats or skips a product whose own key stayed the same. It also carries
how the text was understood, so that every page asks the same question. It is bound to its filters
and sort by a digest; it is no secret, and a made-up one could only point to another place.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from pipeline.contracts.errors import Unprocessable
from storefront_api.catalog.domain import Filters, Sort

_DIGEST_CHARS = 16
_MAX_CHARS = 512
_INT64 = 2**63


@dataclass(frozen=True, slots=True)
class Position:
    """The place right after one product: its two sort keys (ascending) and its id."""

    first: int
    second: int
    product_id: str
    plan: str


def encode(position: Position, filters: Filters, sort: Sort) -> str:
    body = [position.first, position.second, position.product_id, position.plan]
    text = json.dumps([_digest(body, filters, sort), *body], separators=(",", ":"))
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(cursor: str, filters: Filters, sort: Sort) -> Position:
    """Raises Unprocessable naming `cursor` for one that is garbage, altered, or of another list."""
    try:
        if len(cursor) > _MAX_CHARS:
            raise ValueError("too long")
        raw = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        digest, first, second, product_id, plan = json.loads(raw)
        position = _checked(first, second, product_id, plan)
    except (ValueError, TypeError, RecursionError):
        raise _refusal("is not one this list gave out") from None
    if digest != _digest([first, second, product_id, plan], filters, sort):
        raise _refusal("belongs to other filters or another sort")
    return position


def _checked(first: Any, second: Any, product_id: Any, plan: Any) -> Position:
    for number in (first, second):
        if type(number) is not int or not -_INT64 <= number < _INT64:
            raise ValueError("not a sort key")
    if not isinstance(product_id, str) or not isinstance(plan, str):
        raise TypeError("not text")
    return Position(first, second, product_id, plan)


def _digest(body: list[Any], filters: Filters, sort: Sort) -> str:
    asked = [
        filters.text,
        list(filters.category),
        filters.min_price,
        filters.max_price,
        filters.in_stock,
        filters.featured,
        filters.options,
        sort.value,
    ]
    return sha256(json.dumps([body, asked]).encode()).hexdigest()[:_DIGEST_CHARS]


def _refusal(reason: str) -> Unprocessable:
    return Unprocessable(
        f"cursor {reason}", errors=[{"field": "cursor", "message": f"The cursor {reason}"}]
    )
