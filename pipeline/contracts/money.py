"""Money as integer minor units with an ISO 4217 code. Currencies are never added to each other."""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", examples=["GBP"])]

# The largest amount one field may carry: DynamoDB numbers hold 38 digits, JSON readers 2**53.
MAX_MINOR = 10**12


class Money(BaseModel):
    """An amount in one currency."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    amount_minor: int = Field(ge=-MAX_MINOR, le=MAX_MINOR, strict=True, examples=[2899])
    currency: Currency

    def __add__(self, other: Self) -> "Money":
        self._same_currency(other)
        return Money(amount_minor=self.amount_minor + other.amount_minor, currency=self.currency)

    def __sub__(self, other: Self) -> "Money":
        self._same_currency(other)
        return Money(amount_minor=self.amount_minor - other.amount_minor, currency=self.currency)

    def __mul__(self, quantity: int) -> "Money":
        return Money(amount_minor=self.amount_minor * quantity, currency=self.currency)

    def _same_currency(self, other: Self) -> None:
        if self.currency != other.currency:
            raise ValueError(f"cannot combine {self.currency} with {other.currency}")


def share(amount_minor: int, rate: Decimal) -> int:
    """`rate` of an amount, rounded half to even to a whole minor unit.

    Args: `rate` a ratio, e.g. Decimal("0.20") for 20 %.
    """
    return int((Decimal(amount_minor) * rate).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


def split(amount_minor: int, weights: Sequence[int]) -> list[int]:
    """An amount in parts that are in proportion to `weights` and add up to it exactly.

    The largest remainders get the odd minor units, the earlier of equal ones first. No part is
    larger than its weight if the amount is not larger than their sum.
    Args: `amount_minor` and `weights` at or above zero; weights of nothing but zeros carry nothing.
    """
    total = sum(weights)
    assert min(amount_minor, *weights, 0) == 0, "nothing below zero can be split"
    assert total or not amount_minor, "there is nothing to carry the amount"
    if not total:
        return [0] * len(weights)
    parts = [amount_minor * weight // total for weight in weights]
    remainders = [amount_minor * weight % total for weight in weights]
    by_remainder = sorted(range(len(parts)), key=lambda place: (-remainders[place], place))
    for place in by_remainder[: amount_minor - sum(parts)]:
        parts[place] += 1
    return parts


def to_minor(amount: Decimal | str) -> Decimal:
    """Major units to minor units, exactly; the result is whole only if the amount is.

    Source: ISO 4217 gives two decimals for every currency the shop sells in.
    """
    return Decimal(amount) * 100


def to_major(amount_minor: int) -> Decimal:
    """Minor units as people write them, with both decimals; the source is that of `to_minor`."""
    return Decimal(amount_minor).scaleb(-2)
