"""Quotes, carts and merging: properties that hold for any shopper."""

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.money import split
from storefront_api.checkout import reference
from storefront_api.checkout.domain import (
    FREE_SHIPPING_FROM_MINOR,
    MAX_LINES,
    MAX_QUANTITY,
    MAX_SAVED,
    Cart,
    CartLine,
    Destination,
    Quote,
    ShippingMethod,
    StockRow,
    merged,
    quote,
    repriced,
    with_line,
    with_saved,
    without_saved,
)
from storefront_api.checkout.new_order import order_lines
from storefront_api.checkout.promotion import Offer, Promotion, PromotionKind, PromotionState
from storefront_api.countries import is_country, sales_country

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
    aside = draw(st.sets(st.integers(min_value=60, max_value=120), max_size=MAX_SAVED)) - numbers
    saved = {f"S{number}": a_line(f"S{number}") for number in sorted(aside)}
    return Cart(owner, lines, version=3, saved=saved)


def quoted(
    subtotal_minor: int, country: str, method: ShippingMethod, promotion: Promotion | None = None
) -> Quote:
    to = Destination(country, method, reference.tax_rate(country))
    return quote(subtotal_minor, "GBP", to, promotion)


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
        to = Destination("XX", ShippingMethod.STANDARD, Decimal("0.25"))
        return quote(subtotal_minor, "GBP", to).tax_minor

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
    assert not both.lines.keys() & both.saved.keys()
    parts = (cart.lines, guest.lines, cart.saved, guest.saved)
    rest = {sku for part in parts for sku in part} - both.lines.keys()
    assert both.saved.keys() <= rest
    assert len(both.saved) == min(MAX_SAVED, len(rest))


@given(carts())
def test_merging_an_empty_cart_changes_nothing(cart: Cart) -> None:
    assert merged(cart, Cart("guest:1")) == cart
    assert merged(Cart(cart.owner, {}, cart.version), cart) == cart


@given(carts(), st.sampled_from([f"S{number}" for number in range(121)]))
def test_saving_a_line_for_later_and_putting_it_back_loses_nothing(cart: Cart, sku: str) -> None:
    room = len(cart.saved) < MAX_SAVED and len(cart.lines) < MAX_LINES
    if not room:
        return
    aside = with_saved(cart, sku, None, "2026-01-02")
    if aside is None:
        assert sku not in cart.lines and sku not in cart.saved
        return
    assert (sku in aside.saved, sku in aside.lines) == (True, False)
    assert with_saved(aside, sku, None, "2026-01-02") == aside
    line = aside.saved[sku]
    row = StockRow(
        sku, line.product_id, sku, line.category, None, {}, line.unit_price_minor, "GBP", 99
    )  # fmt: skip
    back = with_line(aside, row, line.quantity, line.added_at)
    assert back.lines[sku] == line
    assert back.saved == without_saved(cart, sku).saved


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
    rates = reference._rates()
    assert len(rates) == 28
    assert all(is_country(code) for code in rates)
    assert reference.tax_rate("GB") == Decimal("0.20")
    assert reference.tax_rate("US") == 0


def test_sales_are_booked_under_the_names_of_the_order_log() -> None:
    names = {code: sales_country(code) for code in ("GB", "IE", "US", "DE")}
    assert names == {"GB": "United Kingdom", "IE": "EIRE", "US": "USA", "DE": "Germany"}


@st.composite
def promotions(draw: st.DrawFn) -> Promotion:
    kind = draw(st.sampled_from(PromotionKind))
    return Promotion(
        code="CODE",
        kind=kind,
        version="1",
        percent=draw(st.integers(1, 100)) if kind is PromotionKind.PERCENTAGE else None,
        amount_minor=draw(st.integers(1, 10**6)) if kind is PromotionKind.AMOUNT else None,
        minimum_subtotal_minor=draw(st.sampled_from([0, 1_000, 10**6])),
    )


@given(amounts, countries, methods, promotions())
def test_a_promotion_never_makes_an_order_dearer_nor_its_goods_less_than_free(
    subtotal_minor: int, country: str, method: ShippingMethod, promotion: Promotion
) -> None:
    price = quoted(subtotal_minor, country, method, promotion)
    assert 0 <= price.discount_minor <= subtotal_minor
    assert price.total_minor == (
        subtotal_minor - price.discount_minor + price.shipping_minor + price.tax_minor
    )
    goods_minor = subtotal_minor - price.discount_minor
    is_free = promotion.kind is PromotionKind.FREE_SHIPPING and price.promotion is not None
    assert is_free <= (price.shipping_minor == 0)
    assert (price.promotion is None) == (subtotal_minor < promotion.minimum_subtotal_minor)
    if price.promotion is None:
        assert price == quoted(subtotal_minor, country, method)
    if not is_free and method is ShippingMethod.STANDARD:
        assert (price.shipping_minor == 0) == (goods_minor >= FREE_SHIPPING_FROM_MINOR)


@given(carts().filter(lambda cart: bool(cart.lines)), promotions())
def test_a_discount_lies_on_the_lines_to_the_penny_and_on_none_more_than_it_costs(
    cart: Cart, promotion: Promotion
) -> None:
    discount_minor = promotion.discount_minor(cart.subtotal_minor)
    lines = order_lines(cart.lines.values(), discount_minor)
    assert sum(line["discount_minor"] for line in lines) == discount_minor
    for line in lines:
        assert 0 <= line["discount_minor"] <= line["line_total_minor"]
        exact = Decimal(discount_minor) * line["line_total_minor"] / cart.subtotal_minor
        assert abs(line["discount_minor"] - exact) < 1


@given(
    st.integers(0, 10**12), st.lists(st.integers(0, 10**9), min_size=1).filter(lambda w: sum(w) > 0)
)
def test_an_amount_is_split_exactly_whatever_the_weights(amount: int, weights: list[int]) -> None:
    parts = split(amount, weights)
    assert sum(parts) == amount
    assert all(part == 0 for part, weight in zip(parts, weights, strict=True) if weight == 0)
    assert parts == split(amount, [7 * weight for weight in weights])


def test_why_a_code_gives_nothing_is_told_in_the_order_that_helps_most() -> None:
    terms = Promotion(
        "CODE", PromotionKind.AMOUNT, "1", amount_minor=100, minimum_subtotal_minor=500,
        starts_at="2026-01-02", ends_at="2026-01-03", max_uses=3, max_uses_per_shopper=1,
    )  # fmt: skip
    cases = [
        ("2026-01-01", Offer(terms, 3, 1), 400, PromotionState.NOT_STARTED),
        ("2026-01-03", Offer(terms, 3, 1), 400, PromotionState.ENDED),
        ("2026-01-02", Offer(terms, 3, 1), 400, PromotionState.USED_UP),
        ("2026-01-02", Offer(terms, 2, 1), 400, PromotionState.USED_BY_YOU),
        ("2026-01-02", Offer(terms, 2, 0), 499, PromotionState.BELOW_MINIMUM),
        ("2026-01-02", Offer(terms, 2, 0), 500, PromotionState.APPLIED),
    ]
    for now, offer, subtotal_minor, state in cases:
        assert offer.state(subtotal_minor, now) is state
