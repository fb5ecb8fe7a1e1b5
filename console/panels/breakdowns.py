"""The Sales page's lower half: where, with what and when."""

from collections.abc import Callable

import polars as pl
import streamlit as st

from console import charts, charts_business, downloads, wording
from console.panels import period as controls
from console.panels.sales import View
from console.queries import breakdowns, lake_rows, report, sales
from console.queries.edge import Unreachable

_TOP = 8
_PLURAL = {"country": "countries", "category": "categories"}


def breakdown(view: View, column: str) -> None:
    """Net revenue by `country` or `category`, largest first; a bar clicked narrows the page."""
    frame = report.by(view.token, view.period, view.currency, column, view.only)
    bars = sales.by_group(frame, view.currency, _TOP)
    with st.container(border=True, height="stretch"):
        if bars.is_empty():
            st.subheader(f"No sales by {column}", anchor=False)
            st.caption(f"{_PLURAL[column].capitalize()} appear with the first sale in this range.")
            return
        name, share = bars["group"][0], bars["share"][0]
        st.subheader(f"{name or 'Unknown'} brings {share:.0f} % of net revenue", anchor=False)
        st.caption(
            f"Net revenue by {column} in {view.currency}, share in %{_other(view, column)}. "
            "Click a bar to narrow the page to it, again to widen it."
        )
        chosen = getattr(view.only, column)
        charts.show_to_pick(
            charts.shares(bars, view.currency, chosen),
            key=f"by-{column}-{chosen}",
            alt=f"Net revenue of the largest {_PLURAL[column]}, {view.period}",
            picked=lambda value: controls.pick(column, value),
        )
        every = sales.by_group(frame, view.currency, 10_000)
        downloads.csv(every, f"sales-by-{column}", label=f"CSV of all {every.height}")


def world(view: View) -> None:
    frame = report.by(view.token, view.period, view.currency, "country", view.only)
    sums = sales.by_group(frame, view.currency, 10_000)
    with st.container(border=True, height="stretch"):
        if sums.is_empty():
            st.subheader("No country on the map yet", anchor=False)
            st.caption("Countries are coloured with the first sale in this range.")
            return
        many = f"{sums.height} countries" if sums.height > 1 else sums["group"][0]
        abroad = 100 - sums["share"][0]
        st.subheader(f"Sold to {many}, {abroad:.0f} % outside the largest", anchor=False)
        figure, lost = charts_business.world(sums, view.currency, view.only.country)
        left = sums.filter(pl.col("group").is_in(lost))
        unplaced = ", ".join(
            f"{name} {wording.money_short(net, view.currency)}"
            for name, net in left.select("group", "net").iter_rows()
        )
        st.caption(
            f"Net revenue by country in {view.currency}, by magnitude{_other(view, 'country')}; "
            "dots are small countries. Click one to narrow the page to it."
            + (f" Not on the map: {unplaced}." if lost else "")
        )
        charts.show_to_pick(
            figure,
            key=f"world-{view.only.country}",
            alt=f"Map of net revenue by country, {view.period}",
            picked=lambda value: controls.pick("country", value),
            config=charts_business.MAP_CONFIG,
        )


def tree(view: View) -> None:
    frame = report.of_lines(breakdowns.tree, view.period, view.currency, view.only)
    with st.container(border=True, height="stretch"):
        if frame.is_empty():
            st.subheader("No products in this range", anchor=False)
            return
        best = frame.filter(pl.col("product_id") != "").row(0, named=True)
        amount = wording.money_short(best["gross"], view.currency)
        st.subheader(f"Largest: {best['product']}, {amount}", anchor=False)
        where = f" in {view.only.country}" if view.only.country else ""
        st.caption(
            f"Gross revenue by category and product in {view.currency}{where}, share in %, from "
            "the lake. Click a category to narrow the page to it and see its products, the bar on "
            "top to widen it."
        )
        chosen = view.only.category
        charts.show_to_pick(
            charts_business.tree(frame, view.currency, chosen),
            key=f"tree-{chosen}",
            alt=f"Gross revenue by category, {view.period}",
            picked=_pick_tile,
            field="id",
        )
        downloads.csv(frame, "sales-by-category-and-product")


def _pick_tile(tile: str) -> None:
    """`c:Clocks` narrows to a category, or widens again; a product's tile changes nothing."""
    kind, _, name = tile.partition(":")
    if kind == "c":
        controls.pick("category", name)


def week(view: View) -> None:
    frame = report.of_lines(breakdowns.week, view.period, view.currency, view.only)
    with st.container(border=True, height="stretch"):
        best = frame.sort("gross", descending=True).row(0, named=True)
        if not best["gross"]:
            st.subheader("No busy hour yet", anchor=False)
            return
        day = breakdowns.WEEKDAYS[best["weekday"] - 1]
        st.subheader(f"Busiest: {day} {best['hour']:02d}:00 to {best['hour'] + 1:02d}:00 UTC",
                     anchor=False)  # fmt: skip
        st.caption(
            f"Gross revenue by hour (UTC) and weekday in {view.currency}{view.only.words}, "
            "summed over the range, from the lake"
        )
        figure = charts_business.week(frame, view.currency)
        charts.show(figure, key="week", alt=f"Gross revenue by weekday and hour, {view.period}")
        downloads.csv(frame, "sales-by-weekday-and-hour")


def products(view: View) -> None:
    frame = report.products(view.token, view.period, view.currency, view.only)
    with st.container(border=True):
        if frame.is_empty():
            st.subheader("No products sold in this range", anchor=False)
            return
        st.subheader(f"{frame['title'][0]} sells best", anchor=False)
        st.caption(
            f"The {frame.height} best products by gross revenue in {view.currency}"
            f"{view.only.words}; the course is gross revenue in {view.currency}, the range in 24 "
            "equal parts"
        )
        largest = max(int(frame["gross"][0]) // 100, 1)
        table = _with_courses(view, frame).select(
            "title", "course", (pl.col("gross") // 100).alias("revenue"), "units", "product_id"
        )
        config = st.column_config
        st.dataframe(
            table,
            hide_index=True,
            alt="Top products with course, units and revenue",
            height=386,
            column_config={
                "title": config.TextColumn("Product", width=230),
                "course": config.AreaChartColumn(f"Course ({view.currency})", y_min=0, width=140),
                "product_id": config.TextColumn("Code", width="small"),
                "units": config.NumberColumn("Units", format="localized"),
                "revenue": config.ProgressColumn(
                    f"Revenue ({view.currency})", format="localized", min_value=0, max_value=largest
                ),
            },
        )
        downloads.csv(frame, "top-products")


CARDS: dict[str, Callable[[View], None]] = {
    "The map": world,
    "Revenue by country": lambda view: breakdown(view, "country"),
    "The tree of categories": tree,
    "Revenue by category": lambda view: breakdown(view, "category"),
}


def lake_age() -> None:
    """Says so when the lake's part of the page is old."""
    fault = lake_rows.lines().fault
    if fault:
        as_of = wording.clock_time(lake_rows.lines().as_of)
        st.warning(f"{fault} What comes from it is as of {as_of}.", icon=":material/cloud_off:")


def _with_courses(view: View, frame: pl.DataFrame) -> pl.DataFrame:
    try:
        shown = tuple(frame["product_id"])
        courses = report.of_lines(breakdowns.courses, view.period, view.currency, view.only, shown)
    except Unreachable:  # the table stands without its little curves
        return frame.with_columns(course=pl.lit(None, pl.List(pl.Float64)))
    return frame.join(courses, on="product_id", how="left", maintain_order="left")


def _other(view: View, column: str) -> str:
    other = view.only.category if column == "country" else view.only.country
    return f", {other} only" if other else ""
