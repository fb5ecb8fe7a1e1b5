"""The Customers page's parts."""

from datetime import date

import polars as pl
import streamlit as st

from console import charts, charts_people, wording
from console.queries import customers, lake_rows
from console.queries.customers import Purchases

_TOP = 50


def age() -> None:
    rows = lake_rows.lines()
    words = f"As of {wording.clock_time(rows.as_of)} · from the lake's order lines"
    st.caption(f"{words} · months in UTC · registered customers only, by id")
    if rows.fault:
        st.warning(rows.fault, icon=":material/cloud_off:")


def empty(bought: Purchases, currency: str) -> None:
    st.header("No registered customer has ordered yet", anchor=False)
    guests = wording.money(bought.guests, currency)
    st.caption(f"Guests brought {guests} net; who signs in before buying appears here.")


def key_figures(scored: pl.DataFrame, bought: Purchases, currency: str) -> None:
    buyers = scored.filter(pl.col("orders") > 0)
    again = buyers.filter(pl.col("orders") > 1).height
    net = int(scored["net"].sum())
    whole = net + bought.guests
    share = net * 100 / whole if whole else 0.0
    st.header(
        f"{again * 100 / buyers.height:.0f} % of {buyers.height:,} customers have ordered again",
        anchor=False,
    )
    cards = (
        ("Customers", f"{buyers.height:,}", "Distinct registered customers with an order."),
        ("Ordered again", f"{again:,}", "Customers with two orders or more."),
        ("Orders each", f"{buyers['orders'].sum() / buyers.height:.1f}", "Mean, of customers."),
        ("Net revenue", wording.money_short(net, currency), "Of registered customers."),
        ("Share of all", f"{share:.1f} %", "Of net revenue; the rest is from guests."),
        ("Median value", wording.money_short(_median(buyers), currency), "Net per customer."),
    )
    with st.grid(6, min_column_width=148, gap="small"):
        for label, value, words in cards:
            st.metric(label, value, border=True, height="stretch", help=words)


def months(bought: Purchases) -> None:
    frame = customers.by_month(bought.orders)
    with st.container(border=True, height="stretch"):
        best = frame.sort("new", descending=True).row(0, named=True)
        st.subheader(f"Most new customers: {best['new']:,} in {best['month']:%B %Y}", anchor=False)
        st.caption(
            "Customers who ordered, by month: new in the month of their first order, else returning"
        )
        charts.show(charts_people.months(frame), key="months", alt="New and returning customers")
        charts.download(frame, "customers-by-month")


def cohorts(bought: Purchases) -> None:
    frame = customers.cohorts(bought.orders)
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
            "ordered in a later one; the last month is still open"
        )
        charts.show(charts_people.cohorts(frame), key="cohorts", alt="Retention by cohort")
        charts.download(frame, "cohorts")


def segments(scored: pl.DataFrame, currency: str) -> None:
    frame = customers.segments(scored)
    with st.container(border=True, height="stretch"):
        best = frame.sort("net", descending=True).row(0, named=True)
        whole = int(frame["net"].sum()) or 1
        st.subheader(
            f"{best['segment']}: {best['share']:.0f} % of customers, "
            f"{best['net'] * 100 / whole:.0f} % of revenue",
            anchor=False,
        )
        st.caption(f"Net revenue by RFM segment in {currency}, with customers and their share")
        figure = charts_people.segments(frame, currency)
        charts.show(figure, key="segments", alt="Net revenue by segment")
        charts.download(frame, "segments")


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


def top(scored: pl.DataFrame, currency: str) -> None:
    with st.container(border=True):
        best = scored.row(0, named=True)
        amount = wording.money_short(best["net"], currency)
        st.subheader(f"Customer {best['customer_id']} brought {amount}", anchor=False)
        st.caption(f"The {min(_TOP, scored.height)} best customers by net revenue in {currency}")
        largest = max(int(best["net"]) // 100, 1)
        config = st.column_config
        st.dataframe(
            scored.head(_TOP).select(
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
        charts.download(scored, "customers-rfm", label=f"CSV of all {scored.height:,} customers")


def scored(bought: Purchases, today: date) -> pl.DataFrame:
    return customers.rfm(bought.orders, today)


def _median(buyers: pl.DataFrame) -> int:
    value = buyers["net"].median()
    return int(value) if isinstance(value, int | float) else 0


def _span(scores: tuple[int, int]) -> str:
    return str(scores[0]) if scores[0] == scores[1] else f"{scores[0]} to {scores[1]}"
