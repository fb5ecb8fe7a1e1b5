"""Rules of the simulated card gateway: what each test card does at which attempt."""

from dataclasses import dataclass
from enum import StrEnum


class ChargeStatus(StrEnum):
    PENDING = "pending"
    CAPTURED = "captured"
    DECLINED = "declined"
    VOIDED = "voided"  # given back, or forbidden before it was taken


FINAL = frozenset({ChargeStatus.CAPTURED, ChargeStatus.DECLINED, ChargeStatus.VOIDED})


@dataclass(frozen=True, slots=True)
class Charge:
    """The gateway's record of one order; `attempts` are the times it was asked for money."""

    status: ChargeStatus = ChargeStatus.PENDING
    attempts: int = 0
    failure_code: str | None = None


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the gateway makes of an attempt, and whether its answer arrives."""

    charge: Charge
    is_answered: bool = True


_DECLINES = {"tok_declined": "card_declined", "tok_insufficient_funds": "insufficient_funds"}
_FLAKY_FAILURES = 2


def rule(card_token: str, before: Charge) -> Ruling:
    """The next state of a charge that is still pending."""
    assert before.status is ChargeStatus.PENDING
    attempts = before.attempts + 1
    if card_token == "tok_flaky" and attempts <= _FLAKY_FAILURES:
        return Ruling(Charge(ChargeStatus.PENDING, attempts))
    if card_token in ("tok_visa", "tok_timeout", "tok_flaky"):
        # The money is taken all the same when the answer is lost: asking again must not repeat it.
        is_answered = card_token != "tok_timeout"
        return Ruling(Charge(ChargeStatus.CAPTURED, attempts), is_answered)
    code = _DECLINES.get(card_token, "invalid_card")
    return Ruling(Charge(ChargeStatus.DECLINED, attempts, code))
