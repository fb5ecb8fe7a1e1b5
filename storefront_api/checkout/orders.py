"""Use cases of orders: place one in a single transaction, read, list, cancel."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pipeline.contracts.errors import Conflict, NotFound
from pipeline.contracts.events import to_iso_z
from pipeline.contracts.ids import order_number
from pipeline.contracts.orders import ALLOWED_FROM, OrderStatus
from pipeline.runtime.clock import Clock, NewId
from pipeline.runtime.logs import get_logger
from pipeline.runtime.metrics import metrics
from pipeline.runtime.order_moves import is_overdue
from pipeline.runtime.order_refunds import RefundRequest, find_refund
from pipeline.runtime.order_store import IdempotencyKeyReused, OrderStore, Outcome
from storefront_api.checkout.agreement import Agreement
from storefront_api.checkout.carts import CartMoved, Shopper, merge_guest, retries
from storefront_api.checkout.domain import Destination, EmptyCart, ShippingMethod, merged
from storefront_api.checkout.new_order import Purchase, new_order
from storefront_api.checkout.ports import Answer, Order, Place, PlacementStore
from storefront_api.checkout.reference import tax_rate
from storefront_api.countries import sales_country

log = get_logger()


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """A checked order: `body_hash` tells two bodies apart, `expected_total_minor` is optional."""

    idempotency_key: str
    body_hash: str
    email: str | None
    shipping_address: Mapping[str, str | None]
    shipping_method: ShippingMethod
    card_token: str
    expected_total_minor: int | None
    correlation_id: str
    is_synthetic: bool

    @property
    def destination(self) -> Destination:
        country = str(self.shipping_address["country"])
        return Destination(country, self.shipping_method, tax_rate(country))


@dataclass(frozen=True, slots=True)
class Placement:
    """`order_id` of a placed order, with the JSON it was answered with the first time."""

    order_id: str
    answer: str
    is_replay: bool


class Orders:
    def __init__(
        self,
        store: PlacementStore,
        transitions: OrderStore,
        clock: Clock,
        new_id: NewId,
        agreement: Agreement,
        answer: Answer,
        payment_window: timedelta,
    ) -> None:
        self._store = store
        self._transitions = transitions
        self._clock = clock
        self._new_id = new_id
        self._agreement = agreement
        self._answer = answer
        self._payment_window = payment_window

    def place(self, shopper: Shopper, request: OrderRequest) -> Placement:
        """Sell what is in the cart, and what a guest had put in before: one read, one transaction.

        Raises: IdempotencyKeyReused, EmptyCart, OutOfStock, PriceChanged (the cart then has the
        new prices), PromotionEnded, Unavailable when others kept the rows or the cart busy.
        """
        for attempt in retries():
            with attempt:
                return self._place_once(shopper, request)
        raise AssertionError("the last attempt returns or raises")

    def _place_once(self, shopper: Shopper, request: OrderRequest) -> Placement:
        found = self._store.read(
            shopper.owner,
            guest=shopper.mergeable,
            idempotency_key=request.idempotency_key,
            now_epoch_s=self._now(),
        )
        if found.idempotency is not None:
            return _replayed(found.idempotency, request)
        cart, guest, to = found.cart, found.guest, request.destination
        if guest is not None and guest.is_blank:
            guest = None
        if guest is not None:
            cart = merged(cart, guest)
        if not cart.lines:
            raise EmptyCart("Put something in the cart first")
        price = self._agreement.as_told(cart, to, request.expected_total_minor)
        if price is None:
            if guest is not None:
                cart, guest = merge_guest(self._store, found.cart, guest, self._now()), None
            cart, price = self._agreement.anew(cart, to, request.expected_total_minor)
        order = new_order(self._purchase(shopper, request), cart, price)
        answer = self._answer(order)
        refusal = self._store.place(
            order, cart, guest, request.idempotency_key, request.body_hash, answer, self._now()
        )
        if refusal is None:
            log.info("order.placed", order_id=order["order_id"], lines=len(order["lines"]))
            _count(order)
            return Placement(order["order_id"], answer, is_replay=False)
        if refusal.idempotency is not None:
            return _replayed(refusal.idempotency, request)
        if refusal.cart_changed:
            raise CartMoved
        if guest is not None:  # what is told, and the prices that are written, are of one cart
            merge_guest(self._store, found.cart, guest, self._now())
            raise CartMoved
        raise self._agreement.refusal(cart, to, refusal)

    def _purchase(self, shopper: Shopper, request: OrderRequest) -> Purchase:
        now = self._clock()
        return Purchase(
            order_id=self._new_id(),
            owner=shopper.owner,
            customer_id=shopper.user_id,
            email=request.email,
            placed_at=to_iso_z(now),
            pay_by=to_iso_z(now + self._payment_window),
            sales_country=sales_country(request.destination.country),
            shipping_address=request.shipping_address,
            card_token=request.card_token,
            correlation_id=request.correlation_id,
            is_synthetic=request.is_synthetic,
        )

    def get(self, shopper: Shopper, order_id: str) -> Order:
        """An order as it stands; one that was not paid in time is cancelled by being looked at.

        Raises NotFound for another shopper's order too; operators may read any.
        """
        order = self._transitions.find_order(order_id)
        if order is None or not (shopper.is_operator or order["owner"] in shopper.owners):
            raise NotFound("There is no such order", order_id=order_id)
        if is_overdue(order, self._clock()):  # ahead of the worker whose job it is
            return self._transitions.expire(order_id, self._clock()).order
        return order

    def list_(
        self, shopper: Shopper, page_size: int, after: Place | None
    ) -> tuple[list[Order], Place | None]:
        return self._store.list_orders(shopper.owner, page_size, after)

    def cancel(self, shopper: Shopper, order_id: str) -> Order:
        """Cancel one's own order and give its stock back, once; again is answered the same.

        Raises: NotFound, Conflict when it is too late.
        """
        order = self.get(shopper, order_id)
        if order["owner"] not in shopper.owners:
            raise NotFound("There is no such order", order_id=order_id)
        done = self._transitions.advance(
            order_id,
            OrderStatus.CANCELLED,
            self._clock(),
            note="Cancelled by the shopper",
            # Payment gives back what it took, or takes nothing, once it hears of this.
            extra={"payment": {"status": "voided", "failure_code": None}},
        )
        if done.outcome is Outcome.REFUSED:
            what = "partly refunded" if done.order.get("refunds") else done.order["status"]
            raise Conflict(
                f"An order that is {what} cannot be cancelled",
                order_status=done.order["status"],
                cancellable=sorted(ALLOWED_FROM[OrderStatus.CANCELLED]),
            )
        if done.outcome is Outcome.ADVANCED:
            log.info("order.cancelled", order_id=order_id, number=order_number(order_id))
        return done.order

    def refund(self, order_id: str, asked: RefundRequest) -> tuple[Order, Mapping[str, Any], bool]:
        """Give money back for lines of an order, or for all that is left; once per key.

        Returns: (the order as it stands, the refund, whether it was there before).
        Raises: NotFound, NothingToRefund, Unprocessable, IdempotencyKeyReused.
        """
        done = self._transitions.refund(order_id, asked, self._clock())
        refund = find_refund(done.order, asked.key)
        assert refund is not None, "it was just written, or found"
        if done.outcome is Outcome.ADVANCED:
            log.info("order.refunded", order_id=order_id, refund_id=refund["refund_id"],
                     status=done.order["status"], by=asked.by)  # fmt: skip
        return done.order, refund, done.outcome is Outcome.ALREADY

    def _now(self) -> int:
        return int(self._clock().timestamp())


def _count(order: Mapping[str, Any]) -> None:
    synthetic = str(order["synthetic"]).lower()
    metrics.add("OrdersPlaced", 1, Synthetic=synthetic)
    metrics.add(
        "OrderRevenue", int(order["total_minor"]), "None",
        Currency=str(order["currency"]), Synthetic=synthetic,
    )  # fmt: skip


def _replayed(row: Mapping[str, Any], request: OrderRequest) -> Placement:
    if row["body_hash"] != request.body_hash:
        raise IdempotencyKeyReused(
            "Use a new Idempotency-Key for another order",
            errors=[{"field": "Idempotency-Key", "message": "Came with another body before"}],
        )
    return Placement(row["order_id"], row["answer"], is_replay=True)
