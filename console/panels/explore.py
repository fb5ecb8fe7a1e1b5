"""The Explore page's left side: the query, its run, its rows and the chart made of them."""

from collections.abc import Callable
from io import BytesIO
from typing import Any, Literal

import polars as pl
import streamlit as st

from console import audit, charts, charts_explore, context, downloads, masthead, wording
from console.boundary import boundary
from console.periods import Period
from console.queries import explore, explore_store
from console.queries.explore import Outcome, Request, Run
from console.queries.explore_examples import EXAMPLES
from pipeline.runtime.clock import now

_HISTORY = 30
_SHOWN_ROWS = 10_000
_STYLE = """<style>
.st-key-explore-form textarea {
  font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
  font-size: 0.86rem; line-height: 1.45; tab-size: 2;
}
</style>"""


def opening() -> None:
    """The text of the editor on arrival: a link's query, else the last draft, else an example."""
    linked = st.query_params.get("query", "")
    if linked and st.session_state.get("explore-linked") != linked:
        st.session_state["explore-linked"] = linked
        with boundary("The saved query"):
            saved = explore_store.find(linked)
            if saved is None:
                st.warning("There is no query behind this link; it may have been deleted.")
            else:
                put(saved.sql, saved.chart, saved.name)
    if "explore-text" not in st.session_state:
        put(EXAMPLES[0].sql, EXAMPLES[0].chart)
    elif _editor_key() not in st.session_state and "explore-draft" in st.session_state:
        # Back from another page, where Streamlit forgets the editor.
        st.session_state["explore-text"] = st.session_state["explore-draft"]


def put(sql: str, chart: dict[str, str], name: str = "") -> None:
    """Into the editor; may be called before the page's widgets, or from a callback."""
    st.session_state["explore-text"] = st.session_state["explore-draft"] = sql
    st.session_state["explore-chart"] = chart
    st.session_state["explore-name"] = name
    st.session_state["explore-builds"] = st.session_state.get("explore-builds", 0) + 1


def _editor_key() -> str:
    # A new editor for each new text, so that the text is its default: a value that is set from
    # here can get lost when a click meets the redraw after the sign-in.
    return f"explore-sql-{st.session_state.get('explore-builds', 0)}"


def editor(period: Period) -> None:
    st.html(_STYLE)
    with (
        st.container(key="explore-form"),
        st.form("explore", border=False, enter_to_submit=False),
    ):
        sql = st.text_area(
            "SQL (DuckDB's dialect)",
            st.session_state["explore-text"],
            key=_editor_key(),
            height=260,
            max_chars=explore.MAX_SQL,
            help="Ctrl+Enter runs it. Times are UTC, money is in minor units.",
        )
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            is_run = st.form_submit_button(
                "Run", type="primary", icon=":material/play_arrow:", shortcut="Ctrl+Enter"
            )
            rows = st.selectbox(
                "Rows at most", explore.ROW_LIMITS, index=1, width=130, format_func="{:,}".format
            )
            seconds = st.selectbox(
                "Seconds at most", explore.TIME_LIMITS_S, index=1, width=130
            )  # fmt: skip
    st.session_state["explore-draft"] = sql
    if is_run and not sql.strip():
        st.info("Write a query first, or take one of the examples.", icon=":material/info:")
    elif is_run:
        _start(Request(sql.strip(), period.first, period.until, rows, seconds))


def _start(request: Request) -> None:
    if (before := current()) and before.outcome is None:
        before.cancel()
    try:
        entry = explore_store.begin_audit(context.person(), request)
    except audit.Failed as failed:
        st.warning(str(failed), icon=":material/cloud_off:")
        return
    try:
        run = explore.start(request, lambda outcome: explore_store.end_audit(entry, outcome))
    except explore.Busy as busy:
        entry.end("refused", str(busy))
        st.warning(str(busy), icon=":material/hourglass:")
        return
    st.session_state["explore-run"] = run
    history: list[Run] = st.session_state.setdefault("explore-history", [])
    history.insert(0, run)
    for old in history[1:]:
        if old.outcome and old.outcome.frame is not None:
            old.outcome = _without_rows(old.outcome)
    del history[_HISTORY:]


def _without_rows(outcome: Outcome) -> Outcome:
    """What the history keeps: a session that runs all day must not hold all results."""
    return Outcome(outcome.kind, outcome.seconds, f"{outcome.frame.height:,} rows"
                   if outcome.frame is not None else outcome.message)  # fmt: skip


def current() -> Run | None:
    run = st.session_state.get("explore-run")
    return run if isinstance(run, Run) else None


def result() -> None:
    run = current()
    masthead.say(run.started_at if run else now(), "a query reads the lake as it is at its start")
    if run is None:
        st.caption("The rows, a chart and the downloads appear here.")
    elif run.outcome is None:
        _under_way()
    else:
        with boundary("The result"):
            _ended(run, run.outcome)


@st.fragment(run_every=0.4)
def _under_way() -> None:
    run = current()
    if run is None or run.outcome is not None:
        st.rerun()
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        limit = f" of at most {run.request.time_limit_s} s" if run.phase == "Running" else ""
        st.markdown(f":material/hourglass: {run.phase}… **{run.seconds:.1f} s**{limit}")
        if st.button("Cancel", icon=":material/stop:", key="explore-cancel"):
            run.cancel()


def _ended(run: Run, outcome: Outcome) -> None:
    if outcome.kind == "sql":
        st.error("DuckDB does not understand this, or cannot compute it:", icon=":material/error:")
        st.code(outcome.message[:4000], language=None)
    elif outcome.frame is None:
        icon = ":material/stop_circle:" if outcome.kind == "cancelled" else ":material/warning:"
        st.warning(_reason(run, outcome), icon=icon)
    else:
        _facts(run, outcome, outcome.frame)
        rows, chart = st.tabs(["Rows", "Chart"], key="explore-tabs")
        with rows, boundary("The rows"):
            _rows(outcome.frame)
        with chart, boundary("The chart"):
            _chart(outcome.frame)


def _reason(run: Run, outcome: Outcome) -> str:
    if outcome.kind == "timeout":
        return (
            f"{outcome.message} The page and the shop went on meanwhile. Choose a shorter range, "
            "aggregate earlier, or allow it more seconds. A join without a condition multiplies "
            "the rows of both sides."
        )
    if outcome.kind == "memory":
        return (
            f"It needed more than the {explore.memory_limit_mb()} MB a query may use, and was "
            "stopped. Sort or collect fewer rows: aggregate first, or add a LIMIT. A join without "
            "a condition multiplies the rows of both sides."
        )
    if outcome.kind == "lake":
        return f"The lake does not answer ({outcome.message})."
    if outcome.kind == "failed":
        return "The query ended unexpectedly; the reason is in the console's log."
    return f"{outcome.message} ({outcome.seconds:.1f} s)" if run else outcome.message


def _facts(run: Run, outcome: Outcome, frame: pl.DataFrame) -> None:
    facts = outcome.facts
    considered = sum(outcome.considered.values())
    words = [
        f"**{frame.height:,} row{'' if frame.height == 1 else 's'}**",
        f"{outcome.seconds:.2f} s, of which {facts['query_s']:.2f} s in DuckDB",
    ]
    if outcome.considered:
        words.append(f"over {considered:,} rows of {', '.join(outcome.considered)}")
        read = facts["bytes_read"]
        if read is not None:
            words.append(f"{wording.bytes_short(read)} scanned")
        loaded = facts["loaded_bytes"]
        words.append(
            f"{wording.bytes_short(loaded)} fetched from {facts['files']:,} files of the lake"
            if loaded
            else "fetched before, and nothing changed since"
        )
    st.caption(" · ".join(words))
    if outcome.is_cut:
        st.warning(
            f"Cut: the query gives more than these {frame.height:,} rows; the table, the chart and "
            "the downloads hold only them. Aggregate, filter, or add ORDER BY and LIMIT to choose "
            "which rows you get.",
            icon=":material/content_cut:",
        )


def _rows(frame: pl.DataFrame) -> None:
    if frame.is_empty():
        st.info("No rows: nothing in this range fits the query.", icon=":material/info:")
        return
    shown = frame.head(_SHOWN_ROWS).with_columns(
        pl.col(name).dt.replace_time_zone(None)
        for name, kind in frame.schema.items()
        if isinstance(kind, pl.Datetime)
    )
    st.dataframe(
        shown,
        hide_index=True,
        height=min(420, 40 + 35 * shown.height),
        alt="Rows of the query",
        column_config=date_columns(shown),
    )
    if frame.height > _SHOWN_ROWS:
        st.caption(f"The first {_SHOWN_ROWS:,} rows; the downloads hold all {frame.height:,}.")
    with st.container(horizontal=True):
        _download("CSV", frame.write_csv, "text/csv", "result.csv")
        _download("Parquet", lambda: _parquet(frame), "application/vnd.apache.parquet",
                  "result.parquet")  # fmt: skip


def date_columns(frame: pl.DataFrame) -> dict[Literal["_index"] | str, Any]:
    """Dates without an hour: what Streamlit gets as a date it shows as a time."""
    config = st.column_config.DateColumn(format="YYYY-MM-DD")
    return {name: config for name, kind in frame.schema.items() if kind == pl.Date}


def _chart(frame: pl.DataFrame) -> None:
    builds = st.session_state.get("explore-builds", 0)
    start = charts_explore.suggest(frame, st.session_state.get("explore-chart", {}))
    if start is None:
        st.info("A chart needs rows and a column of numbers.", icon=":material/info:")
        return
    spec = _choices(frame, start, f"{builds}-{'-'.join(frame.columns)[:200]}")
    st.session_state["explore-chart"] = spec.to_dict()
    drawn, note = charts_explore.aggregated(frame, spec)
    st.subheader(charts_explore.finding(drawn, spec), anchor=False)
    by = f" by {spec.colour}" if spec.colour else ""
    st.caption(f"{spec.y} over {spec.x}{by}; times in UTC. {note}")
    theme = "dark" if st.context.theme.type == "dark" else "light"
    figure = charts_explore.draw(drawn, spec, theme)
    charts.show(
        figure, key="explore-figure", alt=f"{spec.kind} chart of {spec.y} over {spec.x}{by}"
    )
    named = drawn.rename({"x": spec.x, "y": "value"}) if spec.x != "value" else drawn
    _download("Chart's CSV", named.write_csv, "text/csv", "chart.csv")


def _choices(frame: pl.DataFrame, start: charts_explore.Spec, key: str) -> charts_explore.Spec:
    columns, numbers = frame.columns, charts_explore.numeric(frame)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        kind = st.segmented_control(
            "Chart", charts_explore.KINDS, default=start.kind, required=True, key=f"kind-{key}",
            wrap=True,
        )  # fmt: skip
        x = _choose("Along", columns, start.x, f"x-{key}")
        y = _choose("Height", numbers, start.y, f"y-{key}")
        colour = _choose("Colour", ["", *columns], start.colour, f"colour-{key}")
        how = start.aggregation
        if kind != "Scatter":
            how = _choose("Together by", list(charts_explore.AGGREGATIONS), how, f"how-{key}")
    return charts_explore.Spec(kind or start.kind, x, y, colour, how)


def _choose(label: str, options: list[str], start: str, key: str) -> str:
    index = options.index(start) if start in options else 0
    return st.selectbox(
        label, options, index=index, key=key, width=150, format_func=lambda one: one or "none"
    )


def _download(label: str, make: Callable[[], str | bytes], mime: str, file: str) -> None:
    """The audit log tells which rows left: by the beginning of their query."""
    run = current()
    about = " ".join(run.request.sql.split())[:200] if run else ""
    downloads.button(label, make, file, mime, key=f"download-{file}", about=about)


def _parquet(frame: pl.DataFrame) -> bytes:
    sink = BytesIO()
    frame.write_parquet(sink)
    return sink.getvalue()
