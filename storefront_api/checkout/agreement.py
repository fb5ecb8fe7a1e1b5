"""What a shopper agreed to pay, and what to say when prices, stock or promotions moved."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pipeline.contracts.errors import OutOfStock, PriceChanged
from pipeline.contracts.events import to_iso_z
from pipeline.runtime.clock import Clock
from storefront_api.checkout.carts import CartMoved
from storefront_api.checkout.domain import Cart, Destination, Quote, StockRow, quote, repriced
from storefront_api.checkout.ports import CartStore, Refusal
from storefront_api.checkout.promotion import Promotion, PromotionState, ended

_STILL_GOOD = frozenset({PromotionState.APPLIED, PromotionState.BELOW_MINIMUM})


class Agreement:
    """Prices and promotion terms are agreed to by being told: the cart remembers the last ones."""

    def __init__(self, store: CartStore, clock: Clock, currency: str) -> None:
        self._store = store
        self._clock = clock
        self._currency = currency

    def as_told(self, cart: Cart, to: Destination, expected_minor: int | None) -> Quote | None:
        """What an order costs at the prices and terms that the cart was told; None when the shopper
        expects something else, or a term is over. Reads nothing."""
        price = self._quote(cart, to)
        is_closed = cart.promotion and cart.promotion.closed_at(self._now())
        return price if not is_closed and expected_minor in (None, price.total_minor) else None

    def anew(self, cart: Cart, to: Destination, expected_minor: int | None) -> tuple[Cart, Quote]:
        """The cart at the prices and terms of now, and what it costs.

        If the total expected is that, the shopper has seen today's prices, and the order is placed
        at them. Raises: PromotionEnded; PriceChanged (the cart then has the new prices); CartMoved.
        """
        current, stock = self._renewed(cart)
        price = self._quote(current, to)
        if expected_minor in (None, price.total_minor):
            return current, price
        raise PriceChanged(
            "The order costs another amount than expected",
            errors=[{"field": "expected_total", "message": "Not the total of this order"}],
            expected=self._money(expected_minor or 0),
            actual=self._money(price.total_minor),
            lines=self._price_lines(cart, stock),
        )

    def _renewed(self, cart: Cart) -> tuple[Cart, Mapping[str, StockRow]]:
        """The cart at today's prices and terms, written if they are others."""
        code = cart.promotion.code if cart.promotion else None
        current = self._store.read_current(cart.lines, cart.owner, code)
        terms = None
        if code:
            offer = current.offer
            state = offer.state(cart.subtotal_minor, self._now()) if offer else PromotionState.ENDED
            if offer is None or state not in _STILL_GOOD:
                raise ended(code, state)
            terms = offer.promotion
        return self._write(cart, _at(cart, current.stock, terms)), current.stock

    def refusal(self, cart: Cart, to: Destination, why: Refusal) -> Exception:
        """What to answer when the transaction found stock, prices or a promotion other than told.

        The cart gets the new prices and terms, so that the next attempt is at what is told now.
        """
        moved = {sku: row for sku, row in why.stock.items() if row is not None}
        is_closed = why.terms is None or why.terms.closed_at(self._now())
        terms = cart.promotion if is_closed else why.terms
        current = self._write(cart, _at(cart, moved, terms))
        if short := _short_lines(cart, why.stock):
            return OutOfStock(
                "; ".join(f"{x['sku']}: {x['requested']} wanted, {x['available']}" for x in short)
                + " available",
                lines=short,
            )
        if why.promotion and cart.promotion and is_closed:
            closed = why.terms.closed_at(self._now()) if why.terms else None
            return ended(cart.promotion.code, closed or why.promotion)
        price_lines = self._price_lines(cart, moved)
        expected, actual = self._quote(cart, to), self._quote(current, to)
        if not price_lines and expected.total_minor == actual.total_minor:
            # It was short, and somebody gave some back at this very moment; or a promotion has
            # other terms that make no difference here.
            return CartMoved()
        what = ", ".join(line["sku"] for line in price_lines) or "the promotion"
        return PriceChanged(
            f"The price of {what} has changed",
            expected=self._money(expected.total_minor),
            actual=self._money(actual.total_minor),
            lines=price_lines,
        )

    def _write(self, cart: Cart, current: Cart) -> Cart:
        if current == cart:
            return cart
        written = self._store.put_cart(current, int(self._clock().timestamp()))
        if written is None:
            raise CartMoved
        return written

    def _quote(self, cart: Cart, to: Destination) -> Quote:
        return quote(cart.subtotal_minor, self._currency, to, cart.promotion)

    def _price_lines(self, cart: Cart, stock: Mapping[str, StockRow]) -> list[dict[str, Any]]:
        return [
            {
                "sku": sku,
                "expected": self._money(line.unit_price_minor),
                "actual": self._money(stock[sku].price_minor),
            }
            for sku, line in sorted(cart.lines.items())
            if sku in stock and stock[sku].price_minor != line.unit_price_minor
        ]

    def _money(self, amount_minor: int) -> dict[str, Any]:
        return {"amount_minor": amount_minor, "currency": self._currency}

    def _now(self) -> str:
        return to_iso_z(self._clock())


def _at(cart: Cart, stock: Mapping[str, StockRow], terms: Promotion | None) -> Cart:
    prices = {sku: row.price_minor for sku, row in stock.items()}
    return replace(repriced(cart, prices), promotion=terms)


def _short_lines(cart: Cart, failed: Mapping[str, StockRow | None]) -> list[dict[str, Any]]:
    return [
        {"sku": sku, "requested": quantity, "available": available}
        for sku, row in failed.items()
        if (quantity := cart.lines[sku].quantity) > (available := row.sellable if row else 0)
    ]
