"""Clicks to sessions, and sessions to the funnel of each day; pure.

A sessions frame is DataFrame[synthetic: bool, session_id: str, began_at: datetime UTC, step: i8],
one row per session: its first event and its furthest step, of the clicks it was made of. Two of
them together make a third, in any order, so that nobody has to hold all clicks.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce

import polars as pl

from pipeline.contracts.funnel import REACHED, STEPS
from pipeline.contracts.keys import Stream

CLICKS = ("event_type", "occurred_at", "session_id", "synthetic")
# (stream, day) -> sessions that reached each of STEPS.
Funnels = Mapping[tuple[Stream, str], tuple[int, ...]]
_NONE = pl.DataFrame(
    schema={
        "synthetic": pl.Boolean, "session_id": pl.String,
        "began_at": pl.Datetime("us", "UTC"), "step": pl.Int8,
    }
)  # fmt: skip


def sessions_of(clicks: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """The sessions frame of frames of CLICKS, one after another: an event may be in it twice."""
    return reduce(_joined, map(_sessions, clicks), _NONE)


def funnels_of(sessions: pl.DataFrame) -> Funnels:
    """Days on which no session began are left out."""
    reached = [(pl.col("step") >= step).sum().alias(name) for step, name in enumerate(STEPS)]
    days = sessions.group_by(
        "synthetic", pl.col("began_at").dt.strftime("%Y-%m-%d").alias("day")
    ).agg(reached)
    return {
        ("synthetic" if synthetic else "real", day): tuple(counts)
        for synthetic, day, *counts in days.iter_rows()
    }


def changes(held: Funnels, right: Funnels) -> Sequence[tuple[Stream, str]]:
    """Where the two differ, sorted."""
    return sorted(key for key in held.keys() | right.keys() if held.get(key) != right.get(key))


def _sessions(clicks: pl.DataFrame) -> pl.DataFrame:
    step = pl.col("event_type").replace_strict(REACHED, default=0, return_dtype=pl.Int8)
    return _furthest(
        clicks.filter(pl.col("session_id").is_not_null()).select(
            "synthetic", "session_id", pl.col("occurred_at").alias("began_at"), step.alias("step")
        )
    )


def _joined(some: pl.DataFrame, more: pl.DataFrame) -> pl.DataFrame:
    return _furthest(pl.concat([some, more]))


def _furthest(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.group_by("synthetic", "session_id").agg(
        pl.col("began_at").min(), pl.col("step").max()
    )
