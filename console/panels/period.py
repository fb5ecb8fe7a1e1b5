"""The controls of range, grain, comparison and filter.

Their state lives in the address, so that a view can be sent.
"""

from datetime import date, timedelta

import streamlit as st

from console import context
from console.periods import EPOCH, PRESETS, Grain, Period, name_of_previous, preset_period
from console.queries import edge, sales
from console.queries.report import Filter
from pipeline.runtime.clock import now

_COMPARISONS = {"previous": "Previous period", "year": "Last year", "none": "No comparison"}
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


def choose_comparison(period: Period) -> tuple[Period | None, str]:
    """`?compare=year` or `?compare=none`; (what to compare with, its name)."""
    if period.preset == "all":
        return None, ""
    asked = st.query_params.get("compare", "")
    chosen = st.segmented_control(
        "Compare with",
        list(_COMPARISONS),
        format_func=_COMPARISONS.__getitem__,
        default=asked if asked in _COMPARISONS else "previous",
        required=True,
        key="chosen-compare",
        label_visibility="collapsed",
    )
    _keep("compare", "" if chosen == "previous" else str(chosen or ""))
    if chosen == "year":
        return period.year_before, "the same dates last year"
    return (None, "") if chosen == "none" else (period.previous, name_of_previous(period))


def choose_currency(token: str, period: Period, grain: Grain, usual: str) -> str:
    """A switch only when there is more than one: they are never added."""
    try:
        totals, _ = sales.sales(token, period, grain)
    except (edge.Unreachable, edge.Problem):
        return usual
    currencies = sorted(totals) or [usual]
    if len(currencies) == 1:
        return currencies[0]
    chosen = st.segmented_control(
        "Currency", currencies, default=currencies[0], required=True, key="chosen-currency"
    )
    return chosen or currencies[0]


def choose_filter(options: dict[str, list[str]]) -> Filter:
    """`?country=France&category=Clocks`; a mark clicked in a chart writes there too."""
    for name, label in (("country", "All countries"), ("category", "All categories")):
        current = st.query_params.get(name) or None
        shown = sorted({*options[name], *([current] if current else [])})
        chosen = st.selectbox(
            name.capitalize(),
            shown,
            index=shown.index(current) if current else None,
            placeholder=label,
            key=f"chosen-{name}-{current}",
            label_visibility="collapsed",
            width=210,
        )
        if chosen != current:
            _keep(name, chosen or "")
            st.rerun()
    only = Filter(st.query_params.get("country"), st.query_params.get("category"))
    if only != Filter():
        st.button("Clear filter", icon=":material/filter_alt_off:", type="tertiary",
                  on_click=_clear_filter)  # fmt: skip
    return only


def _clear_filter() -> None:
    for name in ("country", "category"):
        _keep(name, "")


def pick_bucket(start: str, grain: Grain) -> None:
    """A month or a day of the curve was clicked: narrow the range to it."""
    first = date.fromisoformat(start[:10])
    last = _last_of_month(first) if grain == "month" else first
    st.session_state["range-before"] = dict(st.query_params)
    _show_days(first, min(last, now().date()))


def way_back() -> None:
    """The range that was looked at before a click narrowed it."""
    before = st.session_state.get("range-before")
    if before is not None:
        st.button("Back to the whole range", icon=":material/undo:", type="tertiary",
                  on_click=_go_back)  # fmt: skip


def _go_back() -> None:
    before = st.session_state.pop("range-before", {})
    if before.get("range") == "custom":
        _show_days(date.fromisoformat(before["from"]), date.fromisoformat(before["to"]))
        return
    for name in ("range", "from", "to"):
        _keep(name, "")
    _keep("range", before.get("range", ""))
    st.session_state["chosen-range"] = before.get("range") or opening_range()


def _show_days(first: date, last: date) -> None:
    """In a callback only: the widgets of this run take these values."""
    for name, day in (("from", first), ("to", last)):
        _keep(name, day.isoformat())
        st.session_state[f"chosen-{name}"] = day
    _keep("range", "custom")
    _keep("grain", "")
    st.session_state["chosen-range"] = "custom"
    st.session_state["picked"] = True


def _last_of_month(first: date) -> date:
    return (first.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)


def pick(name: str, value: str) -> None:
    """A mark was clicked: narrow to it, or widen again when it is what is shown."""
    _keep(name, "" if st.query_params.get(name) == value else value)
    st.session_state["picked"] = True


def follow_pick() -> None:
    """Inside a live part: draw the whole page again after a click, its controls included."""
    if st.session_state.pop("picked", False):
        st.rerun()


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
