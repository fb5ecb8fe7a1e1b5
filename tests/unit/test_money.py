from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.contracts.money import MAX_MINOR, Money, share, to_major, to_minor

amounts = st.integers(-MAX_MINOR // 1000, MAX_MINOR // 1000)
pence = st.builds(Money, amount_minor=amounts, currency=st.just("GBP"))
rates = st.decimals(0, 1, places=4)


@given(pence, pence, pence)
def test_adding_money_is_exact_in_any_order(a: Money, b: Money, c: Money) -> None:
    assert (a + b) + c == c + (b + a)
    assert (a + b) - b == a


@given(pence, st.integers(1, 99))
def test_a_line_total_is_the_price_added_up(price: Money, quantity: int) -> None:
    total = Money(amount_minor=0, currency="GBP")
    for _ in range(quantity):
        total += price
    assert price * quantity == total


@given(amounts, rates)
def test_a_share_is_within_half_a_penny(amount: int, rate: Decimal) -> None:
    assert abs(share(amount, rate) - amount * rate) <= Decimal("0.5")


@given(pence)
def test_currencies_never_meet(price: Money) -> None:
    with pytest.raises(ValueError, match="cannot combine"):
        price + Money(amount_minor=1, currency="EUR")


@pytest.mark.parametrize("amount", [1.5, "12", True, 10**13, None])
def test_an_amount_is_a_bounded_whole_number(amount: object) -> None:
    with pytest.raises(ValidationError):
        Money.model_validate({"amount_minor": amount, "currency": "GBP"})


def test_a_price_of_the_log_becomes_pence_without_rounding() -> None:
    assert to_minor("2.55") == 255
    assert to_minor("0.001") == Decimal("0.1")


@given(st.integers(-MAX_MINOR, MAX_MINOR))
def test_an_amount_written_for_people_is_the_same_amount(amount_minor: int) -> None:
    written = str(to_major(amount_minor))
    assert to_minor(written) == amount_minor
    assert len(written.rpartition(".")[2]) == 2
