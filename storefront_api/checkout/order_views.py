"""Orders, as HTTP answers show them."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel

from pipeline.contracts.ids import order_number
from pipeline.contracts.money import Money
from pipeline.contracts.orders import ALLOWED_FROM, OrderStatus
from storefront_api.checkout.domain import ShippingMethod


class _Totals(BaseModel):
    """total = subtotal - discount + shipping + tax."""

    subtotal: Money
    discount: Money
    shipping: Money
    tax: Money
    total: Money


def _totals(order: Mapping[str, Any]) -> dict[str, Money]:
    return {
        # Orders of before there were promotions have no discount.
        name: Money(amount_minor=order.get(f"{name}_minor", 0), currency=order["currency"])
        for name in ("subtotal", "discount", "shipping", "tax", "total")
    }


class PlacedOrder(_Totals):
    order_id: str
    order_number: str
    status: OrderStatus
    placed_at: str
    item_count: int

    @classmethod
    def of(cls, order: Mapping[str, Any]) -> Self:
        return cls(
            order_id=order["order_id"],
            order_number=order_number(order["order_id"]),
            status=order["status"],
            placed_at=order["placed_at"],
            item_count=sum(line["quantity"] for line in order["lines"]),
            **_totals(order),
        )


class OrderPage(BaseModel):
    items: list[PlacedOrder]
    next_cursor: str | None


class OrderLineView(BaseModel):
    line_no: int
    sku: str
    product_id: str
    title: str
    options: dict[str, str]
    image_url: str | None
    quantity: int
    unit_price: Money
    line_total: Money

    @classmethod
    def of(cls, line: Mapping[str, Any], currency: str) -> Self:
        return cls(
            **{
                name: line[name]
                for name in ("line_no", "sku", "product_id", "title", "options", "image_url")
            },
            quantity=line["quantity"],
            unit_price=Money(amount_minor=line["unit_price_minor"], currency=currency),
            line_total=Money(amount_minor=line["line_total_minor"], currency=currency),
        )


class PaymentView(BaseModel):
    status: str
    failure_code: str | None


class TimelineEntry(BaseModel):
    status: OrderStatus
    at: str
    note: str | None


class AddressView(BaseModel):
    name: str
    line1: str
    line2: str | None
    city: str
    postal_code: str
    country: str


class OrderView(_Totals):
    order_id: str
    order_number: str
    status: OrderStatus
    placed_at: str
    email: str | None
    lines: list[OrderLineView]
    shipping_address: AddressView
    shipping_method: ShippingMethod
    promotion_code: str | None
    payment: PaymentView
    timeline: list[TimelineEntry]
    version: int
    can_cancel: bool

    @classmethod
    def of(cls, order: Mapping[str, Any]) -> Self:
        return cls(
            order_id=order["order_id"],
            order_number=order_number(order["order_id"]),
            status=order["status"],
            placed_at=order["placed_at"],
            email=order["email"],
            lines=[OrderLineView.of(line, order["currency"]) for line in order["lines"]],
            shipping_address=AddressView.model_validate(order["shipping_address"]),
            shipping_method=order["shipping_method"],
            promotion_code=(order.get("promotion") or {}).get("code"),
            payment=PaymentView.model_validate(order["payment"]),
            timeline=[TimelineEntry.model_validate(entry) for entry in order["timeline"]],
            version=order["version"],
            can_cancel=order["status"] in ALLOWED_FROM[OrderStatus.CANCELLED],
            **_totals(order),
        )
