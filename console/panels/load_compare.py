"""Two load runs beside each other: their figures, and their courses laid over one another."""

from typing import Any

import polars as pl
import streamlit as st

from console import charts, charts_load, downloads
from console.panels import status
from console.queries import load
from console.queries.load import Head

# name in a summary, label, unit, whether less is better
_COMPARED = (
    ("requests", "Requests", "", False),
    ("achieved_per_s", "Achieved /s", "", False),
    ("offered_per_s", "Offered /s", "", False),
    ("p50_ms", "p50", " ms", True),
    ("p95_ms", "p95", " ms", True),
    ("p99_ms", "p99", " ms", True),
    ("failures", "Failed", "", True),
    ("users_max", "Users at most", "", False),
    ("cpu_mean", "Host CPU", " %", True),
)


def show(head: Head, other: Head, labels: tuple[str, str]) -> None:
    """A table of figures and two overlaid charts; `labels` name the runs."""
    first, second = ((h.get("summary") or {}) for h in (head, other))
    rows = []
    for name, label, unit, is_less_better in _COMPARED:
        now, then = first.get(name), second.get(name)
        rows.append(
            [label, _figure(now, unit), _figure(then, unit), _change(now, then, is_less_better)]
        )
    with st.container(border=True):
        st.subheader(_finding(first, second), anchor=False)
        status.table(["Figure", labels[0], labels[1], "Change"], rows, right=(1, 2, 3))
    frames: dict[str, pl.DataFrame] = {}
    for label, run in zip(labels, (head, other), strict=True):
        frames[label] = load.thinned(load.read_progress(str(run["run_id"])).frame)
    with st.grid(2, min_column_width=340):
        for column, title, unit in (
            ("achieved", "Requests per second achieved", "/s"),
            ("p95_ms", "p95 of the last 10 s", " ms"),
        ):
            with st.container(border=True, height="stretch"):
                st.subheader(title, anchor=False)
                st.caption("Seconds since each run's start")
                charts.show(
                    charts_load.overlay(frames, column, unit), key=f"over-{column}", alt=title
                )
    both = pl.concat(
        frame.with_columns(pl.lit(label).alias("run")) for label, frame in frames.items()
    )
    downloads.csv(both, "load-compared", label="Both as CSV")


def _finding(first: dict[str, Any], second: dict[str, Any]) -> str:
    now, then = first.get("p95_ms"), second.get("p95_ms")
    if not now or not then:
        return "One of the two gave no figures"
    if abs(now - then) / then < 0.05:
        return f"p95 is the same, {now:,.0f} ms"
    return (
        f"p95 is {abs(now / then - 1):.0%} {'lower' if now < then else 'higher'} than in the other"
    )


def _figure(value: Any, unit: str) -> str:
    return "–" if value is None else f"{value:,.10g}{unit}"


def _change(now: Any, then: Any, is_less_better: bool) -> str:
    if now is None or not then or now == then:
        return ""
    change = (now - then) / then
    word = status.quiet
    if is_less_better and abs(change) >= 0.05:
        word = status.good if change < 0 else status.warn
    return word(f"{change:+.0%}")
