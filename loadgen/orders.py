"""What a client of load sends to place an order; the shop marks it synthetic by a header."""

from typing import Any

ADDRESS = {
    "name": "Load Test",
    "line1": "1 Test Street",
    "city": "London",
    "postal_code": "N1 1AA",
    "country": "GB",
}


def an_order(card_token: str = "tok_visa", **more: Any) -> dict[str, Any]:
    """A body of POST /orders; `more` is e.g. a guest's `email`."""
    return {
        "shipping_address": ADDRESS,
        "shipping_method": "standard",
        "payment": {"card_token": card_token},
        **more,
    }
