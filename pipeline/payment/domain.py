"""What an order becomes by its payment, and how long a settlement is put off."""

from typing import Any

from pipeline.contracts.orders import OrderStatus
from pipeline.contracts.payments import Authorisation, Payment, PaymentStatus

MAX_ATTEMPTS = 60  # of putting a settlement off: some four hours
_LONGEST_PAUSE_S = 300
_NOTES = {
    "card_declined": "The card was declined",
    "insufficient_funds": "The card has not enough funds",
}


def authorisation_of(order: dict[str, Any]) -> Authorisation:
    return Authorisation(
        amount_minor=order["total_minor"],
        currency=order["currency"],
        card_token=order["card_token"],
        synthetic=order["synthetic"],
    )


def consequence(payment: Payment) -> tuple[OrderStatus, dict[str, str | None], str | None]:
    """(state of the order, its `payment`, note of its timeline) of a captured or declined one."""
    if payment.status is PaymentStatus.CAPTURED:
        return OrderStatus.PAID, {"status": "captured", "failure_code": None}, None
    assert payment.status is PaymentStatus.DECLINED, "the others have no outcome to book"
    code = payment.failure_code or "declined"
    failed: dict[str, str | None] = {"status": "failed", "failure_code": code}
    return OrderStatus.PAYMENT_FAILED, failed, _NOTES.get(code, "The card was refused")


def pause_s(attempt: int, first_s: int, dice: float) -> int:
    """How long to wait before an attempt: doubling to five minutes, at random in its upper half.

    Args: `attempt` from 1; `first_s` 0 means at once, always; `dice` in [0, 1).
    """
    bound = min(_LONGEST_PAUSE_S, first_s << min(attempt - 1, 10))
    return round(bound * (0.5 + dice / 2))
