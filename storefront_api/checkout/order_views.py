"""Orders, as HTTP answers show them."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, Field

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
    number: str
    status: OrderStatus
    placed_at: str
    item_count: int

    @classmethod
    def of(cls, order: Mapping[str, Any]) -> Self:
        return cls(
            order_id=order["order_id"],
            number=order_number(order["order_id"]),
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


class RefundLineView(BaseModel):
    line_no: int
    sku: str
    title: str
    quantity: int


class RefundView(_Totals):
    """Money given back; `total` is what the card gets, of the lines named."""

    refund_id: str
    order_id: str
    at: str
    reason: str | None
    lines: list[RefundLineView]
    order_status: OrderStatus

    @classmethod
    def of(cls, order: Mapping[str, Any], refund: Mapping[str, Any]) -> Self:
        names = RefundLineView.model_fields
        amounts = {"total_minor": refund["amount_minor"], "currency": order["currency"]}
        return cls(
            refund_id=refund["refund_id"],
            order_id=order["order_id"],
            at=refund["at"],
            reason=refund["reason"],
            lines=[RefundLineView(**{n: line[n] for n in names}) for line in refund["lines"]],
            order_status=order["status"],
            **_totals({**refund, **amounts}),
        )


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
    number: str
    status: OrderStatus
    placed_at: str
    email: str | None
    lines: list[OrderLineView]
    shipping_address: AddressView
    shipping_method: ShippingMethod
    promotion_code: str | None
    payment: PaymentView
    timeline: list[TimelineEntry]
    refunds: list[RefundView]
    refunded: Money = Field(description="What went back so far; of the total, once refunded")
    version: int
    can_cancel: bool

    @classmethod
    def of(cls, order: Mapping[str, Any]) -> Self:
        refunds = order.get("refunds", [])
        given_back_minor = sum(refund["amount_minor"] for refund in refunds)
        return cls(
            order_id=order["order_id"],
            number=order_number(order["order_id"]),
            status=order["status"],
            placed_at=order["placed_at"],
            email=order["email"],
            lines=[OrderLineView.of(line, order["currency"]) for line in order["lines"]],
            shipping_address=AddressView.model_validate(order["shipping_address"]),
            shipping_method=order["shipping_method"],
            promotion_code=(order.get("promotion") or {}).get("code"),
            payment=PaymentView.model_validate(order["payment"]),
            timeline=[TimelineEntry.model_validate(entry) for entry in order["timeline"]],
            refunds=[RefundView.of(order, refund) for refund in refunds],
            refunded=Money(amount_minor=given_back_minor, currency=order["currency"]),
            version=order["version"],
            can_cancel=order["status"] in ALLOWED_FROM[OrderStatus.CANCELLED] and not refunds,
            **_totals(order),
        )
