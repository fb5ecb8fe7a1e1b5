"""What shoppers do: from the lake's clicks, and the counters of `/api/analytics/funnel`."""

from datetime import UTC, datetime, time

import polars as pl

from console.periods import Period
from console.queries import edge, lake_rows
from console.queries.shared import shared
from pipeline.contracts import funnel as funnel_rules
from pipeline.contracts.events import CLICK_TYPES
from pipeline.contracts.searches import SEARCHED, term_of

STEPS = tuple(step.capitalize() for step in funnel_rules.STEPS)


def clicks(period: Period) -> pl.DataFrame:
    """The frame of `lake_rows.clicks` in the period. Raises edge.Unreachable."""
    first, until = (datetime.combine(day, time.min, UTC) for day in (period.first, period.until))
    return between(first, until)


def visits(period: Period) -> pl.DataFrame:
    """All clicks of the sessions that began in the period, with what they came to after it.

    Raises edge.Unreachable.
    """
    day = pl.col("at").min().over("session_id").dt.date()
    return lake_rows.clicks().frame.filter(
        pl.col("session_id").is_not_null(), day >= period.first, day < period.until
    )


def between(first: datetime, until: datetime) -> pl.DataFrame:
    at = pl.col("at")
    return lake_rows.clicks().frame.filter((at >= first) & (at < until))


@shared(2.0)
def counters(_token: str, period: Period) -> dict[str, int]:
    """Events by type, as the aggregates count them; every type is there."""
    answer = edge.get(
        "/api/analytics/funnel",
        _token,
        **{"from": period.first.isoformat(), "to": period.until.isoformat()},
    )
    counted = {str(step["event_type"]): int(step["count"]) for step in answer.get("steps") or []}
    return {kind: counted.get(kind, 0) for kind in CLICK_TYPES}


def events(frame: pl.DataFrame) -> dict[str, int]:
    """The same from the lake."""
    found = dict(frame.group_by("event_type").len().iter_rows())
    return {kind: int(found.get(kind, 0)) for kind in CLICK_TYPES}


def funnel(frame: pl.DataFrame) -> pl.DataFrame:
    """DataFrame[step: str, sessions: i64, of_all, of_previous: percent, lost: i64], five rows.

    Args: the clicks of whole sessions (`visits`). Only events with a session id count: shoppers who
    declined have none.
    """
    furthest = _furthest(frame)["step"]
    sessions = [int((furthest >= step).sum()) for step in range(len(STEPS))]
    before = [sessions[0], *sessions[:-1]]
    return pl.DataFrame(
        {
            "step": STEPS,
            "sessions": sessions,
            "of_all": [n * 100 / sessions[0] if sessions[0] else 0.0 for n in sessions],
            "of_previous": [
                n * 100 / was if was else 0.0 for n, was in zip(sessions, before, strict=True)
            ],
            "lost": [was - n for n, was in zip(sessions, before, strict=True)],
        },
        schema_overrides={"sessions": pl.Int64, "lost": pl.Int64},
    )


def funnel_by_day(frame: pl.DataFrame) -> pl.DataFrame:
    """DataFrame[day: date, one column of sessions per step: i64], the latest day first.

    A session is of the day on which it began (UTC), with all that it came to.
    """
    reached = [
        (pl.col("step") >= step).sum().cast(pl.Int64).alias(name) for step, name in enumerate(STEPS)
    ]
    return _furthest(frame).group_by("day").agg(reached).sort("day", descending=True)


def _furthest(frame: pl.DataFrame) -> pl.DataFrame:
    """DataFrame[session_id, day it began on: date, step: its furthest]."""
    step = pl.col("event_type").replace_strict(
        funnel_rules.REACHED, default=0, return_dtype=pl.Int64
    )
    return (
        frame.filter(pl.col("session_id").is_not_null())
        .group_by("session_id")
        .agg(pl.col("at").min().dt.date().alias("day"), step.max().alias("step"))
    )


def searches(frame: pl.DataFrame) -> pl.DataFrame:
    """DataFrame[query: str, a term, searches, without: i64 of these that found nothing, results:
    i64 of the last time], most first."""
    asked = frame.filter(pl.col("event_type") == SEARCHED, pl.col("query") != "").sort("at")
    term = pl.col("query").map_elements(term_of, return_dtype=pl.String)
    return (
        asked.with_columns(term)
        .filter(pl.col("query") != "")
        .group_by("query", maintain_order=True)
        .agg(
            pl.len().cast(pl.Int64).alias("searches"),
            (pl.col("results_count") == 0).sum().cast(pl.Int64).alias("without"),
            pl.col("results_count").last().alias("results"),
        )
        .sort(["searches", "query"], descending=[True, False])
    )


def searches_without(found: pl.DataFrame) -> pl.DataFrame:
    """Of `searches` those that found nothing: DataFrame[query, without: i64], most first; the same
    as the aggregates count."""
    vain = found.filter(pl.col("without") > 0).select("query", "without")
    return vain.sort(["without", "query"], descending=[True, False])


def devices(frame: pl.DataFrame) -> pl.DataFrame:
    """DataFrame[device: str, views: i64] of page views, most first."""
    return _ranked(frame, pl.col("device").fill_null("unknown").alias("device"))


def referrers(frame: pl.DataFrame) -> pl.DataFrame:
    """DataFrame[referrer: site, `inside the shop` or `direct`, views: i64], most first."""
    given = pl.col("referrer")
    host = given.str.extract(r"^[a-z]+://([^/:?#]+)", 1)
    named = (
        pl.when(given.is_null() | (given == ""))
        .then(pl.lit("direct"))
        .when(given.str.starts_with("/"))
        .then(pl.lit("inside the shop"))
        .otherwise(pl.coalesce(host, pl.lit("other")))
    )
    return _ranked(frame, named.alias("referrer"))


def _ranked(frame: pl.DataFrame, name: pl.Expr) -> pl.DataFrame:
    views = frame.filter(pl.col("event_type") == "shopper.page_viewed.v1")
    sums = views.group_by(name).agg(pl.len().cast(pl.Int64).alias("views"))
    return sums.sort(["views", sums.columns[0]], descending=[True, False])
