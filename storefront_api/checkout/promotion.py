"""Promotion codes: what they give, to whom, and how an order carries it. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from typing import Any

from pipeline.contracts.errors import Conflict
from pipeline.contracts.money import share

# Beyond any shop: what a limit that was not set stands for, so that every use is counted alike.
NO_LIMIT = 10**9


class PromotionKind(StrEnum):
    PERCENTAGE = "percentage"
    AMOUNT = "amount"
    FREE_SHIPPING = "free_shipping"


class PromotionState(StrEnum):
    """Whether a code gives something to this cart now, or why not."""

    APPLIED = "applied"
    BELOW_MINIMUM = "below_minimum"
    NOT_STARTED = "not_started"
    ENDED = "ended"
    USED_UP = "used_up"
    USED_BY_YOU = "used_by_you"


WHY = {
    PromotionState.BELOW_MINIMUM: "The goods in the cart are not worth enough for it",
    PromotionState.NOT_STARTED: "It has not started yet",
    PromotionState.ENDED: "It has ended",
    PromotionState.USED_UP: "It was used as often as it can be",
    PromotionState.USED_BY_YOU: "You have used it as often as you can",
}


class PromotionEnded(Conflict):
    """The cart's code gives nothing any more: `code` and `reason` (a PromotionState) say it."""

    slug, title = "promotion-ended", "The promotion code cannot be used"


@dataclass(frozen=True, slots=True)
class Promotion:
    """The terms of a code. A cart remembers those it was told, and an order is placed at them.

    `percent` (1 to 100) or `amount_minor` is set, as `kind` asks. Times are ISO 8601 in UTC as
    `to_iso_z` writes them; `ends_at` is the first moment at which it gives nothing any more.
    `version` is a ULID, another one with each edit, also when a code is deleted and made again.
    """

    code: str
    kind: PromotionKind
    version: str
    percent: int | None = None
    amount_minor: int | None = None
    minimum_subtotal_minor: int = 0
    starts_at: str | None = None
    ends_at: str | None = None
    max_uses: int | None = None
    max_uses_per_shopper: int | None = None

    def discount_minor(self, subtotal_minor: int) -> int:
        """What it takes off goods worth this much; never more than they are worth."""
        if self.kind is PromotionKind.PERCENTAGE:
            return share(subtotal_minor, Decimal(self.percent or 0) / 100)
        if self.kind is PromotionKind.AMOUNT:
            return min(self.amount_minor or 0, subtotal_minor)
        return 0

    def reaches(self, subtotal_minor: int) -> bool:
        return subtotal_minor >= self.minimum_subtotal_minor

    def closed_at(self, now: str) -> PromotionState | None:
        """Why it gives nothing to anybody at this time, if so."""
        if self.starts_at and now < self.starts_at:
            return PromotionState.NOT_STARTED
        if self.ends_at and now >= self.ends_at:
            return PromotionState.ENDED
        return None


@dataclass(frozen=True, slots=True)
class Offer:
    """A promotion as it stands: its terms, and how often it was used by all and by one shopper."""

    promotion: Promotion
    uses: int = 0
    uses_by_shopper: int = 0

    def state(self, subtotal_minor: int, now: str) -> PromotionState:
        terms = self.promotion
        if closed := terms.closed_at(now):
            return closed
        if self.uses >= (terms.max_uses or NO_LIMIT):
            return PromotionState.USED_UP
        if self.uses_by_shopper >= (terms.max_uses_per_shopper or NO_LIMIT):
            return PromotionState.USED_BY_YOU
        if not terms.reaches(subtotal_minor):
            return PromotionState.BELOW_MINIMUM
        return PromotionState.APPLIED


def ended(code: str, reason: PromotionState) -> PromotionEnded:
    return PromotionEnded(
        f"{code}: {WHY[reason]}; take it out of the cart, or use another one",
        code=code,
        reason=reason.value,
    )


def subjects_of(user_id: str | None, email: str | None) -> list[str]:
    """Whose use an order counts as: the user's and the e-mail's, which only a digest stands for."""
    subjects = [f"user:{user_id}"] if user_id else []
    if email:
        subjects.append(f"email:{sha256(email.strip().lower().encode()).hexdigest()}")
    return subjects


def as_ordered(promotion: Promotion, subjects: list[str]) -> Mapping[str, Any]:
    """What the order row keeps; `subjects` are given their use back when the order fails."""
    return {
        "code": promotion.code,
        "kind": promotion.kind.value,
        "version": promotion.version,
        "subjects": subjects,
    }


def facts_of(promotion: Promotion) -> dict[str, object]:
    """Its terms for people to read, amounts in minor units."""
    facts = asdict(promotion) | {"kind": promotion.kind.value}
    return {name: fact for name, fact in facts.items() if name not in ("code", "version")}
