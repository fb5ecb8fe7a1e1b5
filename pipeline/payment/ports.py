"""What payment needs of a card gateway, and of a queue."""

from typing import Protocol

from pipeline.contracts.payments import Authorisation, Payment, Settle


class OutcomeUnknown(Exception):
    """No answer: what was asked for may have been done or not. Query, never ask anew."""


class GatewayBusy(Exception):
    """Nothing was done by this request; it may be made again."""


class GatewayDown(Exception):
    """Too many requests failed: the circuit is open, and nothing is asked for a while."""


class Gateway(Protocol):
    """A card gateway under our own key of each payment, so that every request may be repeated.

    Each raises OutcomeUnknown, GatewayBusy or GatewayDown when it gets no answer, and ShopError's
    kin when the answer is no.
    """

    def authorise(self, key: str, asked: Authorisation) -> Payment:
        """Have the card's bank hold the money; a payment there is already is told as it stands."""

    def capture(self, key: str) -> Payment:
        """Take what is held. Raises Conflict when nothing is."""

    def void(self, key: str) -> Payment:
        """Let go of what is held, and never hold any under this key; captured money stays."""

    def refund(self, key: str, refund_key: str, amount_minor: int) -> Payment:
        """Give back a part of what was captured, once per `refund_key`."""

    def find(self, key: str) -> Payment | None:
        """How a payment stands; None if the gateway never heard of it."""


class Later(Protocol):
    def put(self, settle: Settle, delay_s: int) -> None:
        """It comes back after that long, at least once."""
