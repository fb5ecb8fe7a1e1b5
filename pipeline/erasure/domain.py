"""What an order keeps when its shopper is gone, and until when a closed account is looked at."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pipeline.contracts.orders import RELEASES_STOCK, TERMINAL, OrderStatus

ERASED = "erased"
# An access token outlives its account by at most 15 minutes, and an order placed with it may take
# a moment to be seen in the index.
LAST_TOKEN = timedelta(minutes=20)


def may_erase(order: Mapping[str, Any]) -> bool:
    """A parcel that has not arrived needs its address."""
    return OrderStatus(order["status"]) in TERMINAL


def without_person(order: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of an order row that change when its person is erased.

    The country stays, as tax and sales depend on it, and the shape of the address, so that every
    reader of orders goes on working. `customer_id` stays: it leads nowhere any more.
    """
    address = order["shipping_address"]
    promotion = order.get("promotion")
    return {
        "email": None,
        "card_token": ERASED,
        # A digest of the e-mail; no order that has ended gives its use of the code back (again).
        "promotion": {**promotion, "subjects": []} if promotion else None,
        "shipping_address": {
            name: value if name == "country" or value is None else ERASED
            for name, value in address.items()
        },
    }


def uses_of_person(order: Mapping[str, Any]) -> tuple[str, Sequence[str], int]:
    """(code, subjects, uses): whom counters of the order's promotion code name, and what it takes
    off each as it is erased. Nobody, where it has no code.

    One that failed or was cancelled has given its use back by itself.
    """
    used = order.get("promotion") or {"code": "", "subjects": ()}
    return used["code"], used["subjects"], int(order["status"] not in RELEASES_STOCK)


def is_settled(requested_at: datetime, orders_left: int, now: datetime) -> bool:
    """Whether nothing of the person can turn up any more."""
    return not orders_left and now - requested_at > LAST_TOKEN
