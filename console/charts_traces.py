"""Traces to charts: the scatter, bars of time, two traces side by side; colours by kind."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from console.traces.analysis import Difference, Share
from console.traces.search import Found
from console.traces.words import clip, ms

# By kind: (light theme, dark theme); each at least 3:1 on its background.
_KINDS = {
    "service": ("#4338ca", "#a5b4fc"),
    "function": ("#7c3aed", "#c4b5fd"),
    "database": ("#0e7490", "#22d3ee"),
    "stream": ("#b45309", "#fbbf24"),
    "queue": ("#b45309", "#fbbf24"),
    "topic": ("#b45309", "#fbbf24"),
    "object store": ("#15803d", "#4ade80"),
    "browser": ("#64748b", "#94a3b8"),
    "edge": ("#64748b", "#94a3b8"),
    "inside": ("#64748b", "#94a3b8"),
    "wait": ("#94a3b8", "#64748b"),
}
BAD = ("#be123c", "#fb7185")
_OUTCOMES = {
    "ok": ("#4338ca", "#a5b4fc", "circle", "answered (2xx, 3xx)"),
    "4xx": ("#b45309", "#fbbf24", "diamond", "refused (4xx)"),
    "5xx": ("#be123c", "#fb7185", "x", "failed (5xx)"),
}


def themed(pair: tuple[str, str]) -> str:
    return pair[st.context.theme.type == "dark"]


def kind_colour(kind: str) -> str:
    return themed(_KINDS.get(kind, _KINDS["inside"]))


LEGEND = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "xanchor": "left"}


def layout(height: int) -> dict[str, Any]:
    return {"height": height, "margin": {"l": 4, "r": 8, "t": 28, "b": 4}}


def scatter(found: Sequence[Found]) -> go.Figure:
    """Time against duration, a point a trace; colour and sign say how it ended."""
    figure = go.Figure()
    for outcome, (light, dark, symbol, words) in _OUTCOMES.items():
        points = [each for each in found if each.outcome == outcome]
        if not points:
            continue
        figure.add_scatter(
            x=[each.at for each in points],
            y=[max(each.duration_ms, 0.1) for each in points],
            customdata=[[each.trace_id, each.route, ms(each.duration_ms)] for each in points],
            mode="markers",
            name=words,
            marker={"color": themed((light, dark)), "symbol": symbol, "size": 9, "opacity": 0.85},
            hovertemplate="%{customdata[1]}<br>%{customdata[2]}, %{x|%H:%M:%S} UTC<extra></extra>",
        )
    figure.update_layout(**layout(300), legend=LEGEND, hovermode="closest", dragmode="select")
    figure.update_yaxes(title="duration (ms)", type="log", dtick=1, tickformat="~g")
    figure.update_xaxes(title="start (UTC)", tickformat="%H:%M\n%d %b", nticks=6)
    return figure


def time_shares(found: Sequence[Share]) -> go.Figure:
    """Horizontal bars of own time, the largest on top, in ms and percent."""
    labels = [f"{each.name} · {each.where}" if each.where else each.name for each in found]
    texts = [f"{ms(each.own_ms)} · {each.share:.1f} %" for each in found]
    figure = go.Figure(
        go.Bar(
            y=[clip(label, 44) for label in labels],
            x=[each.own_ms for each in found],
            orientation="h",
            marker_color=[kind_colour(each.kind) for each in found],
            text=texts,
            textposition="outside",
            cliponaxis=False,
            hovertext=[
                f"{label}: {text}, {each.count:,} times, p95 {ms(each.p95_ms)}"
                for label, text, each in zip(labels, texts, found, strict=True)
            ],
            hoverinfo="text",
        )
    )
    largest = max([each.own_ms for each in found] or [1.0])
    figure.update_layout(**layout(60 + 30 * len(found)), bargap=0.35, showlegend=False)
    figure.update_yaxes(autorange="reversed", ticksuffix=" ", showgrid=False)
    figure.update_xaxes(visible=False, range=[0, largest * 1.6])
    return figure


def differences(found: Sequence[Difference], left: str, right: str) -> go.Figure:
    """Two bars a step: its time in either trace."""
    labels = [("\u2003" * (len(each.place) - 1)) + clip(each.place[-1], 34) for each in found]
    places = list(range(len(found)))
    figure = go.Figure()
    for name, values, colours in (
        (left, [each.left_ms for each in found], ("#94a3b8", "#64748b")),
        (right, [each.right_ms for each in found], ("#4338ca", "#a5b4fc")),
    ):
        figure.add_bar(
            y=places,
            x=values,
            name=name,
            orientation="h",
            marker_color=themed(colours),
            hovertext=[
                f"{label.strip()}: {ms(v)}" for label, v in zip(labels, values, strict=True)
            ],
            hoverinfo="text",
        )
    figure.update_layout(**layout(90 + 38 * len(found)), legend=LEGEND, bargap=0.3)
    figure.update_yaxes(
        tickvals=places, ticktext=labels, autorange="reversed", ticksuffix=" ", showgrid=False
    )
    figure.update_xaxes(title="ms", rangemode="tozero")
    return figure
