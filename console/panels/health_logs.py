"""The log search: its form, whose state is the address, and what it finds."""

import json
from datetime import UTC, timedelta
from typing import Any
from urllib.parse import quote

import polars as pl
import streamlit as st
from botocore.exceptions import BotoCoreError, ClientError

from console import downloads, masthead, wording
from console.panels.health_choices import choose, keep
from console.queries import logs, replicas
from console.queries.edge import Unreachable
from console.queries.logs import Found, Line, Search
from pipeline.runtime.clock import now

_MINUTES = {"15": "15 min", "60": "1 h", "360": "6 h", "1440": "24 h"}
_FIELDS = {
    "correlation_id": "Correlation id",
    "order_id": "Order id",
    "trace_id": "Trace id",
    "text": "Text",
}
_ANY = "any"


def form() -> Search:
    """`?correlation_id=…&order_id=…&trace_id=…&text=…&level=…&service=…&minutes=…&at=…`.

    `at` (ISO, UTC) is the end of the time searched, for links that shall stay true.
    """
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        minutes = choose("Time", "minutes", list(_MINUTES), _MINUTES)
        words = {name: f"{name} and worse" for name in logs.LEVELS[1:-1]} | {"debug": "everything"}
        level = choose("Least level", "level", [*logs.LEVELS[1:], logs.LEVELS[0]], words)
    values: dict[str, str] = {}
    with st.grid(5, min_column_width=160, gap="small"):
        for name, label in _FIELDS.items():
            values[name] = st.text_input(
                label, st.query_params.get(name, ""), key=f"log-{name}", max_chars=200
            ).strip()
            keep(name, values[name])
        services = [_ANY, *replicas.SERVICES, *_others()]
        asked = st.query_params.get("service", _ANY)
        service = st.selectbox(
            "Service",
            services,
            index=services.index(asked) if asked in services else 0,
            key="log-service",
        )
        keep("service", service if service != _ANY else "")
    st.button("Search again", icon=":material/refresh:", key="log-again")
    end = wording.moment(st.query_params.get("at")) or now()
    return Search(
        start=end - timedelta(minutes=int(minutes)),
        end=end + timedelta(seconds=1),
        level=level,
        service="" if service == _ANY else service,
        **values,
    )


def results(wanted: Search) -> None:
    try:
        with st.spinner("Searching…", show_time=True):
            found = logs.search(wanted)
    except (BotoCoreError, ClientError) as error:
        raise Unreachable(f"CloudWatch Logs does not answer ({type(error).__name__}).") from None
    masthead.say(now(), "Search again looks for later lines")
    span = f"{wanted.start:%d %b %H:%M:%S} to {wanted.end:%d %b %H:%M:%S} UTC"
    _headline(found, span)
    if not found.lines:
        _empty(wanted)
        return
    frame = _frame(found.lines)
    chosen = st.dataframe(
        frame,
        hide_index=True,
        height=420,
        column_config=_columns(),
        on_select="rerun",
        selection_mode="single-row",
        key="log-lines",
        alt="Log lines, newest first",
    )
    downloads.csv(frame, "logs")
    rows = chosen["selection"]["rows"] if chosen else []
    if rows and rows[0] < len(found.lines):
        _detail(found.lines[rows[0]])
    else:
        st.caption("Choose a line to see all of it, and where it leads.")


def _headline(found: Found, span: str) -> None:
    count = len(found.lines)
    errors = sum(line.level in ("error", "critical") for line in found.lines)
    words = f"{count:,} line{'s' if count != 1 else ''}, {errors:,} of them errors"
    st.subheader(words if count else "No line", anchor=False)
    more = " · only the newest are shown: narrow the search for older ones" if found.is_more else ""
    st.caption(f"Newest first, {span}{more}")
    if found.silent:
        st.warning(
            f"Not every line of {', '.join(found.silent)} could be read: there are too many. "
            "Search by an id, or a shorter time.",
            icon=":material/filter_alt:",
        )


def _empty(wanted: Search) -> None:
    if not logs.groups():
        st.info("No log group exists yet; services create theirs when they first write.")
    else:
        what = "with these words " if wanted.needles else ""
        st.info(f"Nothing {what}in this time. Try a longer time or a lower level.")


def _detail(line: Line) -> None:
    with st.container(border=True):
        st.subheader(f"{line.event or 'A line'} in {line.service}", anchor=False)
        st.caption(f"{line.at:%d %b %Y %H:%M:%S.%f}"[:-3] + " UTC")
        links = []
        if line.trace_id:
            links.append(f"[The trace](/traces?trace_id={quote(line.trace_id)})")
        at = quote((line.at + timedelta(minutes=5)).astimezone(UTC).isoformat(timespec="seconds"))
        for name in ("correlation_id", "order_id"):
            if value := getattr(line, name):
                label = "request" if name == "correlation_id" else "order"
                target = f"/logs?{name}={quote(value)}&minutes=60&at={at}"
                links.append(f"[All lines of this {label}]({target})")
        if links:
            st.markdown(" · ".join(links))
        st.code(
            json.dumps(line.body, indent=2, ensure_ascii=False), language="json", wrap_lines=True
        )


def _frame(lines: list[Line]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "at": [line.at for line in lines],
            "level": [line.level for line in lines],
            "service": [line.service for line in lines],
            "event": [line.event for line in lines],
            "facts": [_facts(line) for line in lines],
            "correlation_id": [line.correlation_id for line in lines],
            "trace_id": [line.trace_id for line in lines],
        },
        schema_overrides={"at": pl.Datetime("ms", "UTC")},
    )


def _facts(line: Line) -> str:
    known = {"event", "message", "level", "timestamp", "service", "correlation_id", "trace_id"}
    rest = {k: v for k, v in line.body.items() if k not in known and v not in (None, "")}
    return " ".join(f"{key}={value}" for key, value in rest.items())[:400]


def _columns() -> dict[str, Any]:
    return {
        "at": st.column_config.DatetimeColumn(
            "When (UTC)", format="YYYY-MM-DD HH:mm:ss.SSS", width="medium", timezone="UTC"
        ),
        "level": st.column_config.TextColumn("Level", width="small"),
        "service": st.column_config.TextColumn("Service", width="small"),
        "event": st.column_config.TextColumn("Event", width="medium"),
        "facts": st.column_config.TextColumn("Facts", width="large"),
        "correlation_id": st.column_config.TextColumn("Correlation id"),
        "trace_id": st.column_config.TextColumn("Trace id"),
    }


def _others() -> list[str]:
    """Functions and the like that have a log group; none while CloudWatch Logs is silent."""
    try:
        names = {logs.service_of(group) for group in logs.groups()}
    except (BotoCoreError, ClientError):
        return []
    return sorted(names - set(replicas.SERVICES))
