"""Charts of the business pages: map, tree, hours of a week, two days side by side."""

from math import log10
from typing import Any

import plotly.graph_objects as go
import polars as pl

from console import countries, wording
from console.charts import money_axis, palette
from console.queries.breakdowns import WEEKDAYS

_MARGIN = {"l": 0, "r": 0, "t": 4, "b": 0}
MAP_CONFIG = {"topojsonURL": countries.ADDRESS, "scrollZoom": False}


def colours() -> list[str]:
    """From little to much; light or dark by the theme, readable in grey."""
    soft = palette()
    if soft.ink == "#14182b":
        return ["#e0e7ff", "#a5b4fc", "#6366f1", "#3730a3", "#1e1b4b"]
    return ["#242b52", "#3b3f8f", "#6366f1", "#a5b4fc", "#e0e7ff"]


def land() -> str:
    return "#eef0f5" if palette().ink == "#14182b" else "#1b2136"


def world(frame: pl.DataFrame, currency: str, chosen: str | None) -> tuple[go.Figure, list[str]]:
    """(a map of net revenue by country, the names of those that are nowhere on it).

    Args: DataFrame[group: country name, net: minor units]. Colour is by magnitude (logarithm).
    """
    sums: dict[str, list[Any]] = {}
    lost = []
    for name, net in frame.select("group", "net").iter_rows():
        place = countries.find(name)
        if place is None:
            lost.append(name)
            continue
        found = sums.setdefault(place.iso3, [0, name, place])
        found[0] += net
        found[1] = name if abs(net) >= abs(found[0] - net) else found[1]
    areas = [(iso, *row) for iso, row in sums.items() if row[2].lon is None]
    dots = [(iso, *row) for iso, row in sums.items() if row[2].lon is not None]
    top = max([_size(row[0]) for row in sums.values()], default=1.0)
    low = min([_size(row[0]) for row in sums.values()], default=0.0)
    scale = {"colorscale": colours(), "cmin": low, "cmax": max(top, low + 0.1)}
    figure = go.Figure(
        go.Choropleth(
            locations=[iso for iso, *_ in areas],
            z=[_size(net) for _, net, *_ in areas],
            locationmode="ISO-3",
            colorscale=scale["colorscale"],
            zmin=scale["cmin"],
            zmax=scale["cmax"],
            marker={"line": {"width": [2.5 if row[2] == chosen else 0.4 for row in areas],
                             "color": [palette().warn if row[2] == chosen else land()
                                       for row in areas]}},
            customdata=[row[2] for row in areas],
            text=[f"{row[2]}: {wording.money(row[1], currency)} net" for row in areas],
            hoverinfo="text",
            colorbar=_magnitudes(low, top, currency),
        )
    )  # fmt: skip
    figure.add_scattergeo(
        lon=[row[3].lon for row in dots],
        lat=[row[3].lat for row in dots],
        customdata=[row[2] for row in dots],
        text=[f"{row[2]}: {wording.money(row[1], currency)} net" for row in dots],
        hoverinfo="text",
        marker={"size": 9, "color": [_size(row[1]) for row in dots], **scale,
                "line": {"width": 1, "color": palette().ink}},
        showlegend=False,
    )  # fmt: skip
    figure.update_geos(
        projection_type="natural earth", showframe=False, showcoastlines=False, showland=True,
        landcolor=land(), bgcolor="rgba(0,0,0,0)", lataxis_range=[-56, 78], showcountries=False,
    )  # fmt: skip
    figure.update_layout(height=330, margin=_MARGIN, clickmode="event+select", dragmode=False)
    return figure, lost


def _size(net: int) -> float:
    return log10(max(net / 100, 1.0))


def _magnitudes(low: float, top: float, currency: str) -> dict[str, Any]:
    ticks = list(range(int(low), int(top) + 1))
    return {
        "tickvals": ticks,
        "ticktext": [wording.money_sign(currency) + _round(10**tick) for tick in ticks],
        "orientation": "h", "thickness": 9, "len": 0.6, "y": -0.02, "yanchor": "top",
    }  # fmt: skip


def _round(amount: int) -> str:
    return f"{amount // 1_000_000}M" if amount >= 1_000_000 else (
        f"{amount // 1_000}k" if amount >= 1_000 else str(amount)
    )  # fmt: skip


def tree(frame: pl.DataFrame, currency: str, chosen: str | None = None) -> go.Figure:
    """Categories as areas; of the `chosen` one, its products.

    Args: DataFrame[category, product, product_id: str, gross: minor units]. Tiles have the id
    `c:<category>` or `p:<category>:<product_id>`.
    """
    by_category = frame.group_by("category", maintain_order=True).agg(pl.col("gross").sum())
    ids = ["all", *(f"c:{name}" for name in by_category["category"])]
    labels = ["All categories", *by_category["category"]]
    parents = ["", *("all" for _ in by_category["category"])]
    amounts = [int(frame["gross"].sum()), *by_category["gross"]]
    for category, product, code, gross in frame.select(
        "category", "product", "product_id", "gross"
    ).iter_rows():
        ids.append(f"p:{category}:{code}")
        labels.append(product)
        parents.append(f"c:{category}")
        amounts.append(gross)
    figure = go.Figure(
        go.Treemap(
            ids=ids,
            labels=labels,
            parents=parents,
            values=[amount / 100 for amount in amounts],
            branchvalues="total",
            maxdepth=2,
            level=f"c:{chosen}" if chosen else "all",
            text=[wording.money_short(amount, currency) for amount in amounts],
            textinfo="label+text+percent root",
            hovertemplate="%{label}<br>%{text} gross, %{percentRoot:.1%}<extra></extra>",
            textfont={"color": palette().ink},
            root={"color": land()},
            # Only shades that the words on them can be read on.
            marker={"colorscale": _tiles(), "colors": amounts, "cmin": 0,
                    "cmax": max(amounts[1:], default=1), "line": {"width": 1}, "cornerradius": 4},
            pathbar={"thickness": 22},
            tiling={"pad": 2},
        )
    )  # fmt: skip
    figure.update_layout(height=330, margin=_MARGIN)
    return figure


def _tiles() -> list[str]:
    return ["#eef2ff", "#a5b4fc"] if palette().ink == "#14182b" else ["#242b52", "#4548a8"]


def week(frame: pl.DataFrame, currency: str) -> go.Figure:
    """Gross revenue by weekday (down) and hour of the day (across).

    Args: DataFrame[weekday: 1 … 7, hour, orders, gross], 168 rows by weekday and hour.
    """
    rows = [frame.filter(pl.col("weekday") == day) for day in range(1, 8)]
    figure = go.Figure(
        go.Heatmap(
            x=list(range(24)),
            y=WEEKDAYS,
            z=[[gross / 100 for gross in row["gross"]] for row in rows],
            customdata=[
                [f"{wording.money(gross, currency)} gross, {orders:,} orders"
                 for gross, orders in row.select("gross", "orders").iter_rows()] for row in rows
            ],
            hovertemplate="%{y} %{x}:00 UTC<br>%{customdata}<extra></extra>",
            colorscale=[land(), *colours()[1:]],
            xgap=1,
            ygap=1,
            colorbar={"tickprefix": wording.money_sign(currency), "tickformat": "~s",
                      "thickness": 9, "len": 0.95},
        )
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed", showgrid=False, title=None)
    figure.update_xaxes(
        tickvals=list(range(0, 24, 3)), ticktext=[f"{hour:02d}:00" for hour in range(0, 24, 3)],
        showgrid=False, title=None,
    )  # fmt: skip
    figure.update_layout(height=330, margin={"l": 4, "r": 0, "t": 4, "b": 4})
    return figure


def days_by_hour(days: dict[str, list[int | None]], currency: str) -> go.Figure:
    """Net revenue by hour of several days, minor units; the first is today, drawn on top.

    Args: name of the day -> 24 values, None for hours to come.
    """
    soft = palette()
    styles = ((soft.strong, "solid", 3.0), (soft.warn, "dot", 2.0), (soft.soft, "dash", 2.0))
    figure = go.Figure()
    for (name, values), (colour, dash, width) in reversed(
        list(zip(days.items(), styles, strict=False))
    ):
        figure.add_scatter(
            x=list(range(24)),
            y=[None if value is None else value / 100 for value in values],
            name=name,
            mode="lines+markers" if width > 2 else "lines",
            marker={"size": 6},
            line={"color": colour, "width": width, "dash": dash},
            hovertemplate=f"{name} %{{x}}:00 UTC: %{{y:,.2f}} {currency}<extra></extra>",
        )
    figure.update_layout(
        height=320, hovermode="x unified", margin={"l": 4, "r": 8, "t": 34, "b": 4},
        legend={"orientation": "h", "y": 1.16, "x": 0, "xanchor": "left", "traceorder": "reversed"},
    )  # fmt: skip
    figure.update_xaxes(
        tickvals=list(range(0, 24, 3)), ticktext=[f"{hour:02d}:00" for hour in range(0, 24, 3)],
        range=[-0.4, 23.4],
    )  # fmt: skip
    money_axis(figure, currency, max([0.0, *(v / 100 for vs in days.values() for v in vs if v)]))
    figure.update_yaxes(rangemode="tozero")
    return figure
