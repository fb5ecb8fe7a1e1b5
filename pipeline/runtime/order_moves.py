"""What may become of an order, and what moves with it: pure rules over order rows.

A row is a plain dict (layout: docs/architecture.md, table orders). `order_store` writes what is
decided here, conditional on the version it was decided for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from pipeline.contracts.events import to_iso_z
from pipeline.contracts.orders import ALLOWED_FROM, RELEASES_STOCK, OrderStatus
from pipeline.runtime.order_refunds import Refund, units_kept

S = OrderStatus
Order = Mapping[str, Any]


class Outcome(StrEnum):
    ADVANCED = "advanced"  # this call moved the order
    ALREADY = "already"  # it had been in that state before: a replay, a success
    REFUSED = "refused"  # its present state does not lead there


@dataclass(frozen=True, slots=True)
class StockMove:
    """Units by SKU that go from one counter of the stock rows to another."""

    source: str
    target: str
    units: Mapping[str, int]


def verdict(order: Order, to: OrderStatus, at: datetime) -> Outcome:
    """What asking for this state at this time comes to; ADVANCED says that it may be written."""
    if any(entry["status"] == to for entry in order["timeline"]):
        return Outcome.ALREADY
    if order["status"] not in ALLOWED_FROM[to]:
        return Outcome.REFUSED
    if to is S.PAID and is_overdue(order, at):
        return (
            Outcome.REFUSED
        )  # its goods are due back on sale, whether somebody has done it or not
    if to is S.CANCELLED and order.get("refunds"):
        return Outcome.REFUSED  # a part is given back already; the rest is refunded, too
    return Outcome.ADVANCED


def is_overdue(order: Order, at: datetime) -> bool:
    """Whether a placed order has waited for its payment for too long."""
    pay_by = order.get("pay_by")  # orders of before there was a limit lack it
    return order["status"] == S.PLACED and pay_by is not None and to_iso_z(at) >= pay_by


def moved(
    order: Order, to: OrderStatus, at: datetime, note: str | None, changes: Mapping[str, Any]
) -> dict[str, Any]:
    """The row one version on; moving to the state it is in adds a line to its timeline."""
    version = order["version"] + 1
    entry = {"version": version, "status": to.value, "at": to_iso_z(at), "note": note}
    return {
        **order,
        **changes,
        "status": to.value,
        "version": version,
        "timeline": [*order["timeline"], entry],
    }


def stock_move(order: Order, to: OrderStatus) -> StockMove | None:
    """The goods that move with an order to a state, if any do."""
    units = units_kept(order)
    if to is S.PAID:
        return StockMove("held", "sold", units)
    if to in RELEASES_STOCK:
        source = "held" if order["status"] == S.PLACED else "sold"
        return StockMove(source, "available", units)
    return None


def refunded(order: Order, refund: Refund, at: datetime) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the row with a refund booked, what of it changed besides the state)."""
    record = {**refund.record, "version": order["version"] + 1, "at": to_iso_z(at)}
    changes: dict[str, Any] = {"refunds": [*order.get("refunds", ()), record]}
    if refund.to is S.REFUNDED:
        changes["payment"] = {"status": "refunded", "failure_code": None}
    goods = ", ".join(f"{line['quantity']} × {line['title']}" for line in record["lines"])
    return moved(order, refund.to, at, f"Refunded: {goods}"[:500], changes), changes


def refund_move(refund: Refund) -> StockMove | None:
    return StockMove("sold", "available", refund.units) if refund.record["is_restocked"] else None
