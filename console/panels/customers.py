"""The Customers page's parts."""

from datetime import date, timedelta

import polars as pl
import streamlit as st

from console import charts, charts_people, downloads, masthead, wording
from console.periods import Period
from console.queries import customers, lake_rows
from console.queries.customers import Purchases, Step
from pipeline.runtime.clock import now

_TOP = 50
_MAX_DAYS = 62


def age() -> None:
    rows = lake_rows.lines()
    masthead.say(rows.as_of, "from the lake")
    st.caption("Registered customers only, by id; from the lake's order lines")
    if rows.fault:
        st.warning(rows.fault, icon=":material/cloud_off:")


def empty(bought: Purchases, currency: str, period: Period) -> None:
    st.header(f"No registered customer ordered in {period}", anchor=False)
    guests = wording.money(bought.guests, currency)
    st.caption(f"Guests brought {guests} net. Choose a longer range to see who ordered before.")


def key_figures(scored: pl.DataFrame, mine: Purchases, currency: str, period: Period) -> None:
    """Args: `scored` as of the range's end, `mine` of the range alone."""
    active = mine.orders.filter("is_sale")
    buyers = scored.join(active.select("customer_id").unique(), on="customer_id", how="semi")
    again = buyers.filter(pl.col("orders") > 1).height
    new = buyers.filter(pl.col("first_order") >= period.first).height
    net = int(mine.orders["net"].sum())
    whole = net + mine.guests
    share = net * 100 / whole if whole else 0.0
    when = (
        "have ordered again"
        if period.preset == "all"
        else (f"of {period} have ordered more than once")
    )
    st.header(
        f"{again * 100 / buyers.height:.0f} % of {buyers.height:,} customers {when}", anchor=False
    )
    cards = (
        ("Customers", f"{buyers.height:,}", "Registered customers who ordered in the range."),
        ("New", f"{new:,}", "Of them, those whose first order ever is in the range."),
        ("Ordered again", f"{again:,}", "Of them, those with two orders or more by its end."),
        ("Orders each", f"{active.height / buyers.height:.1f}", "Mean, in the range."),
        ("Net revenue", wording.money_short(net, currency), "Of registered customers."),
        ("Share of all", f"{share:.1f} %", "Of net revenue; the rest is from guests."),
    )
    with st.grid(6, min_column_width=148, gap="small"):
        for label, value, words in cards:
            st.metric(label, value, border=True, height="stretch", help=words)


def new_and_returning(known: Purchases, period: Period) -> None:
    """Args: `known` from the beginning to the range's end."""
    step: Step = "day" if period.days <= _MAX_DAYS else "month"
    frame = customers.by_period(known.orders, period, step)
    with st.container(border=True, height="stretch"):
        best = frame.sort("new", descending=True).row(0, named=True)
        when = f"on {best['start']:%d %b %Y}" if step == "day" else f"in {best['start']:%B %Y}"
        st.subheader(f"Most new customers: {best['new']:,} {when}", anchor=False)
        st.caption(
            f"Customers who ordered, by {step} (UTC): new in the {step} of their first order, else "
            "returning"
        )
        figure = charts_people.new_and_returning(frame, step)
        charts.show(figure, key="months", alt=f"New and returning customers, {period}")
        downloads.csv(frame, f"customers-by-{step}")


def cohorts(known: Purchases, period: Period) -> None:
    frame = customers.cohorts(known.orders)
    second = frame.filter(pl.col("age") == 1)
    with st.container(border=True, height="stretch"):
        if second.is_empty():
            st.subheader("Cohorts need a second month", anchor=False)
            st.caption("Retention is shown once a month has passed since the first order.")
            return
        mean = int(second["customers"].sum()) * 100 / int(second["size"].sum())
        st.subheader(f"{mean:.0f} % order again in the month after their first", anchor=False)
        st.caption(
            "Share in % of those whose first order was in a month (how many in brackets) that "
            f"ordered in a later one, {as_of(period)}; the last month may still be open"
        )
        charts.show(charts_people.cohorts(frame), key="cohorts", alt="Retention by cohort")
        downloads.csv(frame, "cohorts")


def as_of(period: Period) -> str:
    """The end of the range, which is never after today."""
    return f"as of the end of {last_day(period):%d %b %Y}"


def last_day(period: Period) -> date:
    return min(period.until - timedelta(days=1), now().date())


def segments(scored: pl.DataFrame, currency: str, period: Period) -> None:
    frame = customers.segments(scored)
    with st.container(border=True, height="stretch"):
        best = frame.sort("net", descending=True).row(0, named=True)
        whole = int(frame["net"].sum()) or 1
        st.subheader(
            f"{best['segment']}: {best['share']:.0f} % of customers, "
            f"{best['net'] * 100 / whole:.0f} % of revenue",
            anchor=False,
        )
        st.caption(
            f"Net revenue so far by RFM segment in {currency}, with customers and their share, "
            f"{as_of(period)}"
        )
        figure = charts_people.segments(frame, currency)
        charts.show(figure, key="segments", alt="Net revenue by segment")
        downloads.csv(frame, "segments")


def definition() -> None:
    with st.expander("How the segments are made", icon=":material/help:"):
        st.markdown(
            "Customers are ranked by **recency** (days since the last order), **frequency** "
            "(orders) and **monetary value** (net revenue), and each ranking is cut into fifths: 5 "
            "is the best fifth. Equal values score alike. Recency and frequency name the segment; "
            "the monetary score is in the download."
        )
        table = pl.DataFrame(
            [
                {"Segment": name, "Who": words, "Recency": _span(r), "Frequency": _span(f)}
                for name, words, r, f in customers.SEGMENTS
            ]
        )
        st.dataframe(table, hide_index=True, alt="Segments by recency and frequency score")


def top(scored: pl.DataFrame, mine: Purchases, currency: str, period: Period) -> None:
    """By what they brought in the range, with the segment they were in at its end."""
    sums = mine.orders.group_by("customer_id").agg(
        pl.col("net").sum(), pl.col("is_sale").sum().cast(pl.Int64).alias("orders")
    )
    ranked = sums.join(scored.drop("net", "orders"), on="customer_id").sort(
        ["net", "customer_id"], descending=[True, False]
    )
    with st.container(border=True):
        best = ranked.row(0, named=True)
        amount = wording.money_short(best["net"], currency)
        st.subheader(f"Customer {best['customer_id']} brought {amount}", anchor=False)
        st.caption(
            f"The {min(_TOP, ranked.height)} best customers by net revenue in {currency}, {period};"
            f" segment and last order {as_of(period)}"
        )
        largest = max(int(best["net"]) // 100, 1)
        config = st.column_config
        st.dataframe(
            ranked.head(_TOP).select(
                "customer_id", (pl.col("net") // 100).alias("net"), "orders", "segment",
                "last_order", "first_order",
            ),
            hide_index=True,
            alt="Best customers",
            height=386,
            column_config={
                "customer_id": config.TextColumn("Customer", width="small"),
                "net": config.ProgressColumn(
                    f"Net ({currency})", format="localized", min_value=0, max_value=largest
                ),
                "orders": config.NumberColumn("Orders", format="localized", width="small"),
                "segment": config.TextColumn("Segment"),
                "last_order": config.DateColumn("Last order"),
                "first_order": config.DateColumn("First order"),
            },
        )  # fmt: skip
        downloads.csv(scored, "customers-rfm", label=f"CSV of all {scored.height:,} customers")


def scored(known: Purchases, period: Period) -> pl.DataFrame:
    return customers.rfm(known.orders, last_day(period))


def _span(scores: tuple[int, int]) -> str:
    return str(scores[0]) if scores[0] == scores[1] else f"{scores[0]} to {scores[1]}"
