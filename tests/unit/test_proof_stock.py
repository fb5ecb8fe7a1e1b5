"""Units of stock that came from nowhere, went there or were sold twice, one at a time."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.proof.domain import Verdict
from pipeline.proof.stock import (
    Movement,
    StockRow,
    movements_add_up,
    stock_is_conserved,
    stock_matches_orders,
)
from pipeline.stock.domain import StockChange, to_events
from tests.proof_builders import an_order, assert_names

AT = datetime(2026, 11, 27, 12, tzinfo=UTC)
_parts = st.tuples(*[st.integers(0, 50)] * 3)


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50), st.integers(-3, 3))
def test_stock_is_conserved_exactly_when_it_adds_up(a: int, h: int, s: int, off: int) -> None:
    check = stock_is_conserved([StockRow("sku", a + h + s + off, a, h, s)])
    assert (check.verdict is Verdict.VALID) == (off == 0)


@pytest.mark.parametrize(("held", "sold"), [(0, 4), (2, 2), (0, 0)])
def test_a_doubled_or_lost_stock_move_is_named(held: int, sold: int) -> None:
    rows = [StockRow("sku", 10, 10 - held - sold, held, sold)]
    assert_names(stock_matches_orders(rows, [an_order()]), "sku")


def told(states: list[tuple[int, int, int]]) -> tuple[StockRow, list[Movement]]:
    """A row that went through these (available, held, sold), and what the stock function told of
    it. What it began with was put on the shelf by the seed, which makes no event."""
    rows = [
        {"sku": "sku", "product_id": "p", "received": sum(parts), "available": parts[0],
         "held": parts[1], "sold": parts[2]}
        for parts in states
    ]  # fmt: skip
    events = [
        (number, event.payload)
        for number, (old, new) in enumerate(pairwise(rows))
        for event in to_events(StockChange(f"{number:030d}", AT, old, new), -1)
    ]
    movements = [
        Movement("sku", number, payload["kind"], payload["delta"], payload["received"])
        for number, payload in events
    ]
    return StockRow("sku", sum(states[-1]), *states[-1]), movements


@given(st.integers(0, 50), st.lists(_parts, min_size=1, max_size=6), st.randoms())
def test_whatever_moved_the_row_is_the_sum_of_its_events_and_each_lost_one_is_missed(
    seeded: int, states: list[tuple[int, int, int]], random: Random
) -> None:
    row, movements = told([(seeded, 0, 0), *states])
    shuffled = random.sample(movements, len(movements))
    assert movements_add_up([row], shuffled).verdict is Verdict.VALID
    for lost in movements:
        left = [one for one in movements if one is not lost]
        # What was there before the first event is taken from that event: a loss on the shelf
        # before it cannot be told from a smaller seed.
        if lost.kind not in ("received", "adjusted") or lost.change != movements[0].change:
            assert_names(movements_add_up([row], left), "sku")


def test_a_row_changed_without_an_event_and_a_sku_that_left_are_told_apart() -> None:
    row, movements = told([(10, 0, 0), (8, 2, 0), (8, 0, 2)])
    assert_names(movements_add_up([replace(row, available=7, sold=3)], movements), "sku")
    assert_names(movements_add_up([StockRow("still", 5, 4, 0, 1)], []), "still")
    gone, leaving = told([(10, 0, 0), (4, 0, 0), (0, 0, 0)])
    assert gone.received == 0
    assert movements_add_up([], leaving).verdict is Verdict.VALID, "taken out of the shop"
    assert_names(movements_add_up([], leaving[:1]), "sku")
