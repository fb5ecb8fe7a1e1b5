"""Charts of shoppers: months, cohorts, segments, the way to an order, rankings."""

import plotly.graph_objects as go
import polars as pl

from console import wording
from console.charts import palette
from console.charts_business import colours, land

_LEGEND = {"orientation": "h", "y": 1.14, "x": 0, "xanchor": "left"}


def new_and_returning(frame: pl.DataFrame, step: str) -> go.Figure:
    """Args: DataFrame[start: date, new, returning: i64]; `step` is day or month."""
    soft = palette()
    figure = go.Figure()
    for name, label, colour in (
        ("returning", "Returning", soft.strong),
        ("new", "New", soft.warn),
    ):
        figure.add_bar(
            x=frame["start"].to_list(),
            y=frame[name].to_list(),
            name=label,
            marker_color=colour,
            hovertemplate=f"{label} %{{y:,}}<extra></extra>",
        )
    figure.update_layout(
        barmode="stack", bargap=0.25, hovermode="x unified", height=330,
        margin={"l": 4, "r": 8, "t": 34, "b": 4}, legend=_LEGEND,
    )  # fmt: skip
    figure.update_yaxes(tickformat=",", nticks=6, title="customers")
    shapes = {"day": ("%a %d %b %Y", "%d %b"), "month": ("%B %Y", "%b %Y")}[step]
    figure.update_xaxes(hoverformat=shapes[0], tickformat=shapes[1], nticks=8)
    return figure


def cohorts(frame: pl.DataFrame) -> go.Figure:
    """Share of a cohort that ordered again, by months since its first; month 0 is not drawn.

    Args: DataFrame[cohort: date, age, customers, size: i64, share: percent].
    """
    later = frame.filter(pl.col("age") > 0)
    oldest = int(frame["age"].max() or 1)  # type: ignore[arg-type]  # a whole number
    ages = list(range(1, max(oldest, 1) + 1))
    names = frame.select("cohort", "size").unique(maintain_order=True)
    found = {(c, a): (s, n) for c, a, s, n in later.select(
        "cohort", "age", "share", "customers").iter_rows()}  # fmt: skip
    last = frame.select(
        (pl.col("cohort").dt.year() * 12 + pl.col("cohort").dt.month() + pl.col("age")).max()
    ).item()
    shares: list[list[float | None]] = []
    words: list[list[str]] = []
    for cohort, size in names.iter_rows():
        known = [cohort.year * 12 + cohort.month + age <= last for age in ages]
        row = [found.get((cohort, age), (0.0, 0)) for age in ages]
        shares.append([share if ok else None for (share, _), ok in zip(row, known, strict=True)])
        words.append([f"{count:,} of {size:,} customers" for _, count in row])
    labels = [f"{cohort:%b %Y} ({size:,})" for cohort, size in names.iter_rows()]
    figure = go.Figure(
        go.Heatmap(
            x=ages, y=labels, z=shares, customdata=words, xgap=1, ygap=1,
            texttemplate="%{z:.0f}", textfont={"size": 11},
            hovertemplate="First order %{y}<br>%{x} months later: %{z:.1f} %<br>%{customdata}"
            "<extra></extra>",
            colorscale=[land(), *colours()[1:4]],
            colorbar={"ticksuffix": " %", "thickness": 9, "len": 0.95},
        )
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed", showgrid=False, type="category")
    figure.update_xaxes(title="months since the first order", dtick=1, showgrid=False)
    figure.update_layout(height=90 + 27 * len(labels), margin={"l": 4, "r": 0, "t": 4, "b": 4})
    return figure


def segments(frame: pl.DataFrame, currency: str) -> go.Figure:
    """Net revenue by segment, with its customers beside.

    Args: DataFrame[segment: str, customers, net: i64, share: percent of customers].
    """
    texts = [
        f"{wording.money_short(net, currency)} · {customers:,} ({share:.0f} %)"
        for net, customers, share in frame.select("net", "customers", "share").iter_rows()
    ]
    return ranking(frame["segment"].to_list(), [net / 100 for net in frame["net"]], texts)


def ranking(names: list[str], values: list[float], texts: list[str]) -> go.Figure:
    """Horizontal bars in the order given, first on top, each with its words."""
    figure = go.Figure(
        go.Bar(
            y=[name if len(name) <= 24 else f"{name[:23]}…" for name in names],
            x=values,
            orientation="h",
            marker_color=palette().strong,
            text=texts,
            textposition=["outside" if value >= 0 else "none" for value in values],
            cliponaxis=False,
            textfont={"size": 12},
            hovertext=[f"{name}: {text}" for name, text in zip(names, texts, strict=True)],
            hoverinfo="text",
        )
    )
    below = [(name, text) for name, value, text in zip(names, values, texts, strict=True)
             if value < 0]  # fmt: skip
    # Words at the left of a bar below zero would lie on its name.
    figure.add_scatter(
        x=[0] * len(below), y=[name for name, _ in below], text=[text for _, text in below],
        mode="text", textposition="middle right", hoverinfo="skip", textfont={"size": 12},
    )  # fmt: skip
    largest = max([*values, 0.01])
    figure.update_layout(
        height=50 + 34 * len(names), margin={"l": 4, "r": 4, "t": 4, "b": 4}, bargap=0.35,
        showlegend=False,
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed", title=None, ticksuffix=" ", showgrid=False)
    figure.update_xaxes(visible=False, range=[min([0.0, *values]), largest * 1.8])
    return figure


def funnel(frame: pl.DataFrame) -> go.Figure:
    """Args: DataFrame[step, sessions, of_all, of_previous, lost]."""
    texts = [
        f"{sessions:,} · {of_all:.0f} %" + (f" · {lost:,} lost before" if lost else "")
        for sessions, of_all, lost in frame.select("sessions", "of_all", "lost").iter_rows()
    ]
    return ranking(frame["step"].to_list(), [float(n) for n in frame["sessions"]], texts)
