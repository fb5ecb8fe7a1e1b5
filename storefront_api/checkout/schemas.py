"""What comes in and goes out over HTTP."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

import email_validator
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from pipeline.contracts.ids import order_number
from pipeline.contracts.money import Money
from pipeline.contracts.orders import ALLOWED_FROM, OrderStatus
from storefront_api.checkout.carts import PricedCart
from storefront_api.checkout.domain import MAX_QUANTITY, CartLine, Quote, ShippingMethod, StockRow
from storefront_api.checkout.reference import is_country

MAX_EMAIL = 254
CardToken = Literal[
    "tok_visa", "tok_declined", "tok_insufficient_funds", "tok_timeout", "tok_flaky"
]


def _to_email(text: str) -> str:
    try:
        # Without DNS; test_environment lets the reserved names of test systems through.
        valid = email_validator.validate_email(
            text, check_deliverability=False, test_environment=True
        )
    except email_validator.EmailNotValidError as error:
        raise ValueError(str(error)) from None
    return valid.normalized


def _to_country(code: str) -> str:
    if not is_country(code):
        raise ValueError("no ISO 3166-1 alpha-2 country code, e.g. GB")
    return code


def _text(max_length: int) -> Any:
    # No control characters: they end up on labels, in mails and in CSV files.
    return StringConstraints(
        strip_whitespace=True, min_length=1, max_length=max_length, pattern=r"^[^\x00-\x1f\x7f]*$"
    )


Email = Annotated[
    str, Field(max_length=MAX_EMAIL, examples=["ada@example.com"]), AfterValidator(_to_email)
]
Country = Annotated[
    str, Field(min_length=2, max_length=2, examples=["GB"]), AfterValidator(_to_country)
]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ItemQuantity(_Body):
    quantity: int = Field(ge=0, le=MAX_QUANTITY, strict=True, description="0 takes the line out")


class ShippingAddress(_Body):
    name: Annotated[str, _text(120)]
    line1: Annotated[str, _text(200)]
    line2: Annotated[str, _text(200)] | None = None
    city: Annotated[str, _text(120)]
    postal_code: Annotated[str, _text(20)]
    country: Country


class Payment(_Body):
    card_token: CardToken


def _blank_to_none(value: Any) -> Any:
    return None if value == "" else value


class PlaceOrder(_Body):
    email: Annotated[Email | None, BeforeValidator(_blank_to_none)] = Field(
        default=None, description="Required of guests"
    )
    shipping_address: ShippingAddress
    shipping_method: ShippingMethod = ShippingMethod.STANDARD
    payment: Payment
    expected_total: Money | None = Field(
        default=None, description="The total the shopper saw; another one is a 409"
    )


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
    """total = subtotal + shipping + tax; prices are net."""

    subtotal: Money
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
            shipping=money(price.shipping_minor),
            tax=money(price.tax_minor),
            total=money(price.total_minor),
            currency=price.currency,
            shipping_method=price.shipping_method,
            country=price.country,
        )


class CartView(BaseModel):
    items: list[CartItem]
    quote: CartQuote
    item_count: int = Field(description="Units, over all lines")
    next_cursor: None = None

    @classmethod
    def of(cls, priced: PricedCart, price: Quote) -> Self:
        lines = sorted(priced.cart.lines.values(), key=lambda line: (line.added_at, line.sku))
        return cls(
            items=[CartItem.of(x, priced.stock.get(x.sku), price.currency) for x in lines],
            quote=CartQuote.of(price),
            item_count=sum(line.quantity for line in lines),
        )


class _Totals(BaseModel):
    subtotal: Money
    shipping: Money
    tax: Money
    total: Money


def _totals(order: Mapping[str, Any]) -> dict[str, Money]:
    return {
        name: Money(amount_minor=order[f"{name}_minor"], currency=order["currency"])
        for name in ("subtotal", "shipping", "tax", "total")
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
            payment=PaymentView.model_validate(order["payment"]),
            timeline=[TimelineEntry.model_validate(entry) for entry in order["timeline"]],
            version=order["version"],
            can_cancel=order["status"] in ALLOWED_FROM[OrderStatus.CANCELLED],
            **_totals(order),
        )
