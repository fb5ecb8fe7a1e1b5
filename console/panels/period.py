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


def choose_period(opening: str) -> Period:
    """`?range=28d`, or `?range=custom&from=2011-11-01&to=2011-11-30` (both inclusive).

    Args: `opening` is the preset shown when the address names none, or one that is unknown.
    """
    asked = st.query_params.get("range", "")
    preset = st.segmented_control(
        "Range",
        list(PRESETS),
        format_func=PRESETS.__getitem__,
        default=asked if asked in PRESETS else opening,
        required=True,
        key="chosen-range",
        label_visibility="collapsed",
        wrap=True,
    )
    preset = preset or opening
    _keep("range", preset if asked or preset != opening else "")
    today = now().date()
    if preset != "custom":
        _keep("from", "")
        _keep("to", "")
        return preset_period(preset, today)
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
        key=f"chosen-grain-{period.preset}-{period.days}",
        label_visibility="collapsed",
    )
    _keep("grain", chosen if chosen and chosen != natural else "")
    return chosen or shown


def _custom_period(today: date) -> Period:
    with st.container(horizontal=True, width="stretch"):
        first = _choose_day("From (UTC)", "from", today - timedelta(days=27), today)
        last = _choose_day("To, inclusive (UTC)", "to", today, today)
    if first > last:
        st.warning("The first day is after the last: showing them the other way round.")
        first, last = last, first
    return Period(first, last + timedelta(days=1))


def _choose_day(label: str, name: str, otherwise: date, today: date) -> date:
    try:
        shown = date.fromisoformat(st.query_params.get(name, ""))
    except ValueError:
        shown = otherwise
    chosen = st.date_input(
        label,
        min(max(shown, EPOCH), today),
        min_value=EPOCH,
        max_value=today,
        key=f"chosen-{name}",
        format="YYYY-MM-DD",
        width=190,
    )
    day = chosen if isinstance(chosen, date) else shown
    _keep(name, day.isoformat())
    return day


def _keep(name: str, value: str) -> None:
    """Write a fact to the address only when it changes: each write is a message to the page."""
    if value and st.query_params.get(name) != value:
        st.query_params[name] = value
    elif not value and name in st.query_params:
        del st.query_params[name]
