"""Charts of the health pages: what was asked, how it was answered, how fast budgets burn."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import plotly.graph_objects as go
import polars as pl

from console.charts import palette
from console.queries.metrics import EDGES_MS

_HEIGHT = 260
_WHEN = "%d %b %H:%M UTC"
# Okabe and Ito's colours, told apart by colour-blind eyes; two of them suit both themes.
_SERVICES = {
    "catalog": "#0072b2",
    "users": "#e69f00",
    "checkout": "#009e73",
    "analytics": "#cc79a7",
}
_PERCENTILES = {"p50": "dot", "p95": "solid", "p99": "dash"}


def rate(frame: pl.DataFrame, period_s: int) -> go.Figure:
    """Requests per second, stacked by service.

    Args: DataFrame[at, service, requests], one row per period and service.
    """
    figure = go.Figure()
    for service in sorted(frame["service"].unique().to_list()):
        part = frame.filter(pl.col("service") == service).sort("at")
        figure.add_scatter(
            x=part["at"].to_list(),
            y=[count / period_s for count in part["requests"].to_list()],
            name=service,
            stackgroup="all",
            mode="lines",
            line={"width": 1.2, "color": _SERVICES.get(service)},
            hovertemplate=f"{service} %{{y:.2f}}/s<extra></extra>",
        )
    return _timed(figure, " /s")


def errors(frame: pl.DataFrame) -> go.Figure:
    """Answers of 5xx per period.

    Args: DataFrame[at, errors].
    """
    figure = go.Figure(
        go.Bar(
            x=frame["at"].to_list(),
            y=frame["errors"].to_list(),
            name="5xx",
            marker_color=palette().warn,
            hovertemplate="%{y:,} answers of 5xx<extra></extra>",
        )
    )
    _timed(figure, "")
    highest = max([*frame["errors"].to_list(), 4])
    figure.update_yaxes(range=[0, highest * 1.1], tickformat="d")
    return figure


def durations(frame: pl.DataFrame, limit_ms: float | None) -> go.Figure:
    """p50, p95 and p99 over time, with the objective's line.

    Args: DataFrame[at, p50, p95, p99: ms, null without requests].
    """
    colours = palette()
    figure = go.Figure()
    for name, dash in _PERCENTILES.items():
        figure.add_scatter(
            x=frame["at"].to_list(),
            y=frame[name].to_list(),
            name=name,
            mode="lines+markers" if frame[name].count() < 4 else "lines",
            connectgaps=False,
            line={
                "dash": dash,
                "width": 2.4 if name == "p95" else 1.6,
                "color": colours.soft if name == "p50" else colours.strong,
            },
            hovertemplate=f"{name} %{{y:,.0f}} ms<extra></extra>",
        )
    _timed(figure, " ms")
    if limit_ms is not None:
        _line(figure, limit_ms, f"objective {limit_ms:g} ms")
    return figure


def distribution(counts: Sequence[int], limit_ms: float | None) -> go.Figure:
    """How many requests took how long: one bar a bucket.

    Args: `counts` by bucket, the last one open above.
    """
    bounds = ["0", *(f"{edge:g}" for edge in EDGES_MS)]
    labels = [f"{low}–{high}" for low, high in pairwise(bounds)]
    labels.append(f"over {EDGES_MS[-1]:g}")
    total = sum(counts) or 1
    colours = palette()
    slow = [limit_ms is not None and edge > limit_ms for edge in (*EDGES_MS, float("inf"))]
    figure = go.Figure(
        go.Bar(
            x=labels,
            y=list(counts),
            marker_color=[colours.warn if is_slow else colours.strong for is_slow in slow],
            customdata=[count / total * 100 for count in counts],
            hovertemplate="%{x} ms: %{y:,} requests, %{customdata:.1f} %<extra></extra>",
        )
    )
    figure.update_layout(**_layout(), bargap=0.12, showlegend=False)
    figure.update_xaxes(title="ms", tickangle=-45, type="category")
    figure.update_yaxes(title=None, tickformat="~s", nticks=5, rangemode="tozero")
    return figure


def burning(frame: pl.DataFrame, page_at: float, until: datetime) -> go.Figure:
    """Burn rate of each 5 minutes of 6 h, with the line at which the budget lasts its window.

    Args: DataFrame[at, burn]; `page_at`: the fastest rule's burn rate.
    """
    values = frame["burn"].to_list()
    figure = go.Figure(
        go.Bar(
            x=frame["at"].to_list(),
            y=values,
            width=240_000,  # ms: a little under the five minutes that each stands for
            marker_color=[palette().warn if value >= 1 else palette().soft for value in values],
            hovertemplate="burns %{y:.2f} × the budget<extra></extra>",
        )
    )
    _timed(figure, " ×")
    figure.update_layout(height=170)
    figure.update_xaxes(range=[until - timedelta(hours=6), until])
    _line(figure, 1, "on budget")
    if max([*values, 0]) > page_at / 3:
        _line(figure, page_at, f"pages at {page_at:g} ×")
    figure.update_yaxes(range=[0, max([*values, 1.0]) * 1.25])
    return figure


def _line(figure: go.Figure, at: float, label: str) -> None:
    figure.add_hline(
        y=at,
        line={"dash": "dash", "width": 1.2, "color": palette().warn},
        annotation={"text": label, "font": {"size": 11}},
        annotation_position="top left",
    )


def _timed(figure: go.Figure, unit: str) -> go.Figure:
    figure.update_layout(**_layout(), hovermode="x unified")
    figure.update_xaxes(title=None, hoverformat=_WHEN, tickformat="%H:%M", nticks=7)
    figure.update_yaxes(title=None, ticksuffix=unit, rangemode="tozero", nticks=6)
    return figure


def _layout() -> dict[str, object]:
    return {
        "height": _HEIGHT,
        "margin": {"l": 4, "r": 8, "t": 30, "b": 4},
        "legend": {"orientation": "h", "y": 1.16, "x": 0, "xanchor": "left"},
    }
