"""What payment needs of a card gateway."""

from typing import Protocol

from pipeline.payment.domain import Charge


class OutcomeUnknown(Exception):
    """No answer: the money may have been taken or not."""


class GatewayBusy(Exception):
    """Nothing was taken by this attempt; another may be made."""


class Gateway(Protocol):
    def charge(self, order_id: str, amount_minor: int, currency: str, card_token: str) -> Charge:
        """Take the money of an order at most once: captured, declined or voided.

        Raises: OutcomeUnknown; GatewayBusy.
        """

    def void(self, order_id: str) -> Charge:
        """Give the money back if it was taken, and take none from now on."""
