"""An order and its goods in memory, moved by the rules that the store writes by."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from typing import Any

from pipeline.contracts.errors import ShopError
from pipeline.contracts.events import to_iso_z
from pipeline.contracts.orders import ALLOWED_FROM, OrderStatus
from pipeline.runtime.order_moves import (
    Outcome,
    StockMove,
    is_overdue,
    moved,
    refund_move,
    refunded,
    stock_move,
    verdict,
)
from pipeline.runtime.order_refunds import RefundRequest, find_refund, plan_refund

S = OrderStatus
PLACED_AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
WINDOW = timedelta(minutes=15)
RECEIVED = 10
MOVES = {
    "paid": S.PAID, "payment_failed": S.PAYMENT_FAILED, "cancel": S.CANCELLED,
    "expire": S.CANCELLED, "pack": S.PACKED, "ship": S.SHIPPED, "deliver": S.DELIVERED,
}  # fmt: skip


@dataclass(frozen=True)
class Message:
    """What somebody asks of an order; `refund` has a key, units of the first SKU or all, and says
    whether what had left is back."""

    kind: str
    key: str = ""
    units: int | None = None
    are_back: bool = False


def an_order(order_id: str = "o-1", quantities: tuple[int, ...] = (3, 1)) -> dict[str, Any]:
    """A placed order, one SKU a line, with a discount and a tax that do not divide evenly."""
    lines = [
        {
            "line_no": number, "sku": f"{order_id}-{number}", "product_id": "p", "title": "Kettle",
            "category": "Kitchen", "quantity": quantity, "unit_price_minor": 333,
            "line_total_minor": 333 * quantity, "discount_minor": 10 * number + 1,
        }
        for number, quantity in enumerate(quantities, start=1)
    ]  # fmt: skip
    subtotal = sum(line["line_total_minor"] for line in lines)
    discount = sum(line["discount_minor"] for line in lines)
    at = to_iso_z(PLACED_AT)
    return {
        "order_id": order_id, "status": "placed", "version": 1, "placed_at": at,
        "pay_by": to_iso_z(PLACED_AT + WINDOW), "lines": lines, "subtotal_minor": subtotal,
        "discount_minor": discount, "shipping_minor": 399, "tax_minor": 271,
        "total_minor": subtotal - discount + 399 + 271, "currency": "GBP",
        "timeline": [{"version": 1, "status": "placed", "at": at, "note": None}],
        "payment": {"status": "pending", "failure_code": None},
    }  # fmt: skip


class Model:
    def __init__(self, order: dict[str, Any]) -> None:
        self.order = order
        self.stock = {
            line["sku"]: {"available": RECEIVED - line["quantity"], "held": line["quantity"],
                          "sold": 0}
            for line in order["lines"]
        }  # fmt: skip

    def deliver(self, message: Message, at: datetime) -> Outcome:
        if message.kind == "refund":
            return self._refund(message, at)
        to = MOVES[message.kind]
        outcome = verdict(self.order, to, at)
        if outcome is Outcome.ADVANCED and message.kind == "expire":
            outcome = Outcome.ADVANCED if is_overdue(self.order, at) else Outcome.REFUSED
        if outcome is Outcome.ADVANCED:
            self._book(stock_move(self.order, to), moved(self.order, to, at, None, {}))
        return outcome

    def _refund(self, message: Message, at: datetime) -> Outcome:
        if find_refund(self.order, message.key):
            return Outcome.ALREADY
        try:
            refund = plan_refund(self.order, self.request(message))
        except ShopError:
            return Outcome.REFUSED
        self._book(refund_move(refund), refunded(self.order, refund, at)[0])
        return Outcome.ADVANCED

    def request(self, message: Message) -> RefundRequest:
        first = self.order["lines"][0]["sku"]
        units = None if message.units is None else {first: message.units}
        return RefundRequest(
            message.key, message.key, "", units, None, "operator-1", message.are_back
        )

    def _book(self, goods: StockMove | None, after: dict[str, Any]) -> None:
        self.order = after
        for sku, units in goods.units.items() if goods else ():
            self.stock[sku][goods.source] -= units
            self.stock[sku][goods.target] += units

    def check(self) -> None:
        """What holds of an order at every moment, whatever was asked of it."""
        order, refunds = self.order, self.order.get("refunds", [])
        timeline = order["timeline"]
        assert [entry["version"] for entry in timeline] == list(range(1, order["version"] + 1))
        path = [state for state, _ in groupby(entry["status"] for entry in timeline)]
        assert len(path) == len(set(path))
        for before, after in pairwise(path):
            assert before in ALLOWED_FROM[S(after)]
        given_back = sum(refund["amount_minor"] for refund in refunds)
        assert given_back <= order["total_minor"]
        assert (given_back == order["total_minor"]) == (order["status"] == "refunded")
        for line in order["lines"]:
            stock = self.stock[line["sku"]]
            assert sum(stock.values()) == RECEIVED
            assert min(stock.values()) >= 0
            back = sum(
                one["quantity"] for refund in refunds if refund["is_restocked"]
                for one in refund["lines"] if one["sku"] == line["sku"]
            )  # fmt: skip
            gone = order["status"] in ("cancelled", "payment_failed")
            assert stock["held"] == (line["quantity"] if order["status"] == "placed" else 0)
            assert stock["sold"] == (
                0 if gone or order["status"] == "placed" else line["quantity"] - back
            )
