"""What the changes of a stock row are called, and that they add up to the row."""

from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.events import parse_event
from pipeline.stock.domain import StockChange, is_low, movements, to_events
from pipeline.stock.service import list_low

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
Row = dict[str, Any]


def a_row(
    received: int = 10, available: int = 10, held: int = 0, sold: int = 0, **more: Any
) -> Row:
    counts = {"received": received, "available": available, "held": held, "sold": sold}
    return {"sku": "S1", "product_id": "P1", **counts, **more}


def a_change(old: Row | None, new: Row | None) -> StockChange:
    return StockChange("000123", AT, old, new)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (None, a_row(), [("received", 10)]),
        (a_row(), a_row(10, 7, 3), [("reserved", 3)]),
        (a_row(10, 7, 3), a_row(), [("released", 3)]),
        (a_row(10, 7, 3), a_row(10, 7, 0, 3), [("sold", 3)]),
        (a_row(10, 7, 0, 3), a_row(), [("returned", 3)]),
        (a_row(), a_row(8, 8), [("adjusted", -2)]),
        (a_row(), a_row(15, 15, adjustment={"kind": "received"}), [("received", 5)]),
        (a_row(10, 7, 3), a_row(3, 0, 3), [("adjusted", -7)]),
        (a_row(), None, [("adjusted", -10)]),
        (a_row(), a_row(title="New"), []),
    ],
)
def test_each_way_goods_can_move_has_its_name(
    old: Row | None, new: Row | None, expected: list[tuple[str, int]]
) -> None:
    assert movements(a_change(old, new)) == expected


_parts = st.tuples(*[st.integers(0, 50)] * 3)


@given(states=st.lists(_parts, min_size=1, max_size=8))
def test_movements_add_up_to_the_row_whatever_is_written(
    states: list[tuple[int, int, int]],
) -> None:
    rows = [a_row(sum(parts), *parts) for parts in states]
    total: Counter[str] = Counter()
    for old, new in zip([None, *rows], rows, strict=False):
        for kind, units in movements(a_change(old, new)):
            total[kind] += units
            assert units > 0 or kind == "adjusted"
    last = rows[-1]
    assert total["received"] + total["adjusted"] == last["received"]
    assert total["reserved"] - total["released"] - total["sold"] == last["held"]
    assert total["sold"] - total["returned"] == last["sold"]
    left = total["received"] + total["adjusted"] + total["returned"]
    assert left == last["available"] + last["held"] + total["sold"]


class LowStock:
    def __init__(self) -> None:
        self.listed: dict[str, int] = {}

    def put(self, change: StockChange, threshold: int) -> None:
        self.listed[change.row["sku"]] = int(change.row["available"])

    def remove(self, sku: str) -> None:
        self.listed.pop(sku, None)


@given(
    levels=st.lists(st.integers(0, 12), min_size=2, max_size=8),
    cut=st.integers(1, 7),
    repeats=st.integers(1, 2),
)
def test_the_list_of_low_skus_says_what_the_row_says_however_its_changes_are_cut_and_repeated(
    levels: list[int], cut: int, repeats: int
) -> None:
    rows = [a_row(units, units) for units in levels]
    changes = [a_change(old, new) for old, new in pairwise(rows)]
    low = LowStock()
    for batch in (changes[:cut], changes[cut:]):
        for _ in range(repeats):
            list_low(batch, low, 5)
    changed = [units for was, units in pairwise(levels) if was != units]
    expected = {"S1": levels[-1]} if changed and levels[-1] <= 5 else {}
    assert low.listed == expected


def test_a_sku_that_a_higher_threshold_listed_leaves_the_list_as_it_grows() -> None:
    low = LowStock()
    list_low([a_change(a_row(12, 12), a_row(8, 8))], low, 10)
    assert low.listed == {"S1": 8}
    list_low([a_change(a_row(8, 8), a_row(9, 9))], low, 5)
    assert low.listed == {}


def test_what_is_new_is_not_low_and_what_is_gone_is_on_no_list() -> None:
    low = LowStock()
    list_low([a_change(None, a_row(3, 3))], low, 5)
    assert low.listed == {}
    list_low([a_change(a_row(9, 9), a_row(2, 2))], low, 5)
    assert low.listed == {"S1": 2}
    list_low([a_change(a_row(2, 2), a_row(0, 0, status="archived"))], low, 5)
    assert low.listed == {}
    list_low([a_change(a_row(9, 9), a_row(2, 2)), a_change(a_row(2, 2), None)], low, 5)
    assert low.listed == {}


def test_a_record_delivered_twice_gives_the_same_valid_events() -> None:
    change = a_change(a_row(10, 6), a_row(10, 5, 1))
    once, again = list(to_events(change, 5)), list(to_events(change, 5))
    assert once == again
    assert [e.event_type for e in once] == ["stock.adjusted.v1", "stock.low.v1"]
    assert len({e.event_id for e in once}) == 2
    assert [parse_event(e.model_dump_json()) for e in once] == once


def test_a_movement_does_not_speak_with_the_note_of_an_earlier_one() -> None:
    note = {"id": "a1", "kind": "received", "reason": "delivery 17"}
    before, after = a_row(), a_row(15, 15, adjustment=note)
    withdrawn = a_row(5, 5, adjustment=note)
    again = a_row(8, 8, adjustment=note)
    told = [
        (event.payload["kind"], event.payload["delta"], event.payload["reason"])
        for old, new in ((before, after), (after, withdrawn), (withdrawn, again))
        for event in to_events(a_change(old, new), 0)
    ]
    assert told == [
        ("received", 5, "delivery 17"), ("adjusted", -10, "withdrawn"), ("adjusted", 3, "put back"),
    ]  # fmt: skip


def test_stock_is_low_once_on_its_way_down() -> None:
    steps = [(6, True, 5), (5, False, 4), (4, False, 9)]
    for before, expected, after in steps:
        assert is_low(a_change(a_row(10, before), a_row(10, after)), 5) is expected
