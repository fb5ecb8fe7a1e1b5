"""The cart and promotion codes, as HTTP answers show them."""

from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, Field

from pipeline.contracts.money import Money
from storefront_api.checkout.carts import PricedCart
from storefront_api.checkout.domain import CartLine, Quote, ShippingMethod, StockRow
from storefront_api.checkout.promotion import WHY, Offer, PromotionKind, PromotionState


def _some(amount_minor: int | None, currency: str) -> Money | None:
    return Money(amount_minor=amount_minor, currency=currency) if amount_minor else None


class CartItem(BaseModel):
    sku: str
    product_id: str
    title: str
    image_url: str | None
    options: dict[str, str]
    quantity: int
    unit_price: Money
    line_total: Money
    available: int = Field(description="Units on sale now; 0 when the article was taken off sale")
    price_changed: bool = Field(description="The price is not the one when it was put in")

    @classmethod
    def of(cls, line: CartLine, row: StockRow | None, currency: str) -> Self:
        price = Money(
            amount_minor=row.price_minor if row else line.unit_price_minor, currency=currency
        )
        return cls(
            sku=line.sku,
            product_id=line.product_id,
            title=line.title,
            image_url=line.image_url,
            options=dict(line.options),
            quantity=line.quantity,
            unit_price=price,
            line_total=price * line.quantity,
            available=row.sellable if row else 0,
            price_changed=price.amount_minor != line.unit_price_minor,
        )


class CartQuote(BaseModel):
    """total = subtotal - discount + shipping + tax; prices are net."""

    subtotal: Money
    discount: Money
    shipping: Money
    tax: Money
    total: Money
    currency: str
    shipping_method: ShippingMethod
    country: str

    @classmethod
    def of(cls, price: Quote) -> Self:
        def money(amount_minor: int) -> Money:
            return Money(amount_minor=amount_minor, currency=price.currency)

        return cls(
            subtotal=money(price.subtotal_minor),
            discount=money(price.discount_minor),
            shipping=money(price.shipping_minor),
            tax=money(price.tax_minor),
            total=money(price.total_minor),
            currency=price.currency,
            shipping_method=price.shipping_method,
            country=price.country,
        )


class CartPromotion(BaseModel):
    """The code of the cart: what it gives, or why it gives nothing."""

    code: str
    kind: PromotionKind
    percent: int | None
    amount: Money | None
    minimum_subtotal: Money | None
    state: PromotionState
    detail: str | None = Field(description="Why it gives nothing, as a sentence")

    @classmethod
    def of(cls, priced: PricedCart, currency: str) -> Self | None:
        state, told = priced.promotion_state, priced.cart.promotion
        if state is None or told is None:
            return None
        terms = priced.offer.promotion if priced.offer else told
        return cls(
            code=terms.code,
            kind=terms.kind,
            percent=terms.percent,
            amount=_some(terms.amount_minor, currency),
            minimum_subtotal=_some(terms.minimum_subtotal_minor, currency),
            state=state,
            detail=WHY.get(state),
        )


class CartView(BaseModel):
    items: list[CartItem]
    saved: list[CartItem] = Field(description="For later: not part of the quote")
    promotion: CartPromotion | None
    quote: CartQuote
    item_count: int = Field(description="Units, over all lines")
    next_cursor: None = None

    @classmethod
    def of(cls, priced: PricedCart, price: Quote) -> Self:
        def shown(lines: Mapping[str, CartLine]) -> list[CartItem]:
            oldest_first = sorted(lines.values(), key=lambda line: (line.added_at, line.sku))
            return [CartItem.of(x, priced.stock.get(x.sku), price.currency) for x in oldest_first]

        return cls(
            items=shown(priced.cart.lines),
            saved=shown(priced.cart.saved),
            promotion=CartPromotion.of(priced, price.currency),
            quote=CartQuote.of(price),
            item_count=sum(line.quantity for line in priced.cart.lines.values()),
        )


class PromotionView(BaseModel):
    """A code as operators see it; `uses` counts the orders that carry it and have not failed."""

    code: str
    kind: PromotionKind
    percent: int | None
    amount: Money | None
    minimum_subtotal: Money | None
    starts_at: str | None
    ends_at: str | None
    max_uses: int | None
    max_uses_per_shopper: int | None
    uses: int

    @classmethod
    def of(cls, offer: Offer, currency: str) -> Self:
        terms = offer.promotion
        return cls(
            code=terms.code,
            kind=terms.kind,
            percent=terms.percent,
            amount=_some(terms.amount_minor, currency),
            minimum_subtotal=_some(terms.minimum_subtotal_minor, currency),
            starts_at=terms.starts_at,
            ends_at=terms.ends_at,
            max_uses=terms.max_uses,
            max_uses_per_shopper=terms.max_uses_per_shopper,
            uses=offer.uses,
        )


class PromotionPage(BaseModel):
    items: list[PromotionView]
    next_cursor: str | None
