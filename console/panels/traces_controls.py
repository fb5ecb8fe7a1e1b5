"""What the Traces page is asked for; all of it lives in the address, so that a view can be sent."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import streamlit as st

from console.queries.replicas import SERVICES, ZONES
from console.traces.documents import FUNCTIONS
from console.traces.search import RETRIED, TRACE_ID, Search, around_id
from pipeline.runtime.clock import now

# Shown and in the address as they stand here: a bound widget writes what it shows.
_RANGES = {
    "15m": "of the last 15 minutes", "1h": "of the last hour", "6h": "of the last 6 hours",
    "24h": "of the last 24 hours",
}  # fmt: skip
_LENGTHS = {"15m": 15, "1h": 60, "6h": 360, "24h": 1440}
_OUTCOMES = ("ok", "4xx", "5xx", RETRIED)
_IDS = ("order_id", "correlation_id")
_ANY = ""


@dataclass(frozen=True, slots=True)
class View:
    """`node` of the map that traces must pass; `trace_id` is open, and compared with `other_id`.

    `is_moving` when the range ends now, and not at a moment that was chosen.
    """

    search: Search
    words: str
    node: str
    trace_id: str
    other_id: str
    is_moving: bool

    @property
    def minutes(self) -> float:
        return (self.search.until - self.search.since).total_seconds() / 60

    def brought_up_to_date(self) -> "View":
        """The same length of time up to now, where the range moves."""
        if not self.is_moving:
            return self
        until = _soon()
        length = self.search.until - self.search.since
        return replace(self, search=replace(self.search, since=until - length, until=until))


def choose() -> View:
    """`/traces?last=6h&service=checkout&outcome=5xx&min_ms=200`, `?order_id=…`, `?trace_id=…`.

    A window of its own is `?from=2026-11-24T16:00Z&to=2026-11-24T16:10Z`.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        last = st.segmented_control(
            "Range",
            list(_RANGES),
            default="1h",
            required=True,
            key="last",
            bind="query-params",
            label_visibility="collapsed",
        )
        st.text_input(
            "Order, correlation or trace id",
            key="asked-id",
            value=_asked_id(),
            placeholder="Order, correlation or trace id",
            label_visibility="collapsed",
            on_change=_ask_id,
            icon=":material/search:",
            width=330,
        )
        st.button("Refresh", icon=":material/refresh:", help="Look again, up to now")
    wanted, words = _filters(last or "1h")
    return View(
        wanted,
        words,
        st.query_params.get("node", ""),
        _trace_id("trace_id"),
        _trace_id("with"),
        is_moving=not any(st.query_params.get(name) for name in (*_IDS, "id", "from", "to")),
    )


def open_trace(trace_id: str) -> None:
    st.query_params["trace_id"] = trace_id


def close_trace() -> None:
    for name in ("trace_id", "with"):
        st.query_params.pop(name, None)


def keep(name: str, value: str) -> None:
    if value:
        st.query_params[name] = value
    else:
        st.query_params.pop(name, None)


def _filters(last: str) -> tuple[Search, str]:
    with st.grid(5, min_column_width=150, gap="small"):
        service = _choice("Service", "service", (*SERVICES, *FUNCTIONS))
        outcome = _choice("Answer", "outcome", _OUTCOMES)
        zone = _choice("Zone", "zone", ZONES)
        min_ms = st.number_input(
            "At least (ms)",
            min_value=0,
            value=None,
            key="min_ms",
            placeholder="any",
            bind="query-params",
        )
        route = st.text_input(
            "Route contains", key="route", placeholder="/api/checkout", bind="query-params"
        )
    since, until, words = _window(last)
    wanted = Search(since, until, service, outcome, float(min_ms or 0), (route or "").strip(), zone)
    for name in (*_IDS, "id"):
        if value := st.query_params.get(name, "").strip():
            field = "either_id" if name == "id" else name
            since, until = around_id(value) or (now() - timedelta(hours=24), now())
            until = min(until, _soon())
            known = replace(wanted, since=since, until=until, **{field: value})  # type: ignore[arg-type]  # the fields of this loop are text
            return known, f"with {name.replace('_', ' ')} {value}"
    return wanted, words


def _choice(label: str, key: str, options: tuple[str, ...]) -> str:
    chosen = st.selectbox(
        label,
        [_ANY, *options],
        format_func=lambda name: name or "any",
        key=key,
        bind="query-params",
    )
    return chosen or _ANY


def _window(last: str) -> tuple[datetime, datetime, str]:
    since, until = _moment("from"), _moment("to")
    if since and until and since < until:
        since = max(since, until - timedelta(hours=24))
        if st.button(f"{since:%d %b %H:%M} to {until:%H:%M} UTC", icon=":material/close:"):
            keep("from", "")
            keep("to", "")
            st.rerun()
        return since, until, f"from {since:%H:%M} to {until:%H:%M} UTC"
    until = _soon()
    return until - timedelta(minutes=_LENGTHS[last]), until, _RANGES[last]


def _soon() -> datetime:
    """Now, as the clock of a service that is a little ahead has it."""
    return now() + timedelta(seconds=5)


def _moment(name: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(st.query_params.get(name, ""))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _trace_id(name: str) -> str:
    value = st.query_params.get(name, "").strip()
    return value if TRACE_ID.match(value) else ""


def _asked_id() -> str:
    return next((v for name in (*_IDS, "id") if (v := st.query_params.get(name, ""))), "")


def _ask_id() -> None:
    asked = str(st.session_state["asked-id"] or "").strip()
    for name in (*_IDS, "id", "trace_id", "with"):
        st.query_params.pop(name, None)
    keep("trace_id" if TRACE_ID.match(asked) else "id", asked)
