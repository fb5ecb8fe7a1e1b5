"""The Traces page's lists: what was found, over time and as a table, and where its time went."""

from collections.abc import Sequence
from typing import Any

import polars as pl
import streamlit as st

from console import charts, charts_traces, downloads, masthead
from console.panels import traces_controls
from console.panels.traces_controls import View
from console.queries import traces
from console.traces import analysis, service_map
from console.traces.domain import Trace
from console.traces.search import Findings, Found
from console.traces.words import ms
from pipeline.runtime.clock import now

_BARS = 10


def look(view: View) -> Findings:
    """What matches, and passes the map's chosen node. Raises Unreachable."""
    findings = traces.search(view.search)
    if not view.node:
        return findings
    read = traces.read(found.trace_id for found in findings.found)
    kept = tuple(
        found
        for found in findings.found
        if (trace := read.get(found.trace_id)) and service_map.passes(trace, view.node)
    )
    return Findings(kept, findings.looked_from, findings.is_whole, findings.source)


def headline(view: View, findings: Findings, read: Sequence[Trace]) -> None:
    found = findings.found
    where = f" through {view.node}" if view.node else ""
    if not found:
        st.header(f"No request kept{where} {view.words}", anchor=False)
        return
    failed = sum(each.outcome == "5xx" for each in found)
    behind = sum(bool(trace.faults) and trace.outcome != "5xx" for trace in read)
    slow = analysis.percentile([each.duration_ms for each in found], 95)
    what = f"{len(found):,} request{'s' if len(found) > 1 else ''}{where}"
    failing = f"{failed:,} failed" if failed else "none failed"
    if behind:
        failing += f", {behind:,} with a failed step behind the answer"
    st.header(f"{what} {view.words}: {failing}; p95 {ms(slow)}", anchor=False)


def provenance(findings: Findings) -> None:
    """As of when, how far back, and what a sample is."""
    masthead.say(now(), "Refresh looks again")
    words = ""
    if len(findings.found) >= traces.LIMIT:
        words = f"The newest {traces.LIMIT}, back to {findings.found[-1].at:%H:%M:%S} UTC. "
    elif not findings.is_whole:
        words = f"Looked back to {findings.looked_from:%H:%M:%S} UTC. "
    st.caption(
        f"{words}Kept are a sample of all requests, and each that failed or was slow: so shares "
        "here are of what was kept, not of all traffic."
    )


def found_over_time(findings: Findings) -> None:
    slowest = max(findings.found, key=lambda each: each.duration_ms)
    with st.container(border=True, height="stretch"):
        st.subheader(f"The slowest took {ms(slowest.duration_ms)}: {slowest.route}", anchor=False)
        st.caption("Duration of the answer by start, UTC; logarithmic. Choose a point to open it.")
        state = st.plotly_chart(
            charts_traces.scatter(findings.found),
            key=f"trace-scatter-{_nonce()}",
            on_select="rerun",
            selection_mode="points",
            config=charts.CONFIG,
            alt=f"Duration by start of {len(findings.found)} requests; the table holds the same",
        )
    points = state.selection.points
    if points:
        _open(str(points[0]["customdata"][0]))


def found_as_table(findings: Findings, read: Sequence[Trace]) -> None:
    frame = to_frame(findings.found, read)
    slowest = max(found.duration_ms for found in findings.found)
    with st.container(border=True):
        st.subheader("Requests, newest first", anchor=False)
        st.caption("Choose a row to open its trace. Times in UTC.")
        state = st.dataframe(
            frame,
            hide_index=True,
            height=min(38 + 35 * frame.height, 390),
            key=f"trace-table-{_nonce()}",
            on_select="rerun",
            selection_mode="single-row",
            column_order=(
                "at",
                "route",
                "status",
                "duration_ms",
                "failed",
                "service",
                "zone",
                "order_id",
            ),
            column_config={
                "at": st.column_config.DatetimeColumn("Start", format="HH:mm:ss.SSS", width=110),
                "route": st.column_config.TextColumn("Request", width=290),
                "status": st.column_config.NumberColumn("Status", width=70),
                "duration_ms": st.column_config.ProgressColumn(
                    "Duration (ms)",
                    format="%.1f",
                    min_value=0,
                    max_value=max(slowest, 1.0),
                ),
                "failed": st.column_config.TextColumn("Failed steps", width=120),
                "service": st.column_config.TextColumn("Service"),
                "zone": st.column_config.TextColumn("Zone", width=60),
                "order_id": st.column_config.TextColumn("Order"),
            },
            alt="The found requests",
        )
        downloads.csv(frame, "traces")
    if rows := state.selection.rows:
        _open(frame["trace_id"][rows[0]])


def where_time_goes(read: Sequence[Trace]) -> None:
    with st.container(border=True, height="stretch"):
        head = st.container()  # above the switch that decides what it says
        with_waits = st.toggle(
            "With the waits between the steps",
            key="waits",
            bind="query-params",
            help="Time in queues and streams, which no machine spends.",
        )
        found = analysis.shares(read, with_waits=with_waits)
        if not found:
            head.subheader("No time to share out", anchor=False)
            return
        top = found[0]
        name = f"{top.name} in {top.where}" if top.where else top.name
        head.subheader(f"{top.share:.0f} % of the time goes to {name}", anchor=False)
        head.caption(
            f"Own time by step over {len(read)} traces: without what the steps inside it took. "
            "In ms, and percent of all."
        )
        figure = charts_traces.time_shares(found[:_BARS])
        charts.show(figure, key="time-shares", alt="Own time by step; the file holds all of them")
        frame = pl.DataFrame(
            [(s.name, s.where, s.kind, s.count, s.own_ms, s.share, s.p95_ms) for s in found],
            schema=["step", "inside", "kind", "count", "own_ms", "share_percent", "own_ms_p95"],
            orient="row",
        )
        downloads.csv(frame, "where-time-goes")


def nothing_found(view: View) -> None:
    st.caption(
        "Take a longer range or fewer filters. A request is kept by chance, or because it failed "
        "or was slow; it is found here a few seconds after it ended."
    )
    if view.node:
        st.button("All nodes", on_click=traces_controls.keep, args=("node", ""))


def to_frame(found: Sequence[Found], read: Sequence[Trace]) -> pl.DataFrame:
    """DataFrame[at: UTC, route, status, duration_ms, failed (steps of its trace), service, zone,
    order_id, correlation_id, trace_id], in the order given."""
    columns: dict[str, Any] = {
        "at": pl.Datetime("ms", "UTC"), "route": pl.String, "status": pl.Int64,
        "duration_ms": pl.Float64, "service": pl.String, "zone": pl.String, "order_id": pl.String,
        "correlation_id": pl.String, "trace_id": pl.String,
    }  # fmt: skip
    frame = pl.DataFrame(
        [{name: getattr(each, name) for name in columns} for each in found], schema=columns
    )
    failed = {t.trace_id: ", ".join(dict.fromkeys(s.segment.label for s in t.faults)) for t in read}
    words = [failed.get(each.trace_id, "") for each in found]
    return frame.with_columns(failed=pl.Series(words, dtype=pl.String))


def _nonce() -> int:
    """Part of a selectable's key, so that a choice opens a trace once."""
    return int(st.session_state.get("traces-opened", 0))


def _open(trace_id: str) -> None:
    st.session_state["traces-opened"] = _nonce() + 1
    traces_controls.open_trace(trace_id)
    st.rerun()
