"""Carts, quotes and new orders: values and rules, without clock or store."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any

from pipeline.contracts import keys
from pipeline.contracts.categories import sales_category
from pipeline.contracts.errors import Conflict
from pipeline.contracts.money import share, split
from pipeline.contracts.orders import OrderStatus
from storefront_api.checkout.promotion import Promotion, PromotionKind, as_ordered, subjects_of

# 50 stock rows, the order, the idempotency row, the cart and a promotion's four rows fit in one
# transaction (limit 100).
MAX_LINES = 50
MAX_QUANTITY = 99
FREE_SHIPPING_FROM_MINOR = 5_000


class ShippingMethod(StrEnum):
    STANDARD = "standard"
    EXPRESS = "express"


_SHIPPING_MINOR = {ShippingMethod.STANDARD: 399, ShippingMethod.EXPRESS: 799}


class EmptyCart(Conflict):
    slug, title = "empty-cart", "The cart is empty"


class CartFull(Conflict):
    slug, title = "cart-full", f"A cart holds at most {MAX_LINES} different articles"


@dataclass(frozen=True, slots=True)
class StockRow:
    """What the catalogue says about one SKU at this moment."""

    sku: str
    product_id: str
    title: str
    category: Sequence[str]
    image_url: str | None
    options: Mapping[str, str]
    price_minor: int
    currency: str
    available: int
    is_archived: bool = False

    @property
    def sellable(self) -> int:
        return 0 if self.is_archived else max(self.available, 0)


@dataclass(frozen=True, slots=True)
class CartLine:
    """`unit_price_minor` is the price the shopper was last told; an order is placed at it."""

    sku: str
    product_id: str
    title: str
    category: Sequence[str]
    image_url: str | None
    options: Mapping[str, str]
    quantity: int
    unit_price_minor: int
    added_at: str


@dataclass(frozen=True, slots=True)
class Cart:
    """`version` 0 is a cart that has never been written.

    `promotion` has the terms that the shopper was last told.
    """

    owner: str
    lines: Mapping[str, CartLine] = field(default_factory=dict)
    version: int = 0
    promotion: Promotion | None = None

    @property
    def is_blank(self) -> bool:
        return not self.lines and self.promotion is None

    @property
    def subtotal_minor(self) -> int:
        return sum(line.quantity * line.unit_price_minor for line in self.lines.values())


def with_line(cart: Cart, row: StockRow, quantity: int, at: str) -> Cart:
    """The cart with this SKU at this quantity and today's price; quantity 0 takes it out.

    Raises CartFull when it would be a line too many.
    """
    lines = {sku: line for sku, line in cart.lines.items() if sku != row.sku or quantity}
    if quantity:
        if row.sku not in lines and len(lines) >= MAX_LINES:
            raise CartFull(
                errors=[{"field": "sku", "message": CartFull.title}], max_lines=MAX_LINES
            )
        known = cart.lines.get(row.sku)
        lines[row.sku] = CartLine(
            row.sku, row.product_id, row.title, row.category, row.image_url, row.options,
            quantity, row.price_minor, known.added_at if known else at,
        )  # fmt: skip
    return replace(cart, lines=lines)


def merged(cart: Cart, guest: Cart) -> Cart:
    """A shopper's cart with what the guest had put in before signing in.

    Quantities add up to at most 99 a line; the user's lines come first when 50 are too few.
    A price or a promotion is the one told last, which is the guest's.
    """
    lines = dict(cart.lines)
    for line in sorted(guest.lines.values(), key=lambda one: (one.added_at, one.sku)):
        known = lines.get(line.sku)
        if known is None and len(lines) >= MAX_LINES:
            continue
        quantity = min(MAX_QUANTITY, line.quantity + (known.quantity if known else 0))
        lines[line.sku] = replace(line, quantity=quantity)
    return replace(cart, lines=lines, promotion=guest.promotion or cart.promotion)


def emptied(cart: Cart) -> Cart:
    """What is left when the lines are ordered or thrown out."""
    return replace(cart, lines={}, promotion=None)


def repriced(cart: Cart, prices_minor: Mapping[str, int]) -> Cart:
    """The cart at these prices; a SKU without one keeps its own."""
    return replace(
        cart,
        lines={
            sku: replace(line, unit_price_minor=prices_minor.get(sku, line.unit_price_minor))
            for sku, line in cart.lines.items()
        },
    )


@dataclass(frozen=True, slots=True)
class Quote:
    """What an order costs, in minor units of `currency`; prices are net of tax.

    `promotion` is the one that this quote has the benefit of.
    """

    subtotal_minor: int
    discount_minor: int
    shipping_minor: int
    tax_minor: int
    currency: str
    country: str
    shipping_method: ShippingMethod
    promotion: Promotion | None = None

    @property
    def total_minor(self) -> int:
        return self.subtotal_minor - self.discount_minor + self.shipping_minor + self.tax_minor


@dataclass(frozen=True, slots=True)
class Destination:
    """Where an order goes, how, and what that is taxed at (a ratio)."""

    country: str
    shipping_method: ShippingMethod
    tax_rate: Decimal


def quote(
    subtotal_minor: int, currency: str, to: Destination, promotion: Promotion | None = None
) -> Quote:
    """Shipping by method and by what the goods cost after the discount; tax on both, rounded once.

    A promotion whose least subtotal is not reached gives nothing.
    Source: VAT on delivery follows the goods delivered (HMRC, VAT Notice 700/24), and is due on the
    discounted amount (HMRC, VAT guide, Notice 700, on discounts).
    """
    if promotion and not (subtotal_minor and promotion.reaches(subtotal_minor)):
        promotion = None
    discount_minor = promotion.discount_minor(subtotal_minor) if promotion else 0
    goods_minor = subtotal_minor - discount_minor
    shipping_minor = _shipping(goods_minor, to.shipping_method) if subtotal_minor else 0
    if promotion and promotion.kind is PromotionKind.FREE_SHIPPING:
        shipping_minor = 0
    return Quote(
        subtotal_minor, discount_minor, shipping_minor,
        share(goods_minor + shipping_minor, to.tax_rate), currency, to.country,
        to.shipping_method, promotion,
    )  # fmt: skip


def _shipping(goods_minor: int, method: ShippingMethod) -> int:
    if method is ShippingMethod.STANDARD and goods_minor >= FREE_SHIPPING_FROM_MINOR:
        return 0
    return _SHIPPING_MINOR[method]


@dataclass(frozen=True, slots=True)
class Purchase:
    """Everything an order states besides the cart."""

    order_id: str
    owner: str
    customer_id: str | None
    email: str | None
    placed_at: str
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
