"""Frames to charts. Titles are findings and stand above a chart, where they wrap on a phone."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
import polars as pl
import streamlit as st

from console import wording
from console.periods import Grain

# Okabe and Ito's order of luminance: told apart in grey and by colour-blind eyes.
CONFIG = {"displayModeBar": False, "responsive": True}
_HEIGHT = 330


@dataclass(frozen=True, slots=True)
class Palette:
    strong: str
    soft: str
    warn: str
    ink: str


_LIGHT = Palette(strong="#4338ca", soft="#a5b4fc", warn="#d97706", ink="#14182b")
_DARK = Palette(strong="#c7d2fe", soft="#6366f1", warn="#fbbf24", ink="#e7eaf3")


def palette() -> Palette:
    return _DARK if st.context.theme.type == "dark" else _LIGHT


def show(figure: go.Figure, *, key: str, alt: str) -> None:
    st.plotly_chart(figure, key=key, alt=alt, config=CONFIG)


def show_to_pick(
    figure: go.Figure,
    *,
    key: str,
    alt: str,
    picked: Callable[[str], None],
    field: str = "customdata",
    config: dict[str, Any] | None = None,
) -> None:
    """As `show`; a click on a mark calls `picked` with the mark's `field`."""

    def on_select() -> None:
        points = (st.session_state.get(key) or {}).get("selection", {}).get("points") or []
        value = points[0].get(field) if points else None
        if isinstance(value, list):
            value = value[0] if value else None
        if value:
            picked(str(value))

    st.plotly_chart(
        figure,
        key=key,
        alt=alt,
        config=CONFIG | (config or {}),
        on_select=on_select,
        selection_mode="points",
    )


def revenue_over_time(
    frame: pl.DataFrame,
    currency: str,
    grain: Grain,
    before: tuple[str, pl.DataFrame] | None = None,
) -> go.Figure:
    """Bars of gross and refunds, a line of net; a dotted line of an earlier period's net.

    Args: DataFrame[bucket: datetime, gross, refunds, net: minor units]; `before` names its period.
    """
    colours = palette()
    when = frame["bucket"].to_list()
    # A click takes the mark nearest to it: of the lines, marks that nobody sees.
    unseen = {"size": 9, "opacity": 0.0}
    picks = [f"{at:%Y-%m-%d}" for at in when]
    figure = go.Figure()
    for name, label, colour in (
        ("gross", "Gross", colours.soft),
        ("refunds", "Refunds", colours.warn),
    ):
        figure.add_bar(
            x=when,
            y=_major(frame, name),
            name=label,
            marker_color=colour,
            customdata=picks,
            hovertemplate=f"{label} %{{y:,.2f}} {currency}<extra></extra>",
        )
    figure.add_scatter(
        x=when,
        y=_major(frame, "net"),
        name="Net",
        mode="lines+markers",
        marker={} if len(when) <= 2 else unseen,
        customdata=picks,
        line={"color": colours.strong, "width": 2.5},
        hovertemplate=f"Net %{{y:,.2f}} {currency}<extra></extra>",
    )
    if before:
        name, earlier = before
        figure.add_scatter(
            x=when,
            y=_major(earlier.head(len(when)), "net"),
            name=f"Net, {name}",
            mode="lines+markers",
            marker=unseen,
            customdata=picks,
            line={"color": colours.ink, "width": 1.8, "dash": "dot"},
            hovertemplate=f"Net, {name} %{{y:,.2f}} {currency}<extra></extra>",
        )
    figure.update_layout(
        barmode="relative",
        bargap=0.25,
        hovermode="x unified",
        height=_HEIGHT,
        margin={"l": 4, "r": 8, "t": 34, "b": 4},
        legend={"orientation": "h", "y": 1.14, "x": 0, "xanchor": "left"},
    )
    money_axis(figure, currency, max([0.0, *map(abs, _major(frame, "gross"))]))
    figure.update_xaxes(title=None, hoverformat=_hover(grain), nticks=8)
    return figure


def shares(frame: pl.DataFrame, currency: str, chosen: str | None = None) -> go.Figure:
    """Horizontal bars, largest on top, each with its amount and share.

    Args: DataFrame[group: str, net: minor units, share: percent], sorted, a rest row last.
    """
    colours = palette()
    names = [_clip(name) for name in frame["group"].to_list()]
    is_rest = [name.startswith("Others (") for name in names]
    texts = [
        f"{wording.money_short(net, currency)} · {share:.1f} %"
        for net, share in frame.select("net", "share").iter_rows()
    ]
    figure = go.Figure(
        go.Bar(
            y=names,
            x=_major(frame, "net"),
            orientation="h",
            marker_color=[
                colours.warn if group == chosen else colours.soft if rest else colours.strong
                for group, rest in zip(frame["group"], is_rest, strict=True)
            ],
            customdata=["" if rest else g for g, rest in zip(frame["group"], is_rest, strict=True)],
            text=texts,
            textposition="outside",
            cliponaxis=False,
            textfont={"size": 12},
            hovertext=[f"{name}: {text}" for name, text in zip(frame["group"], texts, strict=True)],
            hoverinfo="text",
        )
    )
    largest = max([*_major(frame, "net"), 0.01])
    figure.update_layout(
        height=60 + 34 * len(names),
        margin={"l": 4, "r": 4, "t": 4, "b": 4},
        bargap=0.35,
        showlegend=False,
    )
    figure.update_yaxes(autorange="reversed", title=None, ticksuffix=" ", showgrid=False)
    # Room at the right for the words outside the longest bar, at phone width too.
    figure.update_xaxes(visible=False, range=[min([0.0, *_major(frame, "net")]), largest * 1.75])
    return figure


def money_axis(figure: go.Figure, currency: str, largest: float) -> None:
    """Whole amounts on the axis: `£0.5` would be written as £500m, which reads as millions.

    Args: `largest` amount drawn, in whole units.
    """
    figure.update_yaxes(
        title=None,
        tickformat="~s" if largest >= 5 else ".2f",
        tickprefix=wording.money_sign(currency),
        nticks=6,
    )


def _major(frame: pl.DataFrame, column: str) -> list[float]:
    """Minor units to whole ones, for drawing only."""
    return [value / 100 for value in frame[column].to_list()]


def _hover(grain: Grain) -> str:
    return {"hour": "%a %d %b %Y %H:00 UTC", "day": "%a %d %b %Y", "month": "%b %Y"}[grain]


def _clip(name: Any, limit: int = 20) -> str:
    text = str(name) or "Unknown"
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
