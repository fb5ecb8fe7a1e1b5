"""The states of an order and the one table of allowed transitions."""

from enum import StrEnum


class OrderStatus(StrEnum):
    PLACED = "placed"
    PAID = "paid"
    PAYMENT_FAILED = "payment_failed"
    PACKED = "packed"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"


S = OrderStatus

# state -> the states it may come from. Every status write is conditional on this table.
ALLOWED_FROM: dict[OrderStatus, frozenset[OrderStatus]] = {
    S.PLACED: frozenset(),
    S.PAID: frozenset({S.PLACED}),
    S.PAYMENT_FAILED: frozenset({S.PLACED}),
    S.PACKED: frozenset({S.PAID}),
    S.SHIPPED: frozenset({S.PACKED}),
    S.DELIVERED: frozenset({S.SHIPPED}),
    S.CANCELLED: frozenset({S.PLACED, S.PAID}),
    S.REFUNDED: frozenset({S.PAID, S.PACKED, S.SHIPPED, S.DELIVERED}),
}

# Stock is held from `placed`; it is sold at `paid`, and released once by these.
RELEASES_STOCK = frozenset({S.PAYMENT_FAILED, S.CANCELLED})
TERMINAL = frozenset({S.PAYMENT_FAILED, S.DELIVERED, S.CANCELLED, S.REFUNDED})


def event_type(status: OrderStatus) -> str:
    """`paid` -> `order.paid.v1`."""
    return f"order.{status.value}.v1"
