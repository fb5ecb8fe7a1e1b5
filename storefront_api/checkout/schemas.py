"""What comes in over HTTP."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

import email_validator
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from pipeline.contracts.events import UtcTime, to_iso_z
from pipeline.contracts.money import MAX_MINOR, Money
from storefront_api.checkout.domain import MAX_LINES, MAX_QUANTITY, ShippingMethod
from storefront_api.checkout.promotion import Promotion, PromotionKind
from storefront_api.countries import is_country
from storefront_api.text import to_line

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


def _up_to(max_length: int) -> StringConstraints:
    return StringConstraints(strip_whitespace=True, min_length=1, max_length=max_length)


Email = Annotated[
    str, Field(max_length=MAX_EMAIL, examples=["ada@example.com"]), AfterValidator(_to_email)
]
Country = Annotated[
    str, Field(min_length=2, max_length=2, examples=["GB"]), AfterValidator(_to_country)
]


_Line = AfterValidator(to_line)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ItemQuantity(_Body):
    quantity: int = Field(ge=0, le=MAX_QUANTITY, strict=True, description="0 takes the line out")


class ShippingAddress(_Body):
    name: Annotated[str, _up_to(120), _Line]
    line1: Annotated[str, _up_to(200), _Line]
    line2: Annotated[str, _up_to(200), _Line] | None = None
    city: Annotated[str, _up_to(120), _Line]
    postal_code: Annotated[str, _up_to(20), _Line]
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


class RefundLine(_Body):
    sku: Annotated[str, Field(min_length=1, max_length=128)]
    quantity: int = Field(ge=1, le=MAX_QUANTITY, strict=True)


class RefundBody(_Body):
    """Without `lines` all that is left goes back, the shipping included."""

    lines: list[RefundLine] | None = Field(default=None, min_length=1, max_length=MAX_LINES)
    goods_are_back: bool = Field(
        default=False,
        strict=True,
        description="These goods were sent back and go on sale again, as `returned`; of an order "
        "that has not left they do so anyway",
    )
    reason: Annotated[str, _up_to(200), _Line] | None = None

    @property
    def units(self) -> dict[str, int] | None:
        return {line.sku: line.quantity for line in self.lines} if self.lines else None

    @model_validator(mode="after")
    def _names_each_sku_once(self) -> Self:
        if self.lines and len({line.sku for line in self.lines}) < len(self.lines):
            raise ValueError("name each SKU once")
        return self


Code = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, to_upper=True, max_length=32, pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*$"
    ),
    Field(examples=["SPRING-10"]),
]
_Limit = Annotated[int, Field(ge=1, le=1_000_000, strict=True)]


class UsePromotion(_Body):
    code: Code


class PromotionBody(_Body):
    """The terms of a code; its limits hold whatever happens at the same moment."""

    kind: PromotionKind
    percent: Annotated[int, Field(ge=1, le=100, strict=True)] | None = Field(
        default=None, description="Of `percentage`: what it takes off the goods"
    )
    amount: Money | None = Field(
        default=None, description="Of `amount`: what it takes off the goods, at most all of them"
    )
    minimum_subtotal: Money | None = None
    starts_at: UtcTime | None = None
    ends_at: UtcTime | None = Field(default=None, description="The first moment it is over")
    max_uses: _Limit | None = Field(default=None, description="By all shoppers together")
    max_uses_per_shopper: _Limit | None = Field(
        default=None, description="By one account, and by one e-mail address"
    )

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        for name, kind in (("percent", "percentage"), ("amount", "amount")):
            if (getattr(self, name) is not None) != (self.kind.value == kind):
                raise ValueError(f"{name} belongs to the kind {kind}, which needs it")
        for money in (self.amount, self.minimum_subtotal):
            if money is not None and not 0 < money.amount_minor <= MAX_MINOR:
                raise ValueError("an amount is above zero")
        if self.starts_at and self.ends_at and self.starts_at >= self.ends_at:
            raise ValueError("ends_at lies after starts_at")
        return self

    @property
    def currencies(self) -> set[str]:
        return {money.currency for money in (self.amount, self.minimum_subtotal) if money}

    def terms(self, code: str) -> Promotion:
        """Without a version: that is given when it is written."""
        return Promotion(
            code=code,
            kind=self.kind,
            version="",
            percent=self.percent,
            amount_minor=self.amount.amount_minor if self.amount else None,
            minimum_subtotal_minor=(
                self.minimum_subtotal.amount_minor if self.minimum_subtotal else 0
            ),
            starts_at=_iso(self.starts_at),
            ends_at=_iso(self.ends_at),
            max_uses=self.max_uses,
            max_uses_per_shopper=self.max_uses_per_shopper,
        )


def _iso(moment: datetime | None) -> str | None:
    return to_iso_z(moment) if moment else None
