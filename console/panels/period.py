"""The range and grain controls; their state lives in the address, so that a view can be sent."""

from datetime import date, timedelta

import streamlit as st

from console import context
from console.periods import EPOCH, PRESETS, Grain, Period, preset_period
from console.queries import edge, sales
from pipeline.runtime.clock import now

_GRAINS: dict[Grain, str] = {"hour": "Hour", "day": "Day", "month": "Month"}


def opening_range() -> str:
    """Chosen once a session: a default that changes under a person's hands confuses."""
    if "opening" not in st.session_state:
        try:
            chosen = sales.opening_preset(context.token(), now().date())
        except (edge.Unreachable, edge.Problem):
            return "28d"
        st.session_state["opening"] = chosen
    return str(st.session_state["opening"])


def choose_period(default: str) -> Period:
    """`?range=28d`, or `?range=custom&from=2011-11-01&to=2011-11-30` (both inclusive)."""
    preset = st.segmented_control(
        "Range",
        list(PRESETS),
        format_func=PRESETS.__getitem__,
        default=default,
        required=True,
        key="range",
        bind="query-params",
        label_visibility="collapsed",
        wrap=True,
    )
    today = now().date()
    if preset != "custom":
        return preset_period(preset or default, today)
    return _custom_period(today)


def choose_grain(period: Period) -> Grain:
    """`?grain=day`; a grain that does not suit the range falls back to its natural one."""
    grains = period.grains
    wanted = st.query_params.get("grain", "")
    natural = period.natural_grain if period.natural_grain in grains else grains[0]
    shown: Grain = next((grain for grain in grains if grain == wanted), natural)
    chosen = st.segmented_control(
        "Grain",
        grains,
        format_func=_GRAINS.__getitem__,
        default=shown,
        required=True,
        key=f"grain-{period.preset}-{period.days}",
        label_visibility="collapsed",
    )
    if chosen and chosen != natural:
        st.query_params["grain"] = chosen
    elif "grain" in st.query_params:
        del st.query_params["grain"]
    return chosen or shown


def _custom_period(today: date) -> Period:
    with st.container(horizontal=True, width="stretch"):
        first = st.date_input(
            "From (UTC)",
            today - timedelta(days=27),
            min_value=EPOCH,
            max_value=today,
            key="from",
            bind="query-params",
            format="YYYY-MM-DD",
            width=190,
        )
        last = st.date_input(
            "To, inclusive (UTC)",
            today,
            min_value=EPOCH,
            max_value=today,
            key="to",
            bind="query-params",
            format="YYYY-MM-DD",
            width=190,
        )
    start = first if isinstance(first, date) else today
    end = last if isinstance(last, date) else today
    if start > end:
        st.warning("The first day is after the last: showing them the other way round.")
        start, end = end, start
    return Period(start, end + timedelta(days=1))
