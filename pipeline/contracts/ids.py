"""Sortable ids: ULIDs made by `pipeline.runtime.clock.new_id`; order events derive theirs."""

from typing import NewType

OrderId = NewType("OrderId", str)
Sku = NewType("Sku", str)
ProductId = NewType("ProductId", str)
CustomerId = NewType("CustomerId", str)

ULID_PATTERN = r"^[0-7][0-9A-HJKMNP-TV-Z]{25}$"


def order_event_id(order_id: str, version: int) -> str:
    """The id of the event that brought an order to `version`: the same however often it is sent."""
    return f"{order_id}:{version}"


def order_number(order_id: str) -> str:
    """What a person reads aloud: ten characters of the ULID's tail, e.g. `K7Q2M-9XW4T`."""
    tail = order_id[-10:]
    return f"{tail[:5]}-{tail[5:]}"
