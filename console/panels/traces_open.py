"""One trace opened: its waterfall, the same as a table, its errors, and another beside it."""

from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import quote

import polars as pl
import streamlit as st

from console import charts, charts_traces, charts_waterfall, downloads, wording
from console.boundary import live
from console.panels import traces_controls
from console.panels.traces_controls import View
from console.queries import traces
from console.traces import analysis, waterfall
from console.traces.domain import Trace
from console.traces.search import Found, begun_at
from console.traces.waterfall import Row
from console.traces.words import clip, ms
from pipeline.runtime.clock import now

_KEPT = {"head": "kept by chance", "tail": "kept because it failed or was slow"}
# A service sends its part within 2 s; an order's last worker ends some seconds after its answer.
_GROWS_FOR = timedelta(minutes=2)
_LOOK_AGAIN_S = 4
_MANY = 30
_IN_TABLE = 150
_FAR = 4.0  # times the answer: then a scale for the answer alone is offered first


def show(view: View, others: Sequence[Found]) -> None:
    """Raises Unreachable."""
    trace = traces.find(view.trace_id)
    with st.container(border=True, key="open-trace"):
        if trace is None:
            _absent(view.trace_id)
            return
        _head(trace)
        rows = waterfall.rows(trace)
        with st.container(horizontal=True, vertical_alignment="center"):
            until_ms = _scale(trace, rows)
            shown = _shown(trace, rows)
        figure = charts_waterfall.draw(shown, until_ms)
        charts.show(figure, key="waterfall", alt=f"{_title(trace)}; the table holds the same")
        _errors(trace)
        _as_table(trace, rows)
        other_id = _choose_other(trace, others, view.other_id)
    if other_id and (other := traces.find(other_id)):
        _compare(trace, other)


def _absent(trace_id: str) -> None:
    may_arrive = _may_grow(trace_id)
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        title = "This trace has not arrived yet" if may_arrive else "X-Ray has no such trace"
        st.subheader(title, anchor=False)
        st.button("Close", icon=":material/close:", on_click=traces_controls.close_trace)
    if may_arrive:
        _follow(trace_id, None, "Its parts take a few seconds, and it may not have been kept")
    else:
        st.caption(f"`{trace_id}` was not kept, or has expired.")


def _may_grow(trace_id: str) -> bool:
    """Anybody can write an id that begins in a hundred years: nobody waits for that."""
    return abs(now() - begun_at(trace_id)) < _GROWS_FOR


def _follow(trace_id: str, drawn: Trace | None, why: str) -> None:
    """Draw the page anew when more of a young trace than `drawn` has arrived."""

    @live("What else arrives of this trace", run_every_s=_LOOK_AGAIN_S)
    def follow() -> None:
        st.caption(f"{why}: looked at again every {_LOOK_AGAIN_S} seconds.")
        latest = traces.find(trace_id)
        if _size(latest) != _size(drawn) or not _may_grow(trace_id):
            st.rerun()

    follow()


def _size(trace: Trace | None) -> tuple[int, bool]:
    return (len(trace.steps), trace.is_running) if trace else (0, True)


def _head(trace: Trace) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        st.subheader(_title(trace), anchor=False)
        st.button("Close", icon=":material/close:", on_click=traces_controls.close_trace)
    facts = [f"Started {wording.clock_time(trace.started_at)}", f"`{trace.trace_id}`"]
    if order_id := trace.annotation("order_id"):
        facts.append(f"order `{order_id}`")
    if why := _KEPT.get(trace.entry.segment.text("sampling")):
        facts.append(why)
    if trace.unreadable:
        facts.append(f"{trace.unreadable} records could not be read")
    if trace.is_running:
        facts.append("parts of it are still under way")
    st.caption(" · ".join(facts))
    if correlation_id := trace.annotation("correlation_id"):
        at = quote((trace.started_at + timedelta(minutes=5)).isoformat(timespec="seconds"))
        st.markdown(
            f"[Its log lines](/logs?correlation_id={quote(correlation_id)}&minutes=15&at={at})"
        )
    if _may_grow(trace.trace_id):
        _follow(trace.trace_id, trace, "Later steps may still be on their way")


def _title(trace: Trace) -> str:
    entry = trace.entry.segment
    what = entry.request or entry.label
    status = f" answered {entry.status}" if entry.status else ""
    later = ""
    if trace.path_ms > trace.response_ms * 1.05 + 1:
        later = f", the last step ended after {ms(trace.path_ms)}"
    return f"{what}{status} in {ms(trace.response_ms)}{later}"


def _scale(trace: Trace, rows: Sequence[Row]) -> float:
    """Where the axis ends: at the path's end, or just behind the answer."""
    whole = waterfall.natural_end_ms(rows)
    answer = trace.answer.offset_ms + trace.response_ms
    if whole < answer * _FAR:
        return whole
    chosen = st.segmented_control(
        "Scale",
        ["whole path", "answer"],
        default="whole path",
        required=True,
        key="scale",
        bind="query-params",
        label_visibility="collapsed",
    )
    return answer * 1.25 if chosen == "answer" else whole


def _shown(trace: Trace, rows: list[Row]) -> list[Row]:
    """All of them, or those that fit a screen or two."""
    if len(rows) <= _MANY:
        return rows
    with_calls = st.toggle(f"All {len(rows)} steps", key="calls", bind="query-params")
    return rows if with_calls else waterfall.rows(trace, with_calls=False)


def _errors(trace: Trace) -> None:
    for step in trace.faults[:5]:
        causes = "; ".join(step.segment.causes) or "no cause recorded"
        st.error(f"**{step.segment.label}** failed: {causes}", icon=":material/error:")


def _as_table(trace: Trace, rows: Sequence[Row]) -> None:
    frame = to_frame(rows)
    with st.expander("The same as a table", icon=":material/table_rows:"):
        st.markdown(_markdown(rows[:_IN_TABLE]))
        if len(rows) > _IN_TABLE:
            st.caption(f"The first {_IN_TABLE} steps; the file holds all.")
        downloads.csv(frame, f"trace-{trace.trace_id}")


def to_frame(rows: Sequence[Row]) -> pl.DataFrame:
    """DataFrame[step, depth, kind, offset_ms, duration_ms (null if unknown), own_ms, wait_ms, wait,
    failed, inferred, status, causes, note], a row a step in reading order."""
    return pl.DataFrame(
        [
            {
                "step": row.name, "depth": row.depth, "kind": row.kind,
                "offset_ms": row.offset_ms, "duration_ms": row.duration_ms, "own_ms": row.own_ms,
                "wait_ms": row.wait_ms, "wait": row.wait, "failed": row.is_fault,
                "inferred": row.is_inferred, "status": row.status,
                "causes": "; ".join(row.causes), "note": row.note,
            }
            for row in rows
        ],
        schema_overrides={"duration_ms": pl.Float64, "offset_ms": pl.Float64},
    )  # fmt: skip


def _markdown(rows: Sequence[Row]) -> str:
    """A real table, which a screen reader reads and a keyboard scrolls."""
    lines = ["| Step | Kind | From | Took | Own | Before it |", "|---|---|--:|--:|--:|---|"]
    for row in rows:
        name = "\u2003" * min(row.depth, 8) + row.name.replace("|", "\\|")
        wait = f"{ms(row.wait_ms)} {row.wait}" if row.wait else row.note.replace("|", "\\|")
        sign = "✗ " if row.is_fault else ""
        took = "not measured" if row.is_inferred else ms(row.duration_ms)
        lines.append(
            f"| {sign}{name} | {row.kind} | {row.offset_ms:,.1f} ms | {took} | {ms(row.own_ms)} "
            f"| {wait} |"
        )
    return "\n".join(lines)


def _choose_other(trace: Trace, others: Sequence[Found], other_id: str) -> str:
    route = trace.entry.segment.request
    alike = [each for each in others if each.trace_id != trace.trace_id]
    alike.sort(key=lambda each: each.route != route)
    labels: dict[str, str] = {}
    for each in alike:
        words = f"{each.at:%H:%M:%S} · {ms(each.duration_ms)} · {clip(each.route, 44)}"
        labels.setdefault(each.trace_id, words)
    if other_id:
        labels.setdefault(other_id, other_id)
    options = list(labels)
    chosen = st.selectbox(
        "Compare with",
        options,
        index=options.index(other_id) if other_id else None,
        format_func=labels.__getitem__,
        placeholder="another trace (the same request first)",
        key=f"other-of-{trace.trace_id}",
    )
    if (chosen or "") != other_id:
        traces_controls.keep("with", chosen or "")
    return chosen or ""


def _compare(left: Trace, right: Trace) -> None:
    found = analysis.compare(left, right)
    slower = right.path_ms - left.path_ms
    with st.container(border=True, key="compare"):
        biggest = max(found, key=lambda each: abs(each.change_ms))
        verb = "longer" if slower >= 0 else "shorter"
        st.subheader(
            f"The other took {ms(abs(slower))} {verb}; {biggest.place[-1]} differs most "
            f"({'+' if biggest.change_ms >= 0 else ''}{ms(biggest.change_ms)})",
            anchor=False,
        )
        st.caption("Steps aligned by the names on the way to them; repeated ones added up; in ms.")
        names = [f"this, {left.started_at:%H:%M:%S}", f"other, {right.started_at:%H:%M:%S}"]
        figure = charts_traces.differences(found[:40], *names)
        charts.show(figure, key="differences", alt="Time by step in both; the table holds the same")
        frame = pl.DataFrame(
            [
                ("\u2003" * (len(d.place) - 1) + d.place[-1], d.left_ms, d.right_ms,
                 d.change_ms, d.left_count, d.right_count)
                for d in found
            ],
            schema={"step": pl.String, "this_ms": pl.Float64, "other_ms": pl.Float64,
                    "change_ms": pl.Float64, "this_count": pl.Int64, "other_count": pl.Int64},
            orient="row",
        )  # fmt: skip
        st.dataframe(
            frame,
            hide_index=True,
            alt="Time by step in both traces, and the difference",
            column_config={
                "step": st.column_config.TextColumn("Step", width=300),
                "this_ms": st.column_config.NumberColumn("This (ms)", format="%.2f"),
                "other_ms": st.column_config.NumberColumn("Other (ms)", format="%.2f"),
                "change_ms": st.column_config.NumberColumn("Difference (ms)", format="%+.2f"),
                "this_count": "Times in this",
                "other_count": "Times in the other",
            },
        )
        downloads.csv(frame, "traces-compared")
