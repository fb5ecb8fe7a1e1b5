"""What the shopper reads about each state of an order."""

from dataclasses import dataclass
from typing import Any

from pipeline.contracts.events import Envelope
from pipeline.contracts.ids import order_number


@dataclass(frozen=True, slots=True)
class Mail:
    subject: str
    text: str


# state -> (subject, first sentence); {number} is the order's, as read aloud.
_WORDS = {
    "placed": ("We have your order {number}", "Thank you. We are checking the payment."),
    "paid": ("Your payment for {number} arrived", "We will pack your order now."),
    "payment_failed": (
        "Your payment for {number} failed",
        "Your card was not charged, and the goods are free again. You can order anew.",
    ),
    "packed": ("Your order {number} is packed", "It leaves our warehouse soon."),
    "shipped": ("Your order {number} is on its way", "The parcel is with the carrier."),
    "delivered": ("Your order {number} was delivered", "We hope you enjoy it."),
    "cancelled": (
        "Your order {number} is cancelled",
        "Nothing will be sent, and money already taken comes back to your card.",
    ),
    "refunded": ("Money back for your order {number}", "It comes back to your card."),
}


def to_mail(event: Envelope) -> Mail | None:
    """The mail that an order event calls for; None for a state nobody is told about."""
    order = event.payload
    # Not its state: an order of which a part is refunded stays delivered.
    words = _WORDS.get(event.event_type.split(".")[1])
    if words is None:
        return None
    subject, opening = words
    lines = [f"{line['quantity']} × {line['title']}" for line in order["lines"]]
    total = f"Total: {_money(abs(order['total_minor']), order['currency'])}"
    number = order_number(order["order_id"])
    return Mail(subject.format(number=number), "\n".join([opening, "", *lines, total]))


def _money(amount_minor: int, currency: str) -> str:
    major, minor = divmod(amount_minor, 100)
    return f"{major:,}.{minor:02d} {currency}"


def to_attributes(event: Envelope, mail: Mail) -> dict[str, Any]:
    """What the mailbox keeps. Who it goes to stays in the order row, so that it is erased once."""
    return {
        "order_id": event.payload["order_id"],
        "version": event.payload["version"],
        "event_id": event.event_id,
        "subject": mail.subject,
        "text": mail.text,
        "synthetic": event.synthetic,
    }
