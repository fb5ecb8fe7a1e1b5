"""The Sales page's parts."""

from dataclasses import dataclass, replace
from datetime import date

import polars as pl
import streamlit as st

from console import charts, context, downloads, first_paint, wording
from console.boundary import boundary
from console.panels import period as controls
from console.panels import progress
from console.periods import Grain, Period
from console.queries import report, sales
from console.queries.report import Filter
from console.queries.sales import Totals
from console.settings import settings
from pipeline.runtime.clock import now


@dataclass(frozen=True, slots=True)
class View:
    """What is looked at, against what, and by whose token."""

    token: str
    period: Period
    grain: Grain
    currency: str
    before: Period | None = None
    before_name: str = ""
    only: Filter = Filter()  # noqa: RUF009 - it is frozen

    def again(self) -> "View":
        """The same with a token of now: live parts draw for longer than one lives."""
        return replace(self, token=context.token())


def choose() -> View:
    """The controls above the figures; what they say is in the address, too."""
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        period = controls.choose_period(controls.opening_range())
        grain = controls.choose_grain(period)
    with st.container(horizontal=True):
        before, before_name = controls.choose_comparison(period)
        only = Filter()
        with boundary("The filters"):
            report.begin(context.token(), period, before, grain)
            only = controls.choose_filter(sales.groups(context.token(), period))
        currency = controls.choose_currency(context.token(), period, grain, settings().currency)
        controls.way_back()
    return View(context.token(), period, grain, currency, before, before_name, only)


def figures(view: View) -> None:
    """The headline, the cards and the curve, with how far a replay is."""
    progress.replay_banner()
    progress.say_age(view.token)
    mine, series = report.report(view.token, view.period, view.grain, view.currency, view.only)
    theirs, earlier = None, None
    if view.before:
        theirs, past = report.report(view.token, view.before, view.grain, view.currency, view.only)
        earlier = sales.filled(past, view.currency, view.before, view.grain)
    filled = sales.filled(series, view.currency, view.period, view.grain)
    filled = without_silence(filled, view.period)
    st.header(headline(mine, theirs, view), anchor=False)
    st.caption(range_words(view, now().date()))
    key_figures(mine, theirs, filled)
    first_paint.headline_drawn("sales")
    revenue(view, filled, mine, earlier)


def headline(mine: Totals, before: Totals | None, view: View) -> str:
    """The page's finding in one sentence."""
    period, where = view.period, view.only.words
    if not mine.orders and not mine.refunds:
        return (
            f"Nothing was sold{where} in {period}"
            if period.days > 1
            else f"No sales{where} on {period} yet"
        )
    amount = wording.money_short(mine.net, mine.currency)
    moved = wording.change(mine.net, before.net) if before else None
    if moved is None:
        return f"Net revenue {amount}{where} over {period}"
    return f"Net revenue {amount}{where}, {wording.percent(moved)} on {view.before_name}"


def range_words(view: View, today: date) -> str:
    """`01 Nov 2026 to 24 Nov 2026 so far, changes against the previous 28 days`."""
    so_far = " so far" if view.period.until > today and view.period.preset != "all" else ""
    words = f"{view.period}{so_far}".replace("all time", "All time")
    return f"{words}, changes against {view.before_name} ({view.before})" if view.before else words


def key_figures(mine: Totals, before: Totals | None, series: pl.DataFrame) -> None:
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
            value, then = getattr(mine, field), getattr(before, field, None)
            if value is None:
                st.metric(label, "–", border=True, height="stretch", help=_HELP[field])
                continue
            moved = _moved(value, then) if then is not None else None
            shown = wording.money_short(value, mine.currency) if is_money else f"{value:,}"
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


def revenue(view: View, series: pl.DataFrame, totals: Totals, earlier: pl.DataFrame | None) -> None:
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
            f"Revenue by {view.grain} in {view.currency}; {view.grain}s begin at 00:00 UTC. Click "
            f"a bar to narrow the page to its {view.grain}."
            if view.grain != "hour"
            else f"Revenue by hour in {view.currency}, UTC"
        )
        overlay = None if earlier is None else (view.before_name, earlier)
        figure = charts.revenue_over_time(series, view.currency, view.grain, overlay)
        words = f"Gross revenue, refunds and net revenue by {view.grain}, {view.period}"
        if view.grain == "hour":
            charts.show(figure, key="revenue", alt=words)
        else:
            charts.show_to_pick(
                figure,
                key=f"revenue-{view.period}-{view.grain}",
                alt=words,
                picked=lambda start: controls.pick_bucket(start, view.grain),
            )
        name = f"sales-{view.period.first}-{view.grain}"
        downloads.csv(series, name, label="Download the series as CSV")


def without_silence(series: pl.DataFrame, period: Period) -> pl.DataFrame:
    """Of all time, up to the last sale: years without one would press the others together."""
    if period.preset != "all":
        return series
    last = series.filter((pl.col("gross") != 0) | (pl.col("refunds") != 0))["bucket"].max()
    return series if last is None else series.filter(pl.col("bucket") <= last)


def _moved(is_now: int, before: int) -> float | None:
    # Refunds are at or below zero; more money given back is a rise.
    return wording.change(abs(is_now), abs(before))


_HELP = {
    "net": "Gross less refunds; merchandise only, without shipping and tax.",
    "orders": "Orders placed, each once.",
    "units": "Pieces in placed orders.",
    "average_order": "Gross revenue divided by orders.",
    "customers": "Distinct known customers; guests are not counted.",
    "refunds": "Lines given back: refunds, cancellations and failed payments.",
}
