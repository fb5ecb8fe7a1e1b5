"""How far the replay of the order history is, and how old the figures are."""

from datetime import datetime

import streamlit as st

from console import masthead, wording
from console.queries import runs, sales
from console.queries.edge import Unreachable


def replay_banner() -> None:
    """Only while the order history is being replayed, or when that has stopped half-way."""
    try:
        replay = runs.find_replay()
    except Unreachable:
        return  # the figures stand without it; the System page says what is down
    if replay is None or not (replay.is_running or replay.is_silent):
        return
    with st.container(border=True, key="replay"):
        if replay.is_silent:
            st.warning(
                f"The replay of the order history stopped reporting after {replay.done:,} of "
                f"{replay.total:,} rows. Figures of the past are incomplete.",
                icon=":material/warning:",
            )
            return
        left = f", about {wording.age(replay.eta_s)} to go" if replay.eta_s else ""
        st.progress(
            replay.share,
            text=f"**Order history is being replayed:** {replay.done:,} of {replay.total:,} rows "
            f"({replay.share:.0%}), {replay.rows_per_s:,.0f} rows/s{left}. "
            "Figures of the past grow until it is done.",
        )


def say_age(token: str) -> None:
    """As of when the aggregates were read, and how old their newest event was then."""
    fresh = sales.freshness(token)
    newest = fresh.newest_arrived_at
    words = f"newest event {_ago(newest, fresh.read_at)}" if newest else "no event yet"
    masthead.say(fresh.read_at, words)


def _ago(then: datetime, at: datetime) -> str:
    return f"{wording.age((at - then).total_seconds())} ago"
