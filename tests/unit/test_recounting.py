"""A rebuild and a reconciliation hold what folding holds, whenever they begin."""

import itertools
import json
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.folding.domain import Increments
from pipeline.landing.domain import sort_out
from pipeline.rebuild.domain import Base
from pipeline.reconciliation import cells
from pipeline.runtime.facts import CLICKSTREAM, ORDER_LINES, ORDERS, rows_of
from pipeline.runtime.generations import Generations, NotNow
from pipeline.runtime.kinesis import StreamRecord
from tests.folding_model import START, Table, a_click, a_search, deliver, deliveries

QUERIES = ("Tea", " tea ", "İstanbul\x1c", "grüne  Tasse", " ", "x" * 400, "a|b#c")
Delivered = tuple[list[dict[str, Any]], list[list[dict[str, Any]]]]


def streamed(batches: list[list[dict[str, Any]]]) -> list[list[StreamRecord]]:
    """The batches as one shard numbers them, a click and a search with each."""
    numbers = itertools.count(95)
    return [
        [
            StreamRecord("shard-0", str(next(numbers)), START, json.dumps(event).encode())
            for event in [*batch, a_click(n, n), a_search(n, n, QUERIES[n % 7], n // 7)]
        ]
        for n, batch in enumerate(batches)
    ]


def figures(held: Increments) -> dict[Any, Any]:
    counted = {i: {n: a for n, a in c.items() if a} for i, c in held.counters.items()}
    return {i: c for i, c in counted.items() if c} | {i: set(m) for i, m in held.members.items()}


def live(table: Table) -> dict[Any, Any]:
    return figures(Increments({i: dict(c) for i, c in table.counters.items()}, table.members))


@settings(max_examples=40, deadline=None)
@given(deliveries(), st.data())
def test_a_rebuild_that_begins_at_any_moment_holds_what_folding_holds(
    delivered: Delivered, data: st.DataObject
) -> None:
    batches, table = streamed(delivered[1]), Table()
    begins = data.draw(st.integers(0, len(batches)), label="begins before batch")
    for number, batch in enumerate(batches):
        if number == begins:
            table.begin()
        deliver([batch] * data.draw(st.integers(1, 2), label="deliveries"), table)
    landed = [sort_out(batch)[0] for batch in data.draw(st.permutations(batches))]
    base = Base("next")
    for raw in landed:
        base.add(base.portions(raw), table.markers)
        cut = table.cuts.get("shard-0", table.marks.get("shard-0", ""))
        base.add_clicks(raw, {"shard-0": cut})
    table.shadow.add(base.increments)
    assert figures(table.shadow) == live(table)


@settings(max_examples=25, deadline=None)
@given(deliveries())
def test_sums_over_the_curated_columns_are_what_folding_holds(delivered: Delivered) -> None:
    batches, table = streamed(delivered[1]), Table()
    deliver(batches, table)
    raw = pl.concat([sort_out(batch)[0] for batch in batches] or [sort_out([])[0]])
    raw = raw.unique(["event_id", "event_type"])
    lines, orders, clicks = (rows_of(t, raw).lazy() for t in (ORDER_LINES, ORDERS, CLICKSTREAM))
    lake = pl.concat([cells.of_lines(lines, orders), cells.of_clicks(clicks)])
    held = {i: c if isinstance(c, dict) else {"customers": c} for i, c in live(table).items()}
    found = cells.of_items((pk, sk, values) for (pk, sk), values in held.items())
    assert cells.apart(lake, found).rows() == []
    assert lake.height == found.height


def test_generations_move_only_as_they_may() -> None:
    start = Generations()
    for move in (start.swapped, start.rolled_back, lambda: start.finished("a")):
        with pytest.raises(NotNow):
            move()
    building = start.begun("a")
    assert (building.live, building.written) == ("0", ("0", "a"))
    for move in (building.swapped, lambda: building.begun("b"), lambda: building.finished("b")):
        with pytest.raises(NotNow):
            move()
    swapped = building.finished("a").swapped()
    assert (swapped.live, swapped.written, swapped.state) == ("a", ("a", "0"), "kept")
    back = swapped.rolled_back()
    assert (back.live, back.state) == ("0", "ready")
    assert back.without_other().written == ("0",)
