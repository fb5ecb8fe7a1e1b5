"""One trace as a waterfall: a row a step, its words above its bar, so that it fits a phone."""

from collections.abc import Sequence

import plotly.graph_objects as go

from console.charts_traces import BAD, ROW_PX, kind_colour, label_row, layout, rows_axis, themed
from console.traces.waterfall import Row
from console.traces.words import ms


def draw(rows: Sequence[Row], until_ms: float) -> go.Figure:
    """A bar a step from its offset, a hatched one for the wait before it; what failed in red.

    Args: `until_ms` is where the axis ends; steps behind it are named but not drawn.
    """
    figure = go.Figure()
    waits = [(place, row) for place, row in enumerate(rows) if row.wait_ms > 0]
    figure.add_bar(
        y=[place + 0.2 for place, _ in waits],
        x=[row.wait_ms for _, row in waits],
        base=[row.offset_ms - row.wait_ms for _, row in waits],
        orientation="h",
        width=0.16,
        marker={
            "color": "rgba(0,0,0,0)",
            "line": {"color": kind_colour("wait"), "width": 1},
            "pattern": {"shape": "/", "fgcolor": kind_colour("wait"), "size": 5},
        },
        hovertext=[f"{ms(row.wait_ms)} {row.wait}" for _, row in waits],
        hoverinfo="text",
        showlegend=False,
    )
    figure.add_bar(
        y=[place + 0.2 for place in range(len(rows))],
        # A step of microseconds still has to be seen.
        x=[max(row.shown_ms, until_ms / 300) for row in rows],
        base=[row.offset_ms for row in rows],
        orientation="h",
        width=0.34,
        marker={
            "color": [themed(BAD) if row.is_fault else kind_colour(row.kind) for row in rows],
            "opacity": [0.3 if row.is_inferred else 1 for row in rows],
        },
        hovertext=[row.hover for row in rows],
        hoverinfo="text",
        showlegend=False,
    )
    for place, row in enumerate(rows):
        is_behind = " →" if row.offset_ms > until_ms else ""
        words = f"<b>{_escaped(row.label)}</b>  {_escaped(row.caption)}{is_behind}"
        label_row(figure, place, words, row.depth, themed(BAD) if row.is_fault else "")
    figure.update_layout(**layout(52 + ROW_PX * len(rows)), barmode="overlay", hovermode="closest")
    rows_axis(figure, len(rows))
    figure.update_xaxes(
        range=[0, until_ms * 1.01], side="top", ticksuffix=" ms", nticks=6, tickformat=",~r",
        title=None,
    )  # fmt: skip
    return figure


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
