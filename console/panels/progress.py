"""How far the replay of the order history is, and how old the figures are."""

from datetime import datetime

import streamlit as st

from console import wording
from console.periods import Period, name_of_previous
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


def data_age(token: str, period: Period | None = None) -> None:
    """`As of 24 Nov 2026 15:03:21 UTC · newest event 4 s ago · …`, and what is compared."""
    fresh = sales.freshness(token)
    at = fresh.read_at
    words = [f"As of {at:%d %b %Y %H:%M:%S} UTC"]
    if fresh.newest_arrived_at:
        words.append(f"newest event {_ago(fresh.newest_arrived_at, at)}")
    else:
        words.append("no event yet")
    words.append("dates and hours in UTC")
    if period and period.previous:
        so_far = " so far" if period.until > at.date() else ""
        words.append(f"{period}{so_far}, changes against {name_of_previous(period)}")
    st.caption(" · ".join(words))


def _ago(then: datetime, at: datetime) -> str:
    return f"{wording.age((at - then).total_seconds())} ago"
