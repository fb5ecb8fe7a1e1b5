"""A run as it goes, or as it went: key figures, charts, routes, the slowest requests."""

from datetime import timedelta
from typing import Any

import streamlit as st

from console import audit, charts, charts_load, context, downloads, wording
from console.panels import load_actions, status
from console.queries import load
from console.queries.load import Head, Progress
from loadgen import lease
from loadgen.verdict import objectives

_WINDOW_S = 10
_SILENT_S = 4
_LISTED = 10


def running(run_id: str) -> None:
    """The run that goes on: how far it is, its latest figures, the way to stop it."""
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
                    st.rerun(scope="fragment")
                except audit.Refused as refusal:
                    st.warning(str(refusal), icon=":material/info:")
        st.progress(
            min(1.0, last["elapsed_s"] / plan["duration_s"]),
            text=f"{last['elapsed_s']:,} of {plan['duration_s']:,} s, started by `{plan['by']}`"
            + (" · stopping" if is_stopping else ""),
        )
        if (silent_s := load.silent_s(progress)) > _SILENT_S:
            st.warning(
                f"Nothing has come from this run for {silent_s:,.0f} s. If its process died, it "
                f"counts as lost, and another can start, {lease.TTL_S} s after it fell silent.",
                icon=":material/heart_broken:",
            )
        key_figures(progress)


def course(run_id: str) -> None:
    """Its charts and tables, from its first second to now; nothing before there is one."""
    head = load.find_run(run_id)
    progress = load.read_progress(run_id)
    if head is None or not progress.seconds:
        return
    pictures(progress, "live")
    wide, narrow = st.columns([5, 3])
    with wide.container(border=True, height="stretch"):
        routes(progress.latest.get("routes", []))
    with narrow.container(border=True, height="stretch"):
        processes(progress.seconds[-_WINDOW_S:])
    slowest(progress.latest.get("slowest", []), progress.latest.get("faults", []))
    _all_slow(head)


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
            st.caption("Requests per second, by seconds since the start")
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
    downloads.csv(progress.frame, "load-seconds", label="Seconds as CSV", key=f"{key}-csv")


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
    """Each with a way to its trace, where the shop has kept it, and to its log lines."""
    for title, entries in (("Latest failures", faults), ("Slowest requests", slow)):
        if not entries:
            continue
        # Below the first ten, those that can be looked into.
        shown = entries[:_LISTED] + [e for e in entries[_LISTED:] if e.get("is_kept")]
        with st.container(border=True):
            st.subheader(title, anchor=False)
            st.caption("Traces are kept of a sample, and of what failed or was slow in the shop")
            columns = ["Route", "Took (ms)", "At (UTC)", "Trace", "Log lines"]
            rows = [
                [e["route"], f"{e['ms']:,.0f}", _clock(e), _trace_link(e), _logs_link(e)]
                for e in shown
            ]
            if title == "Latest failures":
                columns.insert(1, "What went wrong")
                for row, entry in zip(rows, shown, strict=True):
                    row.insert(1, str(entry["fault"]).replace("|", "/"))
            status.table(columns, rows, right=(columns.index("Took (ms)"),))


def _trace_link(entry: dict[str, Any]) -> str:
    if not entry.get("is_kept") and not entry["fault"]:
        return "not kept"
    return f"[Trace](/traces?trace_id={entry['trace_id']})" if entry.get("trace_id") else ""


def _logs_link(entry: dict[str, Any]) -> str:
    """The quarter of an hour that ends soon after it: the link stays true."""
    at = wording.moment(entry["at"])
    if at is None:
        return ""
    end = at + timedelta(minutes=2)
    return (
        f"[Logs](/logs?correlation_id={entry['correlation_id']}&minutes=15"
        f"&at={end:%Y-%m-%dT%H:%M:%SZ})"
    )


def _clock(entry: dict[str, Any]) -> str:
    at = wording.moment(entry["at"])
    return f"{at:%H:%M:%S}" if at else ""


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
    _all_slow(head)


def _all_slow(head: Head) -> None:
    """A way to every kept request of the time of a run that was slower than the objective."""
    began = wording.moment(head.get("started_at"))
    if began is None:
        return
    ended = wording.moment(head.get("ended_at")) or began + timedelta(
        seconds=int(head["plan"]["duration_s"]) + 60
    )
    limit_ms = objectives()[0]["within_ms"]
    span = f"from={began:%Y-%m-%dT%H:%M:%SZ}&to={ended:%Y-%m-%dT%H:%M:%SZ}"
    st.markdown(
        f"[Every kept request of this time above {limit_ms:.0f} ms](/traces?{span}"
        f"&min_ms={limit_ms:.0f})"
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


def label(head: Head) -> str:
    return f"{when(head)} · {head['plan']['scenario']}, {load.describe(head['plan'])}"
