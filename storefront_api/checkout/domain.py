"""Carts and quotes: values and rules, without clock or store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum

from pipeline.contracts.errors import Conflict
from pipeline.contracts.money import share
from storefront_api.checkout.promotion import Promotion, PromotionKind

# 50 stock rows, the order, the idempotency row, two carts and a promotion's four rows fit in one
# transaction (limit 100).
MAX_LINES = 50
# With the lines and a promotion's rows, what one batch read takes (limit 100).
MAX_SAVED = 40
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


class SavedFull(Conflict):
    slug, title = "saved-full", f"At most {MAX_SAVED} articles are saved for later"


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

    `promotion` has the terms that the shopper was last told. `saved` lies beside the cart for
    later, with the quantity to put back; a SKU is in one of the two.
    """

    owner: str
    lines: Mapping[str, CartLine] = field(default_factory=dict)
    version: int = 0
    promotion: Promotion | None = None
    saved: Mapping[str, CartLine] = field(default_factory=dict)

    @property
    def is_blank(self) -> bool:
        return not self.lines and not self.saved and self.promotion is None

    @property
    def subtotal_minor(self) -> int:
        return sum(line.quantity * line.unit_price_minor for line in self.lines.values())


def with_line(cart: Cart, row: StockRow, quantity: int, at: str) -> Cart:
    """The cart with this SKU at this quantity, above 0, and today's price; no longer for later.

    Raises CartFull when it would be a line too many.
    """
    if row.sku not in cart.lines and len(cart.lines) >= MAX_LINES:
        raise CartFull(errors=[{"field": "sku", "message": CartFull.title}], max_lines=MAX_LINES)
    known = cart.lines.get(row.sku)
    line = _line(row, quantity, known.added_at if known else at)
    return replace(
        cart, lines={**cart.lines, row.sku: line}, saved=_without(cart.saved, row.sku)
    )  # fmt: skip


def without_line(cart: Cart, sku: str) -> Cart:
    return replace(cart, lines=_without(cart.lines, sku))


def with_saved(cart: Cart, sku: str, row: StockRow | None, at: str) -> Cart | None:
    """The cart with this SKU for later: its line as it is, or one unit of what was not in it.

    Returns: None for a SKU that is neither in the cart nor in the catalogue (`row`).
    Raises SavedFull when it would be one too many.
    """
    line = cart.lines.get(sku) or cart.saved.get(sku) or (_line(row, 1, at) if row else None)
    if line is None:
        return None
    if sku not in cart.saved and len(cart.saved) >= MAX_SAVED:
        raise SavedFull(errors=[{"field": "sku", "message": SavedFull.title}], max_saved=MAX_SAVED)
    return replace(cart, lines=_without(cart.lines, sku), saved={**cart.saved, sku: line})


def without_saved(cart: Cart, sku: str) -> Cart:
    return replace(cart, saved=_without(cart.saved, sku))


def _line(row: StockRow, quantity: int, added_at: str) -> CartLine:
    return CartLine(
        row.sku, row.product_id, row.title, row.category, row.image_url, row.options,
        quantity, row.price_minor, added_at,
    )  # fmt: skip


def _without(lines: Mapping[str, CartLine], sku: str) -> Mapping[str, CartLine]:
    return {other: line for other, line in lines.items() if other != sku}


def merged(cart: Cart, guest: Cart) -> Cart:
    """A shopper's cart with what the guest had put in before signing in.

    Quantities add up to at most 99 a line; the user's lines come first when 50 are too few, and
    the guest's that find no place are saved for later, like those the guest saved, as far as 40
    go. A price or a promotion is the one told last, which is the guest's.
    """
    lines, saved = dict(cart.lines), dict(cart.saved)
    for line in _by_age(guest.lines):
        known = lines.get(line.sku)
        if known is None and len(lines) >= MAX_LINES:
            saved[line.sku] = line
            continue
        quantity = min(MAX_QUANTITY, line.quantity + (known.quantity if known else 0))
        lines[line.sku] = replace(line, quantity=quantity)
    for line in _by_age(guest.saved):
        saved.setdefault(line.sku, line)
    later = {sku: line for sku, line in saved.items() if sku not in lines}
    return replace(
        cart,
        lines=lines,
        saved=dict(list(later.items())[:MAX_SAVED]),
        promotion=guest.promotion or cart.promotion,
    )


def _by_age(lines: Mapping[str, CartLine]) -> list[CartLine]:
    return sorted(lines.values(), key=lambda one: (one.added_at, one.sku))


def emptied(cart: Cart) -> Cart:
    """What is left when the lines are ordered or thrown out: what was saved for later."""
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
