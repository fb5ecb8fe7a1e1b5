"""The sum of a SKU's stock: whoever books a unit too many, too few or twice is noticed."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.books import Account, total
from loadgen.oversell import is_kept

units = st.integers(0, 50)
BOOKS = ("received", "adjusted", "returned", "sold", "available", "held", "kept")


@st.composite
def balanced(draw: st.DrawFn) -> Account:
    """What a SKU's books say after any history: reserved goods are left out, as they stay here."""
    available, held, kept, returned = (draw(units) for _ in range(4))
    adjusted = draw(st.integers(-20, 20))
    received = available + held + kept - adjusted
    return Account(received, adjusted, returned, kept + returned, available, held, kept)


@given(balanced(), st.sampled_from(BOOKS), st.integers(-3, 3).filter(bool))
def test_a_figure_that_is_off_in_one_book_breaks_the_sum(
    account: Account, book: str, off: int
) -> None:
    assert account.is_balanced
    assert not replace(account, **{book: getattr(account, book) + off}).is_balanced


@given(st.lists(balanced(), min_size=1, max_size=5))
def test_what_balances_by_itself_balances_together(accounts: list[Account]) -> None:
    assert total(accounts).is_balanced


@pytest.mark.parametrize(
    ("moved", "row"),
    [
        ({"received": 9, "adjusted": 1, "sold": 4}, {"available": 6, "held": 1, "sold": 4}),
        ({"received": 9, "adjusted": 1, "sold": 4}, {"available": 6, "held": 0, "sold": 3}),
        ({"received": 9, "adjusted": 1, "sold": 4}, {}),
    ],
)
def test_a_failure_has_both_sides(moved: dict[str, int], row: dict[str, int]) -> None:
    account = Account.of(moved, row)
    there = row.get("available", 0) + row.get("held", 0) + 4
    assert not account.is_balanced
    assert "received 9 + adjusted 1 + returned 0 = 10;" in str(account)
    assert f"+ sold 4 = {there}; sold less returned 4, by the row {row.get('sold', 0)}" in str(
        account
    )


@pytest.mark.parametrize(
    "found",
    [
        {"oversold": 1}, {"differing": {"sku": (1, 0)}}, {"unbalanced": {"sku": "received 1"}},
        {"faults": ["500"]}, {"unavailable_share": 0.01},
    ],
)  # fmt: skip
def test_whatever_is_found_fails_the_race(found: dict[str, object]) -> None:
    clean: dict[str, object] = {
        "oversold": 0, "differing": {}, "unbalanced": {}, "faults": [], "unavailable_share": 0.009,
    }  # fmt: skip
    assert is_kept(clean)
    assert not is_kept(clean | found)
