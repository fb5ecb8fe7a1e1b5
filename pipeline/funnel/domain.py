"""Clicks to sessions, and sessions to the funnel of each day; pure.

A frame of SESSIONS has one row per session: its first event and its furthest step, of the clicks it
was made of. Those of some clicks and of others, one under the other, tell of both together, so that
nobody has to hold all clicks, nor all sessions: those of one `part` are no others' business.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import pairwise
from zlib import crc32

import polars as pl

from pipeline.contracts.funnel import REACHED, STEPS
from pipeline.contracts.keys import Stream
from pipeline.runtime.facts import Table

CLICKS = ("event_type", "occurred_at", "session_id", "synthetic")
# `part` is a checksum of the id, from 0 to PARTS - 1: files outlive the release of polars, and the
# next one's own hash may be another.
PARTS = 1 << 16
SESSIONS = Table(
    "sessions",
    {
        "part": pl.UInt16, "synthetic": pl.Boolean, "session_id": pl.String,
        "began_at": pl.Datetime("us", "UTC"), "step": pl.Int8,
    },
    ("synthetic", "session_id"),
    ("part", "session_id", "synthetic"),
)  # fmt: skip
# What sessions are made of, and how: in the name of their files, so that others make others.
DEFINITION = (*CLICKS, *SESSIONS.columns, *(f"{kind} {step}" for kind, step in REACHED.items()))
# (stream, day) -> sessions that reached each of STEPS.
Funnels = Mapping[tuple[Stream, str], tuple[int, ...]]


def sessions_of(clicks: pl.LazyFrame) -> pl.DataFrame:
    """The frame of SESSIONS of a frame of CLICKS, sorted; an event may be in it twice."""
    step = pl.col("event_type").replace_strict(REACHED, default=0, return_dtype=pl.Int8)
    rows = clicks.filter(pl.col("session_id").is_not_null()).select(
        "synthetic", "session_id", pl.col("occurred_at").alias("began_at"), step.alias("step")
    )
    found = _furthest(rows).collect(engine="streaming")
    part = found["session_id"].map_elements(_part, return_dtype=pl.UInt16)
    return found.with_columns(part.alias("part")).select(*SESSIONS.columns).sort(SESSIONS.order)


def funnels_of(sessions: pl.LazyFrame, passes: int = 1) -> Funnels:
    """Of frames of SESSIONS, one under the other; days on which no session began are left out.

    Args: `passes`, in how many the sessions are gone through: each holds its share of them, and
    whatever their number, the counts are the same.
    """
    counts: defaultdict[tuple[Stream, str], tuple[int, ...]] = defaultdict(
        lambda: (0,) * len(STEPS)
    )
    for first, last in _spans(passes):
        some = _furthest(sessions.filter(pl.col("part").is_between(first, last)))
        for synthetic, day, *more in _days(some).collect(engine="streaming").iter_rows():
            key: tuple[Stream, str] = ("synthetic" if synthetic else "real", day)
            counts[key] = tuple(map(sum, zip(counts[key], more, strict=True)))
    return dict(counts)


def changes(held: Funnels, right: Funnels) -> list[tuple[Stream, str]]:
    """Where the two differ, sorted."""
    return sorted(key for key in held.keys() | right.keys() if held.get(key) != right.get(key))


def _spans(passes: int) -> Iterator[tuple[int, int]]:
    """(first, last) part of each pass."""
    bounds = [PARTS * one // passes for one in range(passes + 1)]
    return ((first, until - 1) for first, until in pairwise(bounds))


def _days(sessions: pl.LazyFrame) -> pl.LazyFrame:
    reached = [(pl.col("step") >= step).sum().alias(name) for step, name in enumerate(STEPS)]
    day = pl.col("began_at").dt.strftime("%Y-%m-%d").alias("day")
    return sessions.group_by("synthetic", day).agg(reached)


def _furthest(rows: pl.LazyFrame) -> pl.LazyFrame:
    return rows.group_by(SESSIONS.identity).agg(pl.col("began_at").min(), pl.col("step").max())


def _part(session_id: str) -> int:
    return crc32(session_id.encode()) % PARTS
