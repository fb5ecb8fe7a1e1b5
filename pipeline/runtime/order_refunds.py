"""How much of an order goes back, line by line, and that all of it adds up: pure rules."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.contracts.errors import Conflict, Unprocessable
from pipeline.contracts.money import split
from pipeline.contracts.orders import ALLOWED_FROM, OrderStatus

S = OrderStatus
MAX_REFUNDS = 50
# Goods that have not left yet go back on sale, and others once they are said to be back.
_STILL_HERE = frozenset({S.PAID, S.PACKED})


class NothingToRefund(Conflict):
    slug, title = "nothing-to-refund", "There is nothing to give back"


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """`units` by SKU, None for all that is left. The same `key` is one refund, once.

    `body_hash` tells two requests under one key apart; `by` is the operator's id.
    `goods_are_back` says that what had left is on the shelf again.
    """

    refund_id: str
    key: str
    body_hash: str
    units: Mapping[str, int] | None
    reason: str | None
    by: str
    goods_are_back: bool = False


@dataclass(frozen=True, slots=True)
class Refund:
    """`record` is an entry of the row's `refunds`, without `version` and `at`; its amounts are at
    or above zero, amount = subtotal - discount + shipping + tax."""

    record: Mapping[str, Any]
    to: OrderStatus

    @property
    def units(self) -> Mapping[str, int]:
        return _units(self.record["lines"])


def find_refund(order: Mapping[str, Any], key: str) -> Mapping[str, Any] | None:
    return next((one for one in order.get("refunds", ()) if one["key"] == key), None)


def plan_refund(order: Mapping[str, Any], asked: RefundRequest) -> Refund:
    """What a request gives back of an order as it stands.

    The last units bring the shipping along, and the order to `refunded`; before, it stays in its
    state. Whatever the steps, all refunds of an order add up to its total.
    Raises: Unprocessable for a SKU or a quantity that is not left; NothingToRefund.
    """
    if order["status"] not in ALLOWED_FROM[S.REFUNDED]:
        raise NothingToRefund(
            f"An order that is {order['status']} has no money to give back",
            order_status=order["status"],
        )
    if len(order.get("refunds", ())) >= MAX_REFUNDS:
        raise NothingToRefund(
            f"An order has at most {MAX_REFUNDS} refunds; refund the rest by hand"
        )
    done = _refunded_units(order)
    taken = _taken(order, done, asked.units)
    *tax_of_lines, tax_of_shipping = _tax_parts(order)
    lines = [
        _line(line, done[line["line_no"]], taken[line["line_no"]], tax_minor)
        for line, tax_minor in zip(order["lines"], tax_of_lines, strict=True)
        if taken[line["line_no"]]
    ]
    is_last = all(
        done[line["line_no"]] + taken[line["line_no"]] == line["quantity"]
        for line in order["lines"]
    )  # fmt: skip
    subtotal_minor = sum(line["line_total_minor"] for line in lines)
    discount_minor = sum(line["discount_minor"] for line in lines)
    tax_minor = sum(line["tax_minor"] for line in lines) + (tax_of_shipping if is_last else 0)
    shipping_minor = order["shipping_minor"] if is_last else 0
    amount_minor = subtotal_minor - discount_minor + shipping_minor + tax_minor
    if not amount_minor:
        raise NothingToRefund("Nothing was paid for these lines")
    record = {
        "refund_id": asked.refund_id, "key": asked.key, "body_hash": asked.body_hash,
        "reason": asked.reason, "by": asked.by, "lines": lines,
        "subtotal_minor": subtotal_minor, "discount_minor": discount_minor,
        "shipping_minor": shipping_minor, "tax_minor": tax_minor, "amount_minor": amount_minor,
        "is_restocked": asked.goods_are_back or order["status"] in _STILL_HERE,
    }  # fmt: skip
    return Refund(record, S.REFUNDED if is_last else S(order["status"]))


def units_kept(order: Mapping[str, Any]) -> dict[str, int]:
    """Units by SKU that the order took off the shelf, less those that refunds put back."""
    units = Counter(_units(order["lines"]))
    for refund in order.get("refunds", ()):
        if refund["is_restocked"]:
            units.subtract(_units(refund["lines"]))
    return {sku: count for sku, count in units.items() if count}


def _units(lines: Any) -> dict[str, int]:
    units: Counter[str] = Counter()
    for line in lines:
        units[line["sku"]] += int(line["quantity"])
    return dict(units)


def _refunded_units(order: Mapping[str, Any]) -> Counter[int]:
    """Units by line number."""
    done: Counter[int] = Counter()
    for refund in order.get("refunds", ()):
        for line in refund["lines"]:
            done[line["line_no"]] += line["quantity"]
    return done


def _taken(
    order: Mapping[str, Any], done: Counter[int], wanted: Mapping[str, int] | None
) -> Counter[int]:
    """Units to give back, by line number."""
    left = {line["line_no"]: line["quantity"] - done[line["line_no"]] for line in order["lines"]}
    if wanted is None:
        if not any(left.values()):
            raise NothingToRefund("Everything was given back")
        return Counter(left)
    taken: Counter[int] = Counter()
    for sku, quantity in wanted.items():
        rest = quantity
        for line in order["lines"]:
            if line["sku"] == sku:
                taken[line["line_no"]] = min(rest, left[line["line_no"]])
                rest -= taken[line["line_no"]]
        if rest:
            message = f"{sku}: {quantity} wanted, {quantity - rest} left to give back"
            raise Unprocessable(message, errors=[{"field": "lines", "message": message}], sku=sku)
    return taken


def _tax_parts(order: Mapping[str, Any]) -> list[int]:
    """The order's tax on each line, and on the shipping at the end."""
    goods = [line["line_total_minor"] - line.get("discount_minor", 0) for line in order["lines"]]
    return split(order["tax_minor"], [*goods, order["shipping_minor"]])


def _line(line: Mapping[str, Any], done: int, taken: int, tax_minor: int) -> dict[str, Any]:
    """`taken` units of a line of which `done` went back before."""

    def part(amount_minor: int) -> int:
        # Of a cumulative share, so that the parts of a line add up however it is cut.
        quantity: int = line["quantity"]
        return amount_minor * (done + taken) // quantity - amount_minor * done // quantity

    kept = ("line_no", "sku", "product_id", "title", "category", "unit_price_minor")
    return {name: line[name] for name in kept} | {
        "quantity": taken,
        "line_total_minor": line["unit_price_minor"] * taken,
        "discount_minor": part(line.get("discount_minor", 0)),
        "tax_minor": part(tax_minor),
    }
