"""The chart builder of the Explore page: a result and five choices make a chart."""

from dataclasses import asdict, dataclass
from typing import Any

import plotly.graph_objects as go
import polars as pl

from console.charts import palette

KINDS = ("Bar", "Line", "Area", "Scatter")
AGGREGATIONS = ("Sum", "Mean", "Median", "Least", "Most", "Count")
MAX_GROUPS = 7
MAX_BARS = 60
MAX_POINTS = 5_000
# Okabe and Ito's colours, told apart by colour-blind eyes, on white and on midnight.
_COLOURS = {
    "light": "#4338ca #d55e00 #009e73 #0072b2 #cc79a7 #b07d00 #56b4e9 #6b7280".split(),
    "dark": "#a5b4fc #ff9a5c #3ddba8 #56b4e9 #e7a6c8 #f0c94a #9ad4f5 #9ca3af".split(),
}
_REST = "Others"


@dataclass(frozen=True, slots=True)
class Spec:
    """Column names; `colour` empty for none. Amounts of one x and colour are aggregated."""

    kind: str
    x: str
    y: str
    colour: str = ""
    aggregation: str = "Sum"

    def to_dict(self) -> dict[str, str]:
        return asdict(self)


def numeric(frame: pl.DataFrame) -> list[str]:
    return [name for name, kind in frame.schema.items() if kind.is_numeric()]


def suggest(frame: pl.DataFrame, wanted: dict[str, str]) -> Spec | None:
    """The wanted chart if the result has its columns, else a plausible one; None without numbers.

    A date or a text goes below, the first number beside it becomes the height.
    """
    numbers = numeric(frame)
    if not numbers or frame.is_empty():
        return None
    if {wanted.get("x"), wanted.get("y")} <= set(frame.columns) and wanted["y"] in numbers:
        colour = wanted.get("colour", "")
        return Spec(
            wanted.get("kind", KINDS[0]), wanted["x"], wanted["y"],
            colour if colour in frame.columns else "",
            wanted.get("aggregation", AGGREGATIONS[0]),
        )  # fmt: skip
    dates = [name for name, kind in frame.schema.items() if kind.is_temporal()]
    others = [name for name in frame.columns if name not in numbers]
    x = (dates or others or numbers)[0]
    y = next((name for name in numbers if name != x), numbers[0])
    return Spec("Line" if dates else "Bar", x, y)


def aggregated(frame: pl.DataFrame, spec: Spec) -> tuple[pl.DataFrame, str]:
    """(DataFrame[x, y: float, group: str], what was left out or an empty text).

    Groups beyond the largest are drawn together, but only where sums allow it.
    """
    group = pl.col(spec.colour).cast(pl.String) if spec.colour else pl.lit(spec.y)
    y = pl.col(spec.y).cast(pl.Float64)
    rows = frame.select(pl.col(spec.x).alias("x"), y.alias("y"), group.fill_null("").alias("group"))
    notes = []
    if rows["group"].n_unique() > MAX_GROUPS:
        size = pl.col("y").abs().sum() if spec.aggregation == "Sum" else pl.len()
        largest = rows.group_by("group").agg(size.alias("size")).top_k(MAX_GROUPS, by="size")
        is_large = pl.col("group").is_in(largest["group"].implode())
        if spec.aggregation in ("Sum", "Count"):
            rows = rows.with_columns(
                pl.when(is_large).then("group").otherwise(pl.lit(_REST)).alias("group")
            )
        else:
            rows = rows.filter(is_large)
            notes.append(f"the {MAX_GROUPS} {spec.colour} with most rows")
    if spec.kind == "Scatter":
        if rows.height > MAX_POINTS:
            notes.append(f"the first {MAX_POINTS:,} of {rows.height:,} points")
        return rows.head(MAX_POINTS), _left_out(notes)
    drawn = rows.group_by("x", "group", maintain_order=True).agg(_AGGREGATE[spec.aggregation])
    if not drawn.schema["x"].is_temporal() and drawn["x"].n_unique() > MAX_BARS:
        notes.append(f"the first {MAX_BARS} of {drawn['x'].n_unique():,} values of {spec.x}")
        first = drawn["x"].unique(maintain_order=True).head(MAX_BARS)
        drawn = drawn.filter(pl.col("x").is_in(first.implode()))
    if drawn.schema["x"].is_temporal() or drawn.schema["x"].is_numeric():
        drawn = drawn.sort("x")
    return drawn, _left_out(notes)


def finding(drawn: pl.DataFrame, spec: Spec) -> str:
    """The chart's title: where its highest point is."""
    known = drawn.drop_nulls("y")
    if known.is_empty():
        return f"{spec.y} has no values"
    best = known.row(int(known["y"].arg_max() or 0), named=True)
    where = f"{_word(best['x'])}" + (f", {best['group'] or 'none'}" if spec.colour else "")
    return f"{spec.y} is highest at {where}: {number(best['y'])}"


def draw(drawn: pl.DataFrame, spec: Spec, theme: str) -> go.Figure:
    """Args: a frame of `aggregated`; `theme` is light or dark."""
    figure = go.Figure()
    sizes = drawn.group_by("group").agg(pl.col("y").abs().sum()).sort("y", descending=True)
    names = sorted(sizes["group"].to_list(), key=lambda name: name == _REST)
    for name, colour in zip(names, _COLOURS[theme], strict=False):
        part = drawn.filter(pl.col("group") == name)
        label = name or "none"
        trace: dict[str, Any] = {
            "x": part["x"].to_list(),
            "y": part["y"].to_list(),
            "name": label,
            "hovertemplate": f"%{{x}}<br>{label} %{{y:,.6~g}}<extra></extra>",
        }
        if spec.kind == "Bar":
            figure.add_bar(**trace, marker_color=colour)
            continue
        is_short = part.height <= 2
        figure.add_scatter(
            **trace,
            mode="markers" if spec.kind == "Scatter" else "lines+markers" if is_short else "lines",
            line={"color": colour, "width": 2.5},
            marker={"color": colour, "size": 7},
            stackgroup="all" if spec.kind == "Area" else None,
        )
    figure.update_layout(
        barmode="stack" if spec.aggregation in ("Sum", "Count") else "group",
        height=380,
        margin={"l": 4, "r": 8, "t": 40 if spec.colour else 8, "b": 4},
        showlegend=bool(spec.colour),
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        font={"color": palette().ink},
    )
    is_label = not (drawn.schema["x"].is_temporal() or drawn.schema["x"].is_numeric())
    figure.update_xaxes(
        title=spec.x, type="category" if is_label else None, automargin=True, nticks=12
    )
    what = spec.y if spec.kind == "Scatter" else f"{spec.aggregation.lower()} of {spec.y}"
    figure.update_yaxes(title=what, tickformat="~s", nticks=7, automargin=True)
    return figure


_AGGREGATE = {
    "Sum": pl.col("y").sum(),
    "Mean": pl.col("y").mean(),
    "Median": pl.col("y").median(),
    "Least": pl.col("y").min(),
    "Most": pl.col("y").max(),
    "Count": pl.len().cast(pl.Float64).alias("y"),
}


def number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"


def _word(value: Any) -> str:
    return "none" if value is None else str(value)


def _left_out(notes: list[str]) -> str:
    return f"Drawn are {' and '.join(notes)}." if notes else ""
