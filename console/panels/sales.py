"""The Sales page's parts."""

from dataclasses import dataclass

import polars as pl
import streamlit as st

from console import charts, wording
from console.periods import Grain, Period, name_of_previous
from console.queries import sales
from console.queries.sales import Totals

_TOP_COUNTRIES = 8
_TOP_CATEGORIES = 8


@dataclass(frozen=True, slots=True)
class View:
    """What is looked at, and by whose token."""

    token: str
    period: Period
    grain: Grain
    currency: str


def headline(now: Totals, before: Totals | None, period: Period) -> str:
    """The page's finding in one sentence."""
    if not now.orders and not now.refunds:
        return f"Nothing was sold in {period}" if period.days > 1 else f"No sales on {period} yet"
    amount = wording.money_short(now.net, now.currency)
    moved = wording.change(now.net, before.net) if before else None
    if moved is None:
        return f"Net revenue {amount} over {period}"
    return f"Net revenue {amount}, {wording.percent(moved)} on {name_of_previous(period)}"


def key_figures(now: Totals, before: Totals | None, series: pl.DataFrame) -> None:
    """Six cards with the change on the previous period and a sparkline of the range."""
    sparks = {name: series[name].to_list() for name in ("net", "orders", "units", "refunds")}
    average = series.select(
        pl.when(pl.col("orders") > 0).then(pl.col("gross") // pl.col("orders")).otherwise(0)
    ).to_series()
    cards = (
        ("Net revenue", "net", True, sparks["net"]),
        ("Orders", "orders", False, sparks["orders"]),
        ("Units", "units", False, sparks["units"]),
        ("Average order", "average_order", True, average.to_list()),
        ("Customers", "customers", False, None),
        ("Refunds", "refunds", True, [-value for value in sparks["refunds"]]),
    )
    with st.grid(6, min_column_width=148, gap="small"):
        for label, field, is_money, spark in cards:
            value = getattr(now, field)
            moved = _moved(value, getattr(before, field)) if before else None
            shown = wording.money_short(value, now.currency) if is_money else f"{value:,}"
            st.metric(
                label,
                shown,
                delta=None if moved is None else wording.percent(moved).replace("−", "-"),
                delta_color="inverse" if field == "refunds" else "normal",
                border=True,
                chart_data=spark if spark and any(spark) else None,
                chart_type="area",
                height="stretch",
                help=_HELP[field],
            )


def revenue(view: View, series: pl.DataFrame, totals: Totals) -> None:
    best = series.filter(pl.col("net") == pl.col("net").max()).head(1)
    with st.container(border=True):
        if not totals.orders or best.is_empty():
            st.subheader("No revenue in this range", anchor=False)
            st.caption("The curve begins with the first sale. All time shows what there is.")
            return
        when = best["bucket"][0]
        shape = {"hour": "%d %b %H:00 UTC", "day": "%a %d %b %Y", "month": "%B %Y"}[view.grain]
        amount = wording.money_short(best["net"][0], view.currency)
        st.subheader(f"Best {view.grain}: {when:{shape}} with {amount} net", anchor=False)
        st.caption(
            f"Revenue by {view.grain} in {view.currency}; {view.grain}s begin at 00:00 UTC"
            if view.grain != "hour"
            else f"Revenue by hour in {view.currency}, UTC"
        )
        figure = charts.revenue_over_time(series, view.currency, view.grain)
        words = f"Gross revenue, refunds and net revenue by {view.grain}, {view.period}"
        charts.show(figure, key="revenue", alt=words)


def breakdown(view: View, group_by: str) -> None:
    """Net revenue by `country` or `category`, largest first, with shares."""
    grain = sales.grouping_grain(view.period)
    _, grouped = sales.settled_sales(view.token, view.period, grain, group_by)
    top = _TOP_COUNTRIES if group_by == "country" else _TOP_CATEGORIES
    frame = sales.by_group(grouped, view.currency, top)
    plural = {"country": "countries", "category": "categories"}[group_by]
    with st.container(border=True, height="stretch"):
        if frame.is_empty():
            st.subheader(f"No sales by {group_by}", anchor=False)
            st.caption(f"{plural.capitalize()} appear with the first sale in this range.")
            return
        name, share = frame["group"][0], frame["share"][0]
        st.subheader(f"{name or 'Unknown'} brings {share:.0f} % of net revenue", anchor=False)
        st.caption(f"Net revenue by {group_by} in {view.currency}, share of the range in %")
        alt = f"Net revenue of the largest {plural}, {view.period}"
        charts.show(charts.shares(frame, view.currency), key=f"by-{group_by}", alt=alt)


def products(view: View) -> None:
    frame = sales.top_products(view.token, view.period)
    frame = frame.filter(pl.col("currency").is_in([view.currency, ""]))
    with st.container(border=True):
        if frame.is_empty():
            st.subheader("No products sold in this range", anchor=False)
            return
        st.subheader(f"{frame['title'][0]} sells best", anchor=False)
        st.caption(f"Products by gross revenue in {view.currency}")
        largest = max(int(frame["gross"][0]) // 100, 1)
        table = frame.select(
            "title", (pl.col("gross") // 100).alias("revenue"), "units", "product_id"
        )
        st.dataframe(
            table,
            hide_index=True,
            alt="Top products with units and revenue",
            height=386,
            column_config={
                "title": st.column_config.TextColumn("Product", width=230),
                "product_id": st.column_config.TextColumn("Code", width="small"),
                "units": st.column_config.NumberColumn("Units", format="localized"),
                "revenue": st.column_config.ProgressColumn(
                    f"Revenue ({view.currency})",
                    format="localized",
                    min_value=0,
                    max_value=largest,
                ),
            },
        )
        st.download_button(
            "Download CSV",
            frame.write_csv,
            "top-products.csv",
            "text/csv",
            key="csv-products",
            icon=":material/download:",
            on_click="ignore",
        )


def _moved(now: int, before: int) -> float | None:
    # Refunds are at or below zero; more money given back is a rise.
    return wording.change(abs(now), abs(before))


_HELP = {
    "net": "Gross less refunds; merchandise only, without shipping and tax.",
    "orders": "Orders placed, each once.",
    "units": "Pieces in placed orders.",
    "average_order": "Gross revenue divided by orders.",
    "customers": "Distinct known customers; guests are not counted.",
    "refunds": "Lines given back: refunds, cancellations and failed payments.",
}
