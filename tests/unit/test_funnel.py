"""The sessions of a day by how far they came, in whatever portions the clicks are read."""

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any
from zlib import crc32

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts.events import CLICK_TYPES
from pipeline.funnel.domain import CLICKS, PARTS, SESSIONS, changes, funnels_of, sessions_of
from pipeline.runtime.facts import CLICKSTREAM

START = datetime(2011, 11, 30, 22, tzinfo=UTC)
FURTHEST = dict(zip(CLICK_TYPES, (0, 1, 0, 2, 3, 4), strict=True))
clicks = st.lists(
    st.tuples(
        st.sampled_from(CLICK_TYPES), st.integers(0, 80),
        st.sampled_from([None, "a", "b", "c", "d"]), st.booleans(),
    ),
    max_size=40,
)  # fmt: skip


def frame(drawn: list[tuple[Any, ...]]) -> pl.DataFrame:
    rows = [(kind, START + timedelta(hours=at), *rest) for kind, at, *rest in drawn]
    schema = {name: CLICKSTREAM.columns[name] for name in CLICKS}
    return pl.DataFrame(rows, schema=schema, orient="row")


def plain_count(drawn: list[tuple[Any, ...]]) -> dict[tuple[str, str], tuple[int, ...]]:
    """Session by session, from the definition in words."""
    sessions: dict[tuple[bool, str], list[tuple[int, int]]] = defaultdict(list)
    for kind, at, session, synthetic in drawn:
        if session is not None:
            sessions[synthetic, session].append((at, FURTHEST[kind]))
    days: dict[tuple[str, str], Counter[int]] = defaultdict(Counter)
    for (synthetic, _), events in sessions.items():
        began = START + timedelta(hours=min(at for at, _ in events))
        stream = "synthetic" if synthetic else "real"
        days[stream, f"{began:%Y-%m-%d}"].update(range(max(step for _, step in events) + 1))
    return {day: tuple(reached[step] for step in range(5)) for day, reached in days.items()}


@settings(max_examples=100, deadline=None)
@given(clicks, st.integers(1, 9), st.integers(1, 7), st.data())
def test_in_whatever_portions_and_passes_each_session_counts_once_up_to_its_furthest_step(
    drawn: list[tuple[Any, ...]], size: int, passes: int, data: st.DataObject
) -> None:
    mixed = data.draw(st.permutations(drawn)) + drawn[:3]
    portions = [frame(mixed[start : start + size]) for start in range(0, len(mixed), size)]
    sessions = [sessions_of(one.lazy()) for one in [frame([]), *portions]]
    found = funnels_of(pl.concat(sessions).lazy(), passes)
    assert found == plain_count(drawn)
    assert changes(found, plain_count(drawn)) == []


@settings(max_examples=20, deadline=None)
@given(st.sets(st.text(max_size=12), max_size=40))
def test_the_same_clicks_make_the_same_file_in_whatever_order(ids: set[str]) -> None:
    visits = [("shopper.searched.v1", 0, one, False) for one in sorted(ids)]
    some, others = sessions_of(frame(visits).lazy()), sessions_of(frame(visits[::-1]).lazy())
    assert some.equals(others)
    assert some.schema == SESSIONS.columns


@pytest.mark.parametrize("passes", [1, 2, 3, 7, 100])
def test_no_part_is_left_out_or_in_two_passes(passes: int) -> None:
    one_of_each = pl.select(
        pl.int_range(PARTS).cast(pl.UInt16).alias("part"),
        pl.lit(False).alias("synthetic"),
        pl.int_range(PARTS).cast(pl.String).alias("session_id"),
        pl.lit(START).alias("began_at"),
        pl.lit(0, pl.Int8).alias("step"),
    )
    assert funnels_of(one_of_each.lazy(), passes) == {("real", "2011-11-30"): (PARTS, 0, 0, 0, 0)}


def test_a_part_is_of_the_id_alone_and_the_same_for_good() -> None:
    """Files that were written before are read with those that are written now."""
    sessions = sessions_of(frame([("shopper.searched.v1", 0, "01MSESSION", False)]).lazy())
    assert sessions["part"].to_list() == [crc32(b"01MSESSION") % 65_536] == [7_507]


def test_days_that_differ_are_named_also_those_that_one_side_does_not_have() -> None:
    same, more, fewer = (1, 1, 0, 0, 0), (3, 2, 1, 0, 0), (2, 2, 1, 0, 0)
    held = {("real", "1"): same, ("real", "2"): more, ("real", "4"): same}
    right = {("real", "1"): same, ("real", "2"): fewer, ("synthetic", "1"): same}
    assert changes(held, right) == [("real", "2"), ("real", "4"), ("synthetic", "1")]
