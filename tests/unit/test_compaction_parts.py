"""Merging a part of the rows at a time gives exactly the rows of merging all at once."""

from datetime import UTC, datetime, timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.compaction.domain import merged, merged_parts, unknown_rows
from pipeline.runtime.facts import CLICKSTREAM, conformed

# (event id, minute, how often the path was clicked): ids repeat, also at other moments.
CLICKS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5), st.integers(0, 3)), max_size=40)


def frame(clicks: list[tuple[int, int, int]]) -> pl.DataFrame:
    start = datetime(1983, 1, 1, tzinfo=UTC)
    rows = pl.DataFrame(
        [(f"click-{n:02d}", start + timedelta(minutes=at), f"/{path}") for n, at, path in clicks],
        {"event_id": pl.String, "occurred_at": pl.Datetime("us", "UTC"), "path": pl.String},
        orient="row",
    )
    return conformed(CLICKSTREAM, rows)


@settings(deadline=None, max_examples=15)
@given(CLICKS, CLICKS, CLICKS, st.integers(1, 9))
def test_in_parts_over_several_files_the_rows_are_those_of_one_merge(
    full: list[tuple[int, int, int]],
    open_: list[tuple[int, int, int]],
    added: list[tuple[int, int, int]],
    part_rows: int,
) -> None:
    table = CLICKSTREAM
    first = merged(table, None, frame(full))
    # As compaction leaves them: no file has a row of another.
    last = unknown_rows(table, frame(open_), [first.lazy()])
    fresh = unknown_rows(table, frame(added), [first.lazy(), last.lazy()])
    parts = list(merged_parts(table, last.lazy(), fresh, part_rows))
    at_once = merged(table, pl.concat([first, last]), frame(added))
    in_parts = pl.concat([first, *parts])
    assert in_parts.sort(table.order).equals(at_once)
    assert pl.concat(parts).equals(merged(table, last, fresh))
