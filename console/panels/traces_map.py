"""The service map of a range, and the choice of one of its nodes."""

from collections.abc import Sequence
from datetime import timedelta

import polars as pl
import streamlit as st

from console import charts_traces_map, downloads
from console.panels import traces_controls
from console.panels.traces_controls import View
from console.traces import service_map
from console.traces.domain import Trace
from console.traces.service_map import ServiceMap
from console.traces.words import ms

_SMALL = 5  # nodes; a map of them need not be drawn large
# A map too wide for its place is scrolled, not shrunk until nobody can read it.
_STYLE = """<style>
.st-key-service-map-wide [data-testid="stGraphVizChart"] { overflow-x: auto; max-width: 100%; }
.st-key-service-map-wide [data-testid="stGraphVizChart"] svg {
  min-width: 1100px; height: auto;
}
</style>"""


def show(view: View, read: Sequence[Trace]) -> None:
    drawn = service_map.draw(read)
    with st.container(border=True, key="service-map"):
        st.subheader(_finding(drawn), anchor=False)
        minutes = _minutes(read)
        st.caption(
            f"From {drawn.traces} kept traces over {minutes:,.0f} min: calls a minute, the 95th "
            "percentile, failures. Dashed arrows are asynchronous; dashed boxes are inferred, as "
            "they keep no record of their own."
        )
        dot = charts_traces_map.to_dot(drawn, minutes, view.node)
        st.html(_STYLE)
        is_small = len(drawn.nodes) <= _SMALL
        with st.container(key="service-map-small" if is_small else "service-map-wide"):
            st.graphviz_chart(dot, width="content" if is_small else "stretch", alt=_words(drawn))
        names = [node.name for node in drawn.nodes if not node.is_inferred]
        if view.node and view.node not in names:
            names.append(view.node)
        st.pills(
            "Only traces through",
            names,
            default=view.node or None,
            key=f"node-{view.node}",
            on_change=_pick,
            args=(f"node-{view.node}",),
        )
        downloads.csv(to_frame(drawn), "service-map")


def to_frame(drawn: ServiceMap) -> pl.DataFrame:
    """DataFrame[from, to, calls, failed, p95_ms (null if not measured), asynchronous]."""
    rows = [
        (e.source, e.target, e.numbers.count, e.numbers.errors, e.numbers.p95_ms, e.is_asynchronous)
        for e in drawn.edges
    ]
    names = {"from": pl.String, "to": pl.String, "calls": pl.Int64, "failed": pl.Int64,
             "p95_ms": pl.Float64, "asynchronous": pl.Boolean}  # fmt: skip
    return pl.DataFrame(rows, schema=names, orient="row")


def _finding(drawn: ServiceMap) -> str:
    failing = [node for node in drawn.nodes if node.numbers.errors and not node.is_inferred]
    if failing:
        worst = max(failing, key=lambda node: node.numbers.error_percent)
        share = worst.numbers.error_percent
        return f"{worst.name} fails in {share:.1f} % of its calls on kept traces"
    timed = [n for n in drawn.nodes if n.numbers.p95_ms is not None]
    if not timed:
        return "No calls on these traces"
    slowest = max(timed, key=lambda node: node.numbers.p95_ms or 0.0)
    return f"Nothing fails; slowest is {slowest.name} with p95 {ms(slowest.numbers.p95_ms)}"


def _words(drawn: ServiceMap) -> str:
    pairs = "; ".join(f"{edge.source} to {edge.target}" for edge in drawn.edges[:40])
    return f"Service map: {pairs}"


def _minutes(read: Sequence[Trace]) -> float:
    """What these traces span; at least one, so that a single one is no flood."""
    starts = [trace.started_at for trace in read]
    span = max(starts) - min(starts) if starts else timedelta()
    return max(span / timedelta(minutes=1), 1.0)


def _pick(key: str) -> None:
    traces_controls.keep("node", str(st.session_state.get(key) or ""))
