"""Quotes, carts and merging: properties that hold for any shopper."""

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from storefront_api.checkout import reference
from storefront_api.checkout.domain import (
    FREE_SHIPPING_FROM_MINOR,
    MAX_LINES,
    MAX_QUANTITY,
    Cart,
    CartLine,
    ShippingMethod,
    merged,
    order_lines,
    quote,
    repriced,
)

methods = st.sampled_from(ShippingMethod)
countries = st.sampled_from(["GB", "DE", "FI", "HU", "US", "JP"])
amounts = st.integers(min_value=1, max_value=10**9)


def a_line(sku: str, **changes: Any) -> CartLine:
    line: dict[str, Any] = {
        "sku": sku, "product_id": f"p-{sku}", "title": sku, "category": ["Home"],
        "image_url": None, "options": {}, "quantity": 1, "unit_price_minor": 100,
        "added_at": "2026-01-01T00:00:00.000Z",
    }  # fmt: skip
    return CartLine(**{**line, **changes})


@st.composite
def carts(draw: st.DrawFn, owner: str = "user:1") -> Cart:
    numbers = draw(st.sets(st.integers(min_value=0, max_value=80), max_size=MAX_LINES))
    lines = {
        f"S{number}": a_line(
            f"S{number}",
            quantity=draw(st.integers(min_value=1, max_value=MAX_QUANTITY)),
            unit_price_minor=draw(st.integers(min_value=1, max_value=10**7)),
        )
        for number in sorted(numbers)
    }
    return Cart(owner, lines, version=3)


def quoted(subtotal_minor: int, country: str, method: ShippingMethod) -> Any:
    return quote(subtotal_minor, "GBP", country, method, reference.tax_rate(country))


@given(amounts, countries, methods)
def test_a_total_is_its_parts_and_tax_is_within_half_a_penny(
    subtotal_minor: int, country: str, method: ShippingMethod
) -> None:
    price = quoted(subtotal_minor, country, method)
    assert price.total_minor == price.subtotal_minor + price.shipping_minor + price.tax_minor
    taxed = subtotal_minor + price.shipping_minor
    exact = Decimal(taxed) * reference.tax_rate(country)
    assert abs(price.tax_minor - exact) <= Decimal("0.5")


@given(amounts, countries)
def test_standard_shipping_is_free_from_fifty_pounds_and_express_never(
    subtotal_minor: int, country: str
) -> None:
    standard = quoted(subtotal_minor, country, ShippingMethod.STANDARD).shipping_minor
    assert standard == (0 if subtotal_minor >= FREE_SHIPPING_FROM_MINOR else 399)
    assert quoted(subtotal_minor, country, ShippingMethod.EXPRESS).shipping_minor == 799


def test_half_pennies_of_tax_round_to_even() -> None:
    def tax(subtotal_minor: int) -> int:
        free = ShippingMethod.STANDARD
        return int(quote(subtotal_minor, "GBP", "XX", free, Decimal("0.25")).tax_minor)

    assert [tax(5002), tax(5006), tax(5010)] == [1250, 1252, 1252]


def test_an_empty_cart_costs_nothing() -> None:
    assert quoted(0, "GB", ShippingMethod.EXPRESS).total_minor == 0


@given(carts(), carts("guest:1"))
def test_merging_adds_quantities_up_to_the_limit_and_loses_no_article_that_fits(
    cart: Cart, guest: Cart
) -> None:
    both = merged(cart, guest)
    assert (both.owner, both.version) == (cart.owner, cart.version)
    assert len(both.lines) == min(MAX_LINES, len(cart.lines.keys() | guest.lines.keys()))
    assert cart.lines.keys() <= both.lines.keys() <= cart.lines.keys() | guest.lines.keys()
    for sku, line in both.lines.items():
        wanted = sum(x.lines[sku].quantity for x in (cart, guest) if sku in x.lines)
        assert line.quantity == min(MAX_QUANTITY, wanted)


@given(carts())
def test_merging_an_empty_cart_changes_nothing(cart: Cart) -> None:
    assert merged(cart, Cart("guest:1")) == cart
    assert merged(Cart(cart.owner, {}, cart.version), cart) == cart


@given(carts(), st.integers(min_value=1, max_value=10**7))
def test_order_lines_are_numbered_by_sku_and_add_up_to_the_subtotal(
    cart: Cart, price_minor: int
) -> None:
    for one in (cart, repriced(cart, dict.fromkeys(cart.lines, price_minor))):
        lines = order_lines(one.lines.values())
        assert sum(line["line_total_minor"] for line in lines) == one.subtotal_minor
        assert [line["line_no"] for line in lines] == list(range(1, len(lines) + 1))
        assert [line["sku"] for line in lines] == sorted(one.lines)


def test_every_member_state_has_a_rate_and_every_taxed_country_exists() -> None:
    rates = reference._read("vat_rates.json")["rates"]
    assert len(rates) == 28
    assert all(reference.is_country(code) for code in rates)
    assert reference.tax_rate("GB") == Decimal("0.20")
    assert reference.tax_rate("US") == 0


def test_sales_are_booked_under_the_names_of_the_order_log() -> None:
    names = {code: reference.sales_country(code) for code in ("GB", "IE", "US", "DE")}
    assert names == {"GB": "United Kingdom", "IE": "EIRE", "US": "USA", "DE": "Germany"}
