"""Charts of load runs: rate, answer times, processor, and two runs laid over one another."""

import plotly.graph_objects as go
import polars as pl

from console.charts import palette

# Okabe and Ito: told apart by colour-blind eyes; grey for the rest.
_PROCESSES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8a90a6")
_HEIGHT = 270


def rate(frame: pl.DataFrame) -> go.Figure:
    """Args: DataFrame[elapsed_s, offered, achieved, failures]: per second."""
    colours = palette()
    figure = go.Figure()
    when = frame["elapsed_s"].to_list()
    for name, label, colour, dash in (
        ("offered", "Offered", colours.warn, "dash"),
        ("achieved", "Achieved", colours.strong, "solid"),
    ):
        figure.add_scatter(
            x=when,
            y=frame[name].to_list(),
            name=label,
            mode="lines",
            line={"color": colour, "width": 2, "dash": dash},
            hovertemplate=f"{label} %{{y:,.1f}}/s<extra></extra>",
        )
    if frame["failures"].sum():
        figure.add_bar(
            x=when,
            y=frame["failures"].to_list(),
            name="Failed",
            marker_color="#d03b3b",
            hovertemplate="Failed %{y:,.0f}/s<extra></extra>",
        )
    return _laid_out(figure, "/s")


def times(frame: pl.DataFrame, objective_ms: float) -> go.Figure:
    """Args: DataFrame[elapsed_s, p50_ms, p95_ms, p99_ms]: over the last ten seconds."""
    colours = palette()
    figure = go.Figure()
    for name, label, colour in (
        ("p50_ms", "p50", colours.soft),
        ("p95_ms", "p95", colours.strong),
        ("p99_ms", "p99", colours.warn),
    ):
        figure.add_scatter(
            x=frame["elapsed_s"].to_list(),
            y=frame[name].to_list(),
            name=label,
            mode="lines",
            line={"color": colour, "width": 2},
            hovertemplate=f"{label} %{{y:,.0f}} ms<extra></extra>",
        )
    figure.add_hline(
        objective_ms,
        line={"color": colours.ink, "width": 1, "dash": "dot"},
        annotation_text=f"objective for p95: {objective_ms:.0f} ms",
        annotation_position="top left",
        annotation_font_size=11,
    )
    return _laid_out(figure, " ms")


def processor(shares: pl.DataFrame, frame: pl.DataFrame) -> go.Figure:
    """Processes stacked below the machine's total.

    Args: `shares` DataFrame[elapsed_s, <process>…], `frame` DataFrame[elapsed_s, cpu]: percent of
    all cores.
    """
    figure = go.Figure()
    names = [name for name in shares.columns if name != "elapsed_s"]
    for name, colour in zip(names, (*_PROCESSES[: len(names) - 1], _PROCESSES[-1]), strict=True):
        figure.add_scatter(
            x=shares["elapsed_s"].to_list(),
            y=shares[name].to_list(),
            name=name,
            mode="lines",
            stackgroup="processes",
            line={"width": 0.5, "color": colour},
            hovertemplate=f"{name} %{{y:.1f}} %<extra></extra>",
        )
    figure.add_scatter(
        x=frame["elapsed_s"].to_list(),
        y=frame["cpu"].to_list(),
        name="whole machine",
        mode="lines",
        line={"color": palette().ink, "width": 1.5, "dash": "dot"},
        hovertemplate="whole machine %{y:.0f} %<extra></extra>",
    )
    figure.update_yaxes(range=[0, 105])
    return _laid_out(figure, " %", height=_HEIGHT + 60)


def overlay(runs: dict[str, pl.DataFrame], column: str, unit: str) -> go.Figure:
    """One line per run over the seconds since its start.

    Args: frames DataFrame[elapsed_s, <column>] by the run's label, two of them.
    """
    colours = palette()
    figure = go.Figure()
    for (label, frame), colour, dash in zip(
        runs.items(), (colours.strong, colours.warn), ("solid", "dash"), strict=True
    ):
        figure.add_scatter(
            x=frame["elapsed_s"].to_list(),
            y=frame[column].to_list(),
            name=label,
            mode="lines",
            line={"color": colour, "width": 2, "dash": dash},
            hovertemplate=f"{label}: %{{y:,.0f}}{unit}<extra></extra>",
        )
    return _laid_out(figure, unit)


def _laid_out(figure: go.Figure, unit: str, height: int = _HEIGHT) -> go.Figure:
    figure.update_layout(
        height=height,
        hovermode="x unified",
        margin={"l": 4, "r": 8, "t": 34, "b": 4},
        legend={"orientation": "h", "y": 1.02, "x": 0, "yanchor": "bottom"},
        # What a person zoomed into or switched off stays so when new seconds come.
        uirevision="load",
        transition={"duration": 0},
    )
    figure.update_yaxes(title=None, ticksuffix=unit, rangemode="tozero", nticks=6)
    figure.update_xaxes(title=None, ticksuffix=" s", nticks=8)
    return figure
