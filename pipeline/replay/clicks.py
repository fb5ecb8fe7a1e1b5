"""A real clickstream as `shopper.product_viewed.v1` events.

The source says on which day a session was and in which order it clicked, not at what time: the
time of day is made up by a fixed rule, and each event says so (`time_is_synthetic`).

A click frame has the columns of `data/eshop_clicks.parquet` with `category`, `country`, `colour`
and `location` as words, and `at: datetime us UTC`, one row per click, sessions one after another.
"""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import polars as pl

from pipeline.contracts.events import to_iso_z
from pipeline.replay.domain import SOURCE, LogEvent
from pipeline.replay.products import DATA

PREFIX = "eshop2008-"  # of its sessions, events and products: they are another shop's
PRODUCT_VIEWED = "shopper.product_viewed.v1"
FIRST_DAY, AFTER_LAST_DAY = date(2008, 4, 1), date(2008, 8, 14)
# Sessions of a day begin evenly between 6 and 22 o'clock; the longest has 195 clicks.
_OPENS_S, _OPEN_S, _BETWEEN_CLICKS_S = 6 * 3_600, 16 * 3_600, 30
_CODED = ("category", "country", "colour", "location")


def read_clicks(limit: int | None = None) -> pl.DataFrame:
    """The click frame in the source's order; `limit` in clicks, the last session is completed."""
    clicks = pl.read_parquet(DATA / "eshop_clicks.parquet")
    names: dict[str, dict[str, str]] = json.loads((DATA / "eshop_codes.json").read_text())
    session = pl.col("session_id")
    rank = session.rank("dense").over("date") - 1
    start_s = _OPENS_S + rank.cast(pl.Int64) * _OPEN_S // session.n_unique().over("date")
    after_s = start_s + (pl.col("click_order").cast(pl.Int64) - 1) * _BETWEEN_CLICKS_S
    clicks = clicks.with_columns(
        (pl.col("date").cast(pl.Datetime("us", "UTC")) + pl.duration(seconds=after_s)).alias("at"),
        *(_in_words(name, names[name]) for name in _CODED),
    )
    if limit is None or limit >= clicks.height:
        return clicks
    return clicks.filter(session <= clicks["session_id"][limit - 1])


def _in_words(name: str, words: dict[str, str]) -> pl.Expr:
    codes = {int(code): word for code, word in words.items()}
    return pl.col(f"{name}_id").replace_strict(codes, return_dtype=pl.String).alias(name)


def with_event_ids(clicks: pl.DataFrame) -> pl.DataFrame:
    """The frame with `event_id`: a click is known by its session and its place in it."""
    event_id = pl.format(f"{PREFIX}{{}}-{{}}", "session_id", "click_order")
    return clicks.with_columns(event_id.alias("event_id"))


def unsent(clicks: pl.DataFrame, known: pl.Series) -> pl.DataFrame:
    """The clicks whose event ids are not among `known` (Series[str])."""
    rows = with_event_ids(clicks)
    return rows.join(known.to_frame("event_id"), on="event_id", how="anti", maintain_order="left")


def click_events(clicks: pl.DataFrame) -> Iterator[LogEvent]:
    for row in with_event_ids(clicks).iter_rows(named=True):
        yield LogEvent(_event(row), 1, row["at"])


def _event(row: dict[str, Any]) -> dict[str, Any]:
    session = f"{PREFIX}{row['session_id']}"
    return {
        "event_id": row["event_id"],
        "event_type": PRODUCT_VIEWED,
        "occurred_at": to_iso_z(row["at"]),
        "source": SOURCE,
        "correlation_id": session,
        "causation_id": None,
        "partition_key": session,
        "synthetic": False,
        "payload": {
            "session_id": session,
            "product_id": f"{PREFIX}{row['model']}",
            "path": f"/{row['category']}?page={row['page']}",
            "page": row["page"],
            "category": row["category"],
            "country": row["country"],
            "colour": row["colour"],
            "location": row["location"],
            "price_usd": row["price_usd"],
            "time_is_synthetic": True,
        },
    }
