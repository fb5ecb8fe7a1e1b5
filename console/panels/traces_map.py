"""The service map of a range, and the choice of one of its nodes."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import polars as pl
import streamlit as st

from console import charts_traces_map, downloads, wording
from console.panels import traces as panels
from console.panels import traces_controls
from console.panels.traces_controls import View
from console.queries import traces
from console.traces import service_map
from console.traces.domain import Trace
from console.traces.service_map import ServiceMap
from console.traces.words import ms
from pipeline.runtime.clock import now

_SMALL = 5  # nodes; a map of them need not be drawn large
# A map too wide for its place is scrolled, not shrunk until nobody can read it.
_STYLE = """<style>
.st-key-service-map-wide [data-testid="stGraphVizChart"] { overflow-x: auto; max-width: 100%; }
.st-key-service-map-wide [data-testid="stGraphVizChart"] svg {
  min-width: 1100px; height: auto;
}
/* A box without a fill would be hit on its outline only. */
.st-key-service-map g.node a * { pointer-events: all; }
.st-key-service-map g.node a:hover :is(polygon, path, ellipse) { stroke-width: 3; }
</style>"""
# A node is a link. A plain click on it stays on the page, which would otherwise start anew.
_CLICKS = """
export default function ({ setTriggerValue }) {
  const map = document.querySelector(".st-key-service-map");
  const pick = (event) => {
    const link = event.target.closest?.("a");
    const href = link?.getAttribute("xlink:href") ?? link?.getAttribute("href");
    if (!href || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const node = new URL(href, location.href).searchParams.get("node");
    if (node === null) return;
    event.preventDefault();
    setTriggerValue("picked", node);
  };
  map?.addEventListener("click", pick);
  return () => map?.removeEventListener("click", pick);
}
"""


def show(view: View) -> None:
    """Up to now, where the view's range moves. Raises Unreachable."""
    shown = view.brought_up_to_date()
    read = list(traces.read(found.trace_id for found in panels.look(shown).found).values())
    drawn = service_map.draw(read)
    with st.container(border=True, key="service-map"):
        st.subheader(_finding(drawn), anchor=False)
        minutes = _minutes(read)
        st.caption(
            f"As of {wording.clock_time(now())}, from {drawn.traces} kept traces over "
            f"{minutes:,.0f} min: calls a minute, the 95th percentile, failures. Dashed arrows are "
            "asynchronous; dashed boxes are inferred, as they keep no record of their own. A click "
            "on a box leaves the traces through it."
        )
        dot = charts_traces_map.to_dot(drawn, minutes, view.node, _address_of)
        st.html(_STYLE)
        is_small = len(drawn.nodes) <= _SMALL
        with st.container(key="service-map-small" if is_small else "service-map-wide"):
            st.graphviz_chart(dot, width="content" if is_small else "stretch", alt=_words(drawn))
        _pick(view, [node.name for node in drawn.nodes if not node.is_inferred])
        downloads.csv(to_frame(drawn), "service-map")


def _pick(view: View, names: list[str]) -> None:
    """By a click on the map, or by name for whoever uses neither mouse nor link."""
    if view.node and view.node not in names:
        names.append(view.node)
    chosen = st.pills(
        "Only traces through", names, default=view.node or None, key=f"node-{view.node}"
    )
    clicks: Any = st.components.v2.component("service_map_clicks", js=_CLICKS)
    clicked = clicks(key="map-clicks", height=1, on_picked_change=lambda: None).picked
    if clicked is not None:
        chosen = None if clicked == view.node else clicked
    if (chosen or "") != view.node:
        traces_controls.keep("node", chosen or "")
        st.rerun()


def _address_of(node: str) -> str:
    """The same view, of the traces through a node: for a new tab, and where scripts do not run."""
    return f"/traces?{urlencode({**st.query_params, 'node': node})}"


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
