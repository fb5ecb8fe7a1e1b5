"""Use cases of the cart: see it, change it, merge a guest's into a user's."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import stamina

from pipeline.contracts.errors import Conflict, NotFound, OutOfStock, Unavailable, Unprocessable
from pipeline.contracts.events import to_iso_z
from pipeline.contracts.money import MAX_MINOR
from pipeline.runtime.clock import Clock
from storefront_api.checkout.domain import (
    Cart,
    StockRow,
    emptied,
    merged,
    repriced,
    with_line,
    with_saved,
    without_line,
    without_saved,
)
from storefront_api.checkout.ports import CartStore, Snapshot
from storefront_api.checkout.promotion import Offer, PromotionState, ended

# Half of what one amount may be: shipping and tax come on top.
_MAX_SUBTOTAL_MINOR = MAX_MINOR // 2


@dataclass(frozen=True, slots=True)
class Shopper:
    """Who is asking. `guest` is the cart owner of the cookie, for users too: it may be merged,
    and orders placed as a guest stay readable with it."""

    owner: str
    user_id: str | None = None
    guest: str | None = None
    is_operator: bool = False

    @property
    def owners(self) -> frozenset[str]:
        return frozenset({self.owner, self.guest or self.owner})

    @property
    def mergeable(self) -> str | None:
        return self.guest if self.user_id else None


class CartMoved(Unavailable):
    """Another request of the same shopper wrote the cart in between: read it again."""

    def __init__(self) -> None:
        super().__init__("The cart is changing; try again", headers={"Retry-After": "1"})


def retries() -> Iterable[stamina.Attempt]:
    """A shopper races only with their own clicks, so a few attempts are plenty."""
    return stamina.retry_context(
        on=CartMoved, attempts=6, timeout=4, wait_initial=0.01, wait_max=0.5, wait_jitter=0.1
    )


@dataclass(frozen=True, slots=True)
class PricedCart:
    """A cart beside the stock rows of its lines and its promotion as they are now (`at`).

    A missing row is gone for good.
    """

    cart: Cart
    stock: Mapping[str, StockRow]
    offer: Offer | None
    at: str

    @property
    def subtotal_minor(self) -> int:
        """At the prices of now, not those when the goods were put in."""
        prices = {sku: row.price_minor for sku, row in self.stock.items()}
        return repriced(self.cart, prices).subtotal_minor

    @property
    def promotion_state(self) -> PromotionState | None:
        """None without a code."""
        if self.cart.promotion is None:
            return None
        if self.offer is None:
            return PromotionState.ENDED
        return self.offer.state(self.subtotal_minor, self.at)


class Carts:
    def __init__(self, store: CartStore, clock: Clock, currency: str) -> None:
        self._store = store
        self._clock = clock
        self._currency = currency

    def get(self, shopper: Shopper) -> PricedCart:
        """Two reads; the second only if there is something in the cart."""
        for attempt in retries():
            with attempt:
                cart = self._read(shopper).cart
        return self._priced(cart)

    def put_item(self, shopper: Shopper, sku: str, quantity: int) -> PricedCart:
        """Set the quantity of a SKU at today's price; 0 takes it out, whether it was in or not.

        Raises: NotFound for an unknown SKU, OutOfStock, CartFull, Unprocessable, CartMoved.
        """
        for attempt in retries():
            with attempt:
                found = self._read(shopper, sku=sku)
                if quantity == 0:
                    return self._priced(self._changed(found.cart, without_line(found.cart, sku)))
                if found.stock is None:
                    raise _unknown(sku)
                self._check(found.stock, quantity)
                cart = with_line(found.cart, found.stock, quantity, self._at())
                if cart.subtotal_minor > _MAX_SUBTOTAL_MINOR:
                    raise Unprocessable(
                        "The cart is worth more than the shop can sell at once",
                        errors=[{"field": "quantity", "message": "The cart's value is too large"}],
                    )
                return self._priced(self._put(cart), {sku: found.stock})
        raise AssertionError("the last attempt returns or raises")

    def clear(self, shopper: Shopper) -> PricedCart:
        """Take everything out; what a guest had put in is merged first and goes too."""
        for attempt in retries():
            with attempt:
                cart = self._read(shopper).cart
                cart = self._changed(cart, emptied(cart))
        return self._priced(cart)

    def save(self, shopper: Shopper, sku: str) -> PricedCart:
        """Put a line aside for later, or a SKU that was not in the cart; again changes nothing.

        Raises: NotFound for an unknown SKU, SavedFull, CartMoved.
        """
        for attempt in retries():
            with attempt:
                found = self._read(shopper, sku=sku)
                cart = with_saved(found.cart, sku, found.stock, self._at())
                if cart is None:
                    raise _unknown(sku)
                return self._priced(self._changed(found.cart, cart))
        raise AssertionError("the last attempt returns or raises")

    def forget(self, shopper: Shopper, sku: str) -> PricedCart:
        """A SKU is no longer saved for later, whether it was or not."""
        for attempt in retries():
            with attempt:
                cart = self._read(shopper).cart
                cart = self._changed(cart, without_saved(cart, sku))
        return self._priced(cart)

    def put_promotion(self, shopper: Shopper, code: str) -> PricedCart:
        """Use a code, in place of any other.

        Raises: Unprocessable for an unknown code; PromotionEnded when it gives nothing to anybody
        or to this shopper. A cart that is not worth enough yet keeps the code.
        """
        for attempt in retries():
            with attempt:
                found = self._read(shopper, code=code)
                if found.offer is None:
                    message = "There is no such code"
                    raise Unprocessable(
                        f"code: {message}", errors=[{"field": "code", "message": message}]
                    )
                state = found.offer.state(found.cart.subtotal_minor, self._at())
                if state not in (PromotionState.APPLIED, PromotionState.BELOW_MINIMUM):
                    raise ended(code, state)
                return self._priced(self._put(replace(found.cart, promotion=found.offer.promotion)))
        raise AssertionError("the last attempt returns or raises")

    def remove_promotion(self, shopper: Shopper) -> PricedCart:
        """Whether there was a code or not."""
        for attempt in retries():
            with attempt:
                cart = self._read(shopper).cart
                cart = self._changed(cart, replace(cart, promotion=None))
        return self._priced(cart)

    def _read(
        self, shopper: Shopper, *, sku: str | None = None, code: str | None = None
    ) -> Snapshot:
        found = self._store.read(
            shopper.owner, guest=shopper.mergeable, sku=sku, code=code, now_epoch_s=self._now()
        )
        if found.guest is None or found.guest.is_blank:
            return found
        merge_guest(self._store, found.cart, found.guest, self._now())
        return self._store.read(shopper.owner, sku=sku, code=code, now_epoch_s=self._now())

    def _changed(self, before: Cart, after: Cart) -> Cart:
        return before if after == before else self._put(after)

    def _put(self, cart: Cart) -> Cart:
        written = self._store.put_cart(cart, self._now())
        if written is None:
            raise CartMoved
        return written

    def _priced(self, cart: Cart, known: Mapping[str, StockRow] | None = None) -> PricedCart:
        stock = dict(known or {})
        code = cart.promotion.code if cart.promotion else None
        skus = (cart.lines.keys() | cart.saved.keys()) - stock.keys()
        current = self._store.read_current(skus, cart.owner, code)
        return PricedCart(cart, stock | dict(current.stock), current.offer, self._at())

    def _check(self, row: StockRow, quantity: int) -> None:
        if row.currency != self._currency:
            raise Conflict(f"{row.sku} is not sold in {self._currency}", sku=row.sku)
        if quantity > row.sellable:
            raise OutOfStock(
                f"{row.sku}: {quantity} wanted, {row.sellable} available",
                errors=[{"field": "quantity", "message": f"At most {row.sellable}"}],
                lines=[{"sku": row.sku, "requested": quantity, "available": row.sellable}],
            )

    def _at(self) -> str:
        return to_iso_z(self._clock())

    def _now(self) -> int:
        return int(self._clock().timestamp())


def merge_guest(store: CartStore, cart: Cart, guest: Cart, now_epoch_s: int) -> Cart:
    """The user's cart with the guest's, written once: the guest's goes in the same transaction."""
    written = store.merge_carts(merged(cart, guest), guest, now_epoch_s)
    if written is None:
        raise CartMoved
    return written


def _unknown(sku: str) -> NotFound:
    return NotFound(
        f"There is no article {sku}",
        errors=[{"field": "sku", "message": "Unknown SKU"}],
        sku=sku,
    )
