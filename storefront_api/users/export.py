"""The document with everything the shop keeps of a person."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from pydantic import BaseModel

from pipeline.contracts.ids import order_number
from pipeline.contracts.money import Money
from storefront_api.users.domain import MAX_ADDRESSES, SessionEntry
from storefront_api.users.schemas import AddressWithId, Profile, SessionView
from storefront_api.users.service import Users
from storefront_api.users.sign_in import SignIns

_SESSIONS_AT_ONCE = 50
_MAX_SESSION_PAGES = 20


class Orders(Protocol):
    def list_orders(self, user_id: str) -> tuple[list[dict[str, Any]], bool]: ...
    def find_cart(self, user_id: str) -> dict[str, Any] | None: ...


class ExportedLine(BaseModel):
    sku: str
    title: str
    quantity: int
    unit_price: Money
    line_total: Money


class ExportedRefund(BaseModel):
    at: str
    amount: Money
    reason: str | None


class CartedGoods(BaseModel):
    sku: str
    title: str
    quantity: int
    is_saved_for_later: bool


class ExportedOrder(BaseModel):
    """subtotal - discount + shipping + tax = total."""

    order_id: str
    order_number: str
    status: str
    placed_at: str
    email: str | None
    shipping_method: str
    shipping_address: dict[str, str | None]
    lines: list[ExportedLine]
    subtotal: Money
    discount: Money
    promotion_code: str | None
    shipping: Money
    tax: Money
    total: Money
    refunds: list[ExportedRefund]

    @classmethod
    def of(cls, order: Mapping[str, Any]) -> "ExportedOrder":
        def money(amount_minor: int) -> Money:
            return Money(amount_minor=amount_minor, currency=order["currency"])

        lines = [
            ExportedLine(
                sku=line["sku"],
                title=line["title"],
                quantity=line["quantity"],
                unit_price=money(line["unit_price_minor"]),
                line_total=money(line["line_total_minor"]),
            )
            for line in order["lines"]
        ]
        refunds = [
            ExportedRefund(
                at=refund["at"], amount=money(refund["amount_minor"]), reason=refund["reason"]
            )
            for refund in order.get("refunds", ())
        ]
        promotion = order.get("promotion")
        return cls(
            order_id=order["order_id"],
            order_number=order_number(order["order_id"]),
            status=order["status"],
            placed_at=order["placed_at"],
            email=order["email"],
            shipping_method=order["shipping_method"],
            shipping_address=order["shipping_address"],
            lines=lines,
            subtotal=money(order["subtotal_minor"]),
            discount=money(order.get("discount_minor", 0)),
            promotion_code=promotion["code"] if promotion else None,
            shipping=money(order["shipping_minor"]),
            tax=money(order["tax_minor"]),
            total=money(order["total_minor"]),
            refunds=refunds,
        )


class Export(BaseModel):
    """All that the shop keeps of a person. `is_complete` is false for who has ordered or signed in
    too often for one document: the lists of orders (`/api/checkout/orders`) and of sessions have
    the rest."""

    exported_at: datetime
    profile: Profile
    registered_at: str | None
    addresses: list[AddressWithId]
    sessions: list[SessionView]
    orders: list[ExportedOrder]
    cart: list[CartedGoods]
    is_complete: bool


def export_of(
    user_id: str, users: Users, sign_ins: SignIns, orders: Orders, session_id: str | None
) -> Export:
    """Args: `session_id` is the one that asks. Raises Unauthenticated when the user is gone."""
    user = users.get_user(user_id)
    addresses, _ = users.list_addresses(user_id, MAX_ADDRESSES, None)
    sessions, has_all_sessions = _sessions(user_id, sign_ins)
    placed, has_all_orders = orders.list_orders(user_id)
    return Export(
        exported_at=users.clock(),
        profile=Profile.of(user),
        registered_at=user.created_at,
        addresses=[AddressWithId.of(saved) for saved in addresses],
        sessions=[SessionView.of(entry, session_id) for entry in sessions],
        orders=[ExportedOrder.of(order) for order in placed],
        cart=_carted(orders.find_cart(user_id)),
        is_complete=has_all_sessions and has_all_orders,
    )


def _sessions(user_id: str, sign_ins: SignIns) -> tuple[list[SessionEntry], bool]:
    found: list[SessionEntry] = []
    following: str | None = None
    for _ in range(_MAX_SESSION_PAGES):
        page, following = sign_ins.list_sessions(user_id, _SESSIONS_AT_ONCE, following)
        found += page
        if following is None:
            break
    return found, following is None


def _carted(cart: Mapping[str, Any] | None) -> list[CartedGoods]:
    return [
        CartedGoods(
            sku=sku,
            title=line["title"],
            quantity=line["quantity"],
            is_saved_for_later=place == "saved",
        )
        for place in ("lines", "saved")
        for sku, line in sorted(((cart or {}).get(place) or {}).items())
    ]
