"""Pages of a list: how long one is, and where it ends, as the `next_cursor` clients send back."""

import base64
import json
from typing import Annotated, Any

from fastapi import Query

from pipeline.contracts.errors import Unprocessable
from storefront_api.checkout.ports import Place

PageSize = Annotated[int, Query(ge=1, le=50)]
Cursor = Annotated[str | None, Query(max_length=200)]


def to_cursor(place: Place) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def to_place(cursor: str) -> Place:
    """Raises Unprocessable for what no list gave out."""
    try:
        document: Any = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        first, second = document
        if not all(isinstance(part, str) and part for part in (first, second)):
            raise ValueError
    except (ValueError, TypeError):
        message = "Not a cursor of this list"
        raise Unprocessable(
            f"cursor: {message}", errors=[{"field": "cursor", "message": message}]
        ) from None
    return first, second
