"""What the shop and a card gateway say to each other, and what the shop owes by an order's row.

A payment is known by the shop's own key, the order's id, from the first request on: asking again
under the same key can never charge a second time.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from pipeline.contracts.money import MAX_MINOR, Currency
from pipeline.contracts.orders import OrderStatus

S = OrderStatus
MAX_KEY = 64
Operation = Literal["authorise", "capture", "void", "refund", "query", "webhook"]
# Orders that were given up, or whose money never came: whatever was taken goes back.
GIVEN_UP = frozenset({S.PAYMENT_FAILED, S.CANCELLED, S.REFUNDED})


class PaymentStatus(StrEnum):
    PENDING = "pending"  # asked for, without an outcome yet
    AUTHORISED = "authorised"  # the bank holds the money for us
    CAPTURED = "captured"  # we have it
    DECLINED = "declined"
    VOIDED = "voided"  # let go, or forbidden before it was asked for


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


Amount = Field(gt=0, le=MAX_MINOR, strict=True)


class Authorisation(_Value):
    """Asks the gateway to reserve money on a card; `synthetic` marks what load tests cause."""

    amount_minor: int = Amount
    currency: Currency
    card_token: str = Field(min_length=1, max_length=64)
    synthetic: bool = False


class RefundRequest(_Value):
    amount_minor: int = Amount


class Payment(_Value):
    """The gateway's record of one payment.

    `attempts` are the times the card's bank was asked; `refunds` are amounts by the shop's key of
    each. `version` grows by one with each change, so that of two answers the newer one is known.
    """

    key: str
    amount_minor: int
    currency: str
    status: PaymentStatus
    failure_code: str | None = None
    captured_minor: int = 0
    refunds: dict[str, int] = {}
    attempts: int = 0
    synthetic: bool = False
    version: int = 1

    @property
    def refunded_minor(self) -> int:
        return sum(self.refunds.values())

    @property
    def net_minor(self) -> int:
        """What the shop has of it."""
        return self.captured_minor - self.refunded_minor


class Notice(_Value):
    """The body of a webhook: a payment changed, and stands like this after it.

    `event_id` is `<key>:<version>`; a notice may come twice, late, and after a later one.
    """

    event_id: str = Field(min_length=1, max_length=128)
    type: str = Field(pattern=r"^payment\.[a-z]+$", max_length=64)
    created_at: str
    payment: Payment


class Settle(_Value):
    """Asks the payment worker to look at an order: from a webhook, or from itself for later.

    `attempt` counts how often it was put off.
    """

    command: Literal["settle"] = "settle"
    order_id: str = Field(min_length=1, max_length=MAX_KEY)
    attempt: int = Field(default=0, ge=0)
    correlation_id: str = ""
    cause: str = ""


class Knobs(_Value):
    """How badly the simulated gateway behaves in one operation.

    Of the shares, in percent, the first that hits counts: `unavailable` answers 503 and does
    nothing; `lost` does the work and gives no answer in time. For webhooks `latency_ms` is how late
    they are, `lost` means not delivered at the first attempt, and `repeats` says how many more
    times each is delivered.
    """

    latency_ms: int = Field(default=0, ge=0, le=60_000)
    jitter_ms: int = Field(default=0, ge=0, le=60_000)
    unavailable_percent: int = Field(default=0, ge=0, le=100)
    lost_percent: int = Field(default=0, ge=0, le=100)
    repeats: int = Field(default=0, ge=0, le=5)


def refunds_owed(order: Mapping[str, Any]) -> dict[str, int]:
    """What is to be given back of a captured payment: minor units by the refund's key.

    Each entry of the row's `refunds` ({refund_id, amount_minor, …}) is one. Of an order that was
    given up the rest follows, under a key of its own. The same row gives the same answer, and rows
    only ever add to it, so that repeats give back nothing twice.
    """
    owed = {
        str(refund["refund_id"]): int(refund["amount_minor"]) for refund in order.get("refunds", ())
    }
    rest = int(order["total_minor"]) - sum(owed.values())
    if S(order["status"]) in GIVEN_UP and rest > 0:
        owed["rest"] = rest
    return owed


def net_owed_minor(order: Mapping[str, Any]) -> int:
    """What the shop is to have of an order's money as its row stands; nothing before it is paid."""
    status = S(order["status"])
    if status is S.PLACED or status in GIVEN_UP:
        return 0
    return int(order["total_minor"]) - sum(refunds_owed(order).values())


def is_settled(order: Mapping[str, Any], payment: Payment) -> bool:
    """Whether neither side has anything left to do about the other."""
    if S(order["status"]) is S.PLACED:
        return False
    is_open = payment.status in (PaymentStatus.PENDING, PaymentStatus.AUTHORISED)
    return not is_open and payment.net_minor == net_owed_minor(order)
