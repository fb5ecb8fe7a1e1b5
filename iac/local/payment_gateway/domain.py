"""What a payment becomes by each request; the test cards. Pure: no clock, no dice, no store."""

from dataclasses import dataclass
from typing import Any

from pipeline.contracts.errors import Conflict, NotFound, Unprocessable
from pipeline.contracts.payments import Authorisation, Payment, PaymentStatus

P = PaymentStatus
MAX_REFUNDS = 100
FLAKY_FAILURES = 2
_DECLINES = {"tok_declined": "card_declined", "tok_insufficient_funds": "insufficient_funds"}
_GOOD = frozenset({"tok_visa", "tok_timeout", "tok_flaky"})


class KeyReused(Unprocessable):
    slug, title = "key-reused", "This key came with another amount before"


class NotCapturable(Conflict):
    slug, title = "not-capturable", "There is no authorised money to capture"


class NotRefundable(Conflict):
    slug, title = "not-refundable", "More than what is left of the captured money"


@dataclass(frozen=True, slots=True)
class Ruling:
    """What becomes of a payment; `is_changed` False: it stands as it stood.

    `is_busy`: the bank could not be reached, ask again. `is_answered` False: the work is done, and
    the answer gets lost on its way.
    """

    payment: Payment
    is_changed: bool = True
    is_busy: bool = False
    is_answered: bool = True


def authorise(key: str, asked: Authorisation, before: Payment | None) -> Ruling:
    """At most once per key: a payment with an outcome is answered as it stands.

    Raises: KeyReused. A voided key stays voided, whatever is asked under it later.
    """
    if before is not None and before.status is not P.VOIDED and _differs(before, asked):
        raise KeyReused(
            f"Payment {key} is over {before.amount_minor} {before.currency}",
            errors=[{"field": "amount_minor", "message": "Not the amount of this payment"}],
        )
    if before is not None and before.status is not P.PENDING:
        return Ruling(before, is_changed=False)
    attempts = (before.attempts if before else 0) + 1
    payment = Payment(
        key=key,
        amount_minor=asked.amount_minor,
        currency=asked.currency,
        status=P.PENDING,
        attempts=attempts,
        synthetic=asked.synthetic,
        version=before.version + 1 if before else 1,
    )
    if asked.card_token == "tok_flaky" and attempts <= FLAKY_FAILURES:
        return Ruling(payment, is_busy=True)
    if asked.card_token in _GOOD:
        held = payment.model_copy(update={"status": P.AUTHORISED})
        return Ruling(held, is_answered=asked.card_token != "tok_timeout")
    code = _DECLINES.get(asked.card_token, "invalid_card")
    return Ruling(payment.model_copy(update={"status": P.DECLINED, "failure_code": code}))


def capture(key: str, before: Payment | None) -> Ruling:
    """All of it. Raises: NotFound, NotCapturable."""
    payment = _known(key, before)
    if payment.status is P.CAPTURED:
        return Ruling(payment, is_changed=False)
    if payment.status is not P.AUTHORISED:
        raise NotCapturable(f"Payment {key} is {payment.status}", payment_status=payment.status)
    return _changed(payment, status=P.CAPTURED, captured_minor=payment.amount_minor)


def void(key: str, before: Payment | None) -> Ruling:
    """Let go of what is held; of a key never seen, forbid it: a straggler may be on its way.

    A captured payment stands as it is: only a refund gives back what was captured.
    """
    if before is None:
        return Ruling(Payment(key=key, amount_minor=0, currency="XXX", status=P.VOIDED))
    if before.status in (P.PENDING, P.AUTHORISED):
        return _changed(before, status=P.VOIDED)
    return Ruling(before, is_changed=False)


def refund(key: str, refund_key: str, amount_minor: int, before: Payment | None) -> Ruling:
    """Give back a part, or all; once per `refund_key`.

    Raises: NotFound, KeyReused, NotRefundable.
    """
    payment = _known(key, before)
    known = payment.refunds.get(refund_key)
    if known is not None:
        if known != amount_minor:
            raise KeyReused(
                f"Refund {refund_key} is over {known}",
                errors=[{"field": "amount_minor", "message": "Not the amount of this refund"}],
            )
        return Ruling(payment, is_changed=False)
    if amount_minor > payment.net_minor or len(payment.refunds) >= MAX_REFUNDS:
        raise NotRefundable(
            f"{payment.net_minor} of payment {key} are left", left_minor=payment.net_minor
        )
    return _changed(payment, refunds={**payment.refunds, refund_key: amount_minor})


def notice_type(before: Payment | None, after: Payment) -> str | None:
    """What a webhook calls the change; None for one that nobody waits for."""
    if before is not None and before.refunds != after.refunds:
        return "payment.refunded"
    if after.status in (P.CAPTURED, P.DECLINED, P.VOIDED):
        return f"payment.{after.status.value}"
    return None


def _known(key: str, before: Payment | None) -> Payment:
    if before is None:
        raise NotFound(f"There is no payment {key}")
    return before


def _changed(payment: Payment, **changes: Any) -> Ruling:
    return Ruling(payment.model_copy(update={**changes, "version": payment.version + 1}))


def _differs(before: Payment, asked: Authorisation) -> bool:
    return (before.amount_minor, before.currency) != (asked.amount_minor, asked.currency)
