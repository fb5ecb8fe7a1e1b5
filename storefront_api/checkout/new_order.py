"""From a cart and its quote to the order row; without clock or store."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.contracts import keys
from pipeline.contracts.categories import sales_category
from pipeline.contracts.money import split
from pipeline.contracts.orders import OrderStatus
from storefront_api.checkout.domain import Cart, CartLine, Quote
from storefront_api.checkout.promotion import as_ordered, subjects_of


@dataclass(frozen=True, slots=True)
class Purchase:
    """Everything an order states besides the cart."""

    order_id: str
    owner: str
    customer_id: str | None
    email: str | None
    placed_at: str
    pay_by: str
    sales_country: str
    shipping_address: Mapping[str, str | None]
    card_token: str
    correlation_id: str
    is_synthetic: bool


def order_lines(lines: Iterable[CartLine], discount_minor: int = 0) -> list[dict[str, Any]]:
    """The lines of an order, by SKU, as the order row and its events carry them.

    The order's discount lies on its lines in proportion to what they cost, to the penny, so that
    what is given back line by line adds up.
    """
    ordered = sorted(lines, key=lambda one: one.sku)
    shares = split(discount_minor, [line.quantity * line.unit_price_minor for line in ordered])
    return [
        {
            "line_no": number,
            "sku": line.sku,
            "product_id": line.product_id,
            "title": line.title,
            "category": sales_category(line.category),
            "quantity": line.quantity,
            "unit_price_minor": line.unit_price_minor,
            "line_total_minor": line.quantity * line.unit_price_minor,
            "discount_minor": off_minor,
            "options": dict(line.options),
            "image_url": line.image_url,
        }
        for number, (line, off_minor) in enumerate(zip(ordered, shares, strict=True), start=1)
    ]


def new_order(purchase: Purchase, cart: Cart, price: Quote) -> dict[str, Any]:
    """The order row (layout: docs/architecture.md, table orders), without its keys."""
    assert cart.lines, "an empty cart is refused before"
    subjects = subjects_of(purchase.customer_id, purchase.email)
    status = OrderStatus.PLACED.value
    return {
        "order_id": purchase.order_id,
        "owner": purchase.owner,
        "customer_id": purchase.customer_id,
        "email": purchase.email,
        "status": status,
        "version": 1,
        "placed_at": purchase.placed_at,
        "pay_by": purchase.pay_by,
        "country": purchase.sales_country,
        "currency": price.currency,
        "lines": order_lines(cart.lines.values(), price.discount_minor),
        "subtotal_minor": price.subtotal_minor,
        "discount_minor": price.discount_minor,
        "shipping_minor": price.shipping_minor,
        "tax_minor": price.tax_minor,
        "total_minor": price.total_minor,
        "promotion": as_ordered(price.promotion, subjects) if price.promotion else None,
        "shipping_address": dict(purchase.shipping_address),
        "shipping_method": price.shipping_method.value,
        "card_token": purchase.card_token,
        "payment": {"status": "pending", "failure_code": None},
        "timeline": [{"version": 1, "status": status, "at": purchase.placed_at, "note": None}],
        "correlation_id": purchase.correlation_id,
        "synthetic": purchase.is_synthetic,
        "listing": keys.order_listing(purchase.is_synthetic),
    }
