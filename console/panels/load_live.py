"""A run as it goes, or as it went: key figures, charts, routes, the slowest requests."""

from typing import Any

import polars as pl
import streamlit as st

from console import actions, charts, charts_load, context, wording
from console.panels import load_actions, status
from console.queries import load
from console.queries.load import Head, Progress
from loadgen.verdict import objectives

_WINDOW_S = 10


def running(run_id: str) -> None:
    """The run that goes on, from its second newest to now."""
    head = load.find_run(run_id)
    progress = load.read_progress(run_id)
    if head is None or not progress.seconds:
        st.info("The load run is starting…", icon=":material/hourglass_top:")
        return
    plan = head["plan"]
    last = progress.seconds[-1]
    is_stopping = bool(head.get("stop_requested"))
    with st.container(border=True):
        with st.container(
            horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
        ):
            st.subheader(
                f"{str(plan['scenario']).capitalize()} is running, {load.describe(plan)}",
                anchor=False,
            )
            if st.button("Stop", icon=":material/stop:", key="load-stop", disabled=is_stopping):
                try:
                    load_actions.stop(context.person(), run_id)
                except actions.Refused as refusal:
                    st.warning(str(refusal), icon=":material/info:")
        st.progress(
            min(1.0, last["elapsed_s"] / plan["duration_s"]),
            text=f"{last['elapsed_s']:,} of {plan['duration_s']:,} s, started by `{plan['by']}`"
            + (" · stopping" if is_stopping else ""),
        )
        key_figures(progress)
    pictures(progress, "live")
    wide, narrow = st.columns([5, 3])
    with wide.container(border=True, height="stretch"):
        routes(progress.latest.get("routes", []))
    with narrow.container(border=True, height="stretch"):
        processes(progress.seconds[-_WINDOW_S:])
    slowest(progress.latest.get("slowest", []), progress.latest.get("faults", []))


def key_figures(progress: Progress) -> None:
    last, total = progress.seconds[-1], progress.latest["total"]
    recent = progress.seconds[-_WINDOW_S:]
    achieved, offered = (_mean(recent, name) for name in ("achieved", "offered"))
    failed = total["failures"] / total["requests"] if total["requests"] else 0.0
    with st.grid(4, min_column_width=130, gap="small"):
        st.metric("Users", f"{last['users']:,}", border=True)
        st.metric("Achieved /s", f"{achieved:,.1f}", border=True, help="Mean of the last 10 s.")
        st.metric("Offered /s", f"{offered:,.1f}", border=True, help="What the plan asks for.")
        for name in ("p50", "p95", "p99"):
            value = f"{last[f'{name}_ms']:,.0f} ms"
            st.metric(name, value, border=True, help="Answers of the last 10 s.")
        st.metric("Failed", f"{failed:.2%}", border=True, help=f"{total['failures']:,} so far.")
        st.metric("Host CPU", f"{_mean(recent, 'cpu'):.0f} %", border=True)


def pictures(progress: Progress, key: str) -> None:
    frame = load.thinned(progress.frame)
    aim_ms = objectives()[0]["within_ms"]
    last = progress.frame.tail(_WINDOW_S)
    with st.grid(2, min_column_width=340):
        with st.container(border=True, height="stretch"):
            share = float(last["achieved"].sum()) / max(float(last["offered"].sum()), 1e-9)
            st.subheader(f"{min(share, 1):.0%} of the offered rate is achieved", anchor=False)
            st.caption("Requests per second since the start, UTC seconds of the run")
            charts.show(charts_load.rate(frame), key=f"{key}-rate", alt="Offered and achieved rate")
        with st.container(border=True, height="stretch"):
            p95 = float(progress.latest["total"]["p95_ms"])
            word = "within" if p95 <= aim_ms else "beyond"
            st.subheader(f"p95 of {p95:,.0f} ms is {word} the objective", anchor=False)
            st.caption("Answer times in milliseconds over the last 10 s; the heading is all of it")
            charts.show(
                charts_load.times(frame, aim_ms), key=f"{key}-times", alt="Answer times p50 to p99"
            )
    with st.container(border=True):
        shares = load.shares(progress.seconds)
        st.subheader(_cpu_finding(progress.seconds), anchor=False)
        st.caption("Percent of all cores, each program with its children; the rest is other work")
        charts.show(
            charts_load.processor(shares, frame), key=f"{key}-cpu", alt="Processor by process"
        )
    st.download_button(
        "Seconds as CSV",
        lambda: progress.frame.write_csv(),
        "load-seconds.csv",
        "text/csv",
        key=f"{key}-csv",
        icon=":material/download:",
        on_click="ignore",
    )


def routes(rows: list[dict[str, Any]]) -> None:
    if not rows:
        st.caption("No request was answered.")
        return
    slow = max(rows, key=lambda row: float(row["p95_ms"]))
    st.subheader(f"Slowest route: {slow['route']}", anchor=False)
    st.caption("Times in milliseconds over the whole run")
    columns = ["Route", "Requests", "Failed", "p50", "p95", "p99"]
    names = ("requests", "failures", "p50_ms", "p95_ms", "p99_ms")
    cells = [[row["route"], *(f"{row[name]:,.0f}" for name in names)] for row in rows]
    status.table(columns, cells, right=(1, 2, 3, 4, 5))


def processes(seconds: list[dict[str, Any]]) -> None:
    names = {name for second in seconds for name in second["shares"]}
    means = {n: sum(s["shares"].get(n, 0.0) for s in seconds) / len(seconds) for n in names}
    _processes(dict(sorted(means.items(), key=lambda pair: -pair[1])))


def _processes(means: dict[str, float]) -> None:
    st.subheader("Who uses the processor", anchor=False)
    st.caption("Percent of all cores")
    if not means:
        st.caption("The shares of processes are not known here.")
        return
    status.table(
        ["Process", "Percent"], [[name, f"{value:.1f} %"] for name, value in means.items()], (1,)
    )


def slowest(slow: list[dict[str, Any]], faults: list[dict[str, Any]]) -> None:
    """Each with a way to its trace."""
    for title, entries in (("Latest failures", faults), ("Slowest requests", slow)):
        if not entries:
            continue
        with st.container(border=True):
            st.subheader(title, anchor=False)
            frame = pl.DataFrame(
                {
                    "route": [entry["route"] for entry in entries],
                    "ms": [float(entry["ms"]) for entry in entries],
                    "fault": [str(entry.get("fault") or "") for entry in entries],
                    "at": [str(entry["at"]) for entry in entries],
                    "trace": [f"/traces?correlation_id={e['correlation_id']}" for e in entries],
                }
            )
            st.dataframe(
                frame if any(frame["fault"]) else frame.drop("fault"),
                hide_index=True,
                height=min(38 + 35 * len(entries), 286),
                alt=title,
                column_config={
                    "route": st.column_config.TextColumn("Route", width=240),
                    "ms": st.column_config.NumberColumn("Took (ms)", format="localized"),
                    "fault": st.column_config.TextColumn("What went wrong"),
                    "at": st.column_config.TextColumn("At (UTC)"),
                    "trace": st.column_config.LinkColumn(
                        "Trace and logs", display_text=r"correlation_id=(.*)"
                    ),
                },
            )


def went(head: Head, progress: Progress) -> None:
    """The parts of a run that is over."""
    summary = head.get("summary") or {}
    if progress.seconds:
        pictures(progress, "past")
    wide, narrow = st.columns([5, 3])
    with wide.container(border=True, height="stretch"):
        routes(summary.get("routes") or progress.latest.get("routes", []))
    with narrow.container(border=True, height="stretch"):
        _processes(summary.get("shares") or {})
    slowest(
        summary.get("slowest") or progress.latest.get("slowest", []), summary.get("faults") or []
    )


def _cpu_finding(seconds: list[dict[str, Any]]) -> str:
    cpu = _mean(seconds, "cpu")
    own = sum(s["shares"].get("load generator", 0.0) for s in seconds) / len(seconds)
    shop = sum(sum(s["shares"].values()) for s in seconds) / len(seconds) - own
    return (
        f"The machine is {cpu:.0f} % busy: the shop takes {shop:.0f} %, "
        f"the load generator {own:.0f} %"
    )


def _mean(seconds: list[dict[str, Any]], name: str) -> float:
    return sum(float(second[name]) for second in seconds) / len(seconds)


def when(head: Head) -> str:
    at = wording.moment(head.get("started_at"))
    return f"{at:%d %b %H:%M:%S}" if at else ""
