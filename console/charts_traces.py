"""Traces to charts: the scatter, bars of time, two traces side by side; colours by kind."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from console import charts
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


ROW_PX = 38
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
    figure.update_layout(**layout(430), legend=LEGEND, hovermode="closest", dragmode="select")
    figure.update_yaxes(title="duration (ms)", type="log", dtick=1, tickformat="~g")
    figure.update_xaxes(title="start (UTC)", tickformat="%H:%M\n%d %b", nticks=6)
    return figure


def time_shares(found: Sequence[Share]) -> go.Figure:
    """Horizontal bars of own time, the largest on top, in ms and percent."""
    figure = go.Figure()
    for place, each in enumerate(found):
        name = f"{each.name} · {each.where}" if each.where else each.name
        words = f"<b>{clip(name, 44)}</b>  {ms(each.own_ms)} · {each.share:.1f} %"
        label_row(figure, place, words)
        figure.add_bar(
            y=[place + 0.2],
            x=[each.own_ms],
            orientation="h",
            width=0.34,
            marker_color=kind_colour(each.kind),
            hovertext=f"{name}: {each.count:,} times, p95 {ms(each.p95_ms)} each",
            hoverinfo="text",
        )
    figure.update_layout(**layout(20 + ROW_PX * len(found)), showlegend=False, barmode="overlay")
    rows_axis(figure, len(found))
    figure.update_xaxes(visible=False, rangemode="tozero")
    return figure


def label_row(figure: go.Figure, place: int, words: str, depth: int = 0, colour: str = "") -> None:
    """Words above a bar, at the left: they fit a phone, where names beside bars do not."""
    figure.add_annotation(
        x=0,
        xref="paper",
        xanchor="left",
        xshift=14 * min(depth, 9),
        y=place - 0.17,
        yanchor="middle",
        text=words,
        showarrow=False,
        font={"size": 12, "color": colour or charts.palette().ink},
    )


def rows_axis(figure: go.Figure, rows: int) -> None:
    figure.update_yaxes(range=[rows - 0.45, -0.55], visible=False, fixedrange=True)


def differences(found: Sequence[Difference], left: str, right: str) -> go.Figure:
    """Two bars a step: its time in either trace, and how they differ."""
    figure = go.Figure()
    places = list(range(len(found)))
    for name, values, colours, shift in (
        (left, [each.left_ms for each in found], ("#94a3b8", "#64748b"), 0.1),
        (right, [each.right_ms for each in found], ("#4338ca", "#a5b4fc"), 0.31),
    ):
        figure.add_bar(
            y=[place + shift for place in places],
            x=values,
            name=name,
            orientation="h",
            width=0.19,
            marker_color=themed(colours),
            hovertext=[f"{each.place[-1]}: {ms(v)}" for each, v in zip(found, values, strict=True)],
            hoverinfo="text",
        )
    for place, each in enumerate(found):
        sign = "+" if each.change_ms >= 0 else ""
        words = f"<b>{clip(each.place[-1], 40)}</b>  {sign}{ms(each.change_ms)}"
        label_row(figure, place, words, len(each.place) - 1)
    figure.update_layout(**layout(84 + 48 * len(found)), legend=LEGEND, barmode="overlay")
    rows_axis(figure, len(found))
    figure.update_xaxes(title="ms", rangemode="tozero", tickformat=",~r", nticks=6)
    return figure
