"""The overview's cards."""

import streamlit as st

from console import pages, wording
from console.panels import machines, proof
from console.periods import preset_period
from console.queries import runs, sales
from console.queries.probes import Reading
from console.settings import settings
from pipeline.runtime.clock import now


def today(token: str) -> None:
    """Orders and net revenue since 00:00 UTC, with the last 28 days beside."""
    day = now().date()
    totals, _ = sales.sales(token, preset_period("today", day), "hour")
    month, series = sales.settled_sales(token, preset_period("28d", day), "day")
    currency = next(iter(sorted(totals) or sorted(month)), settings().currency)
    mine = totals.get(currency, sales.Totals(currency))
    theirs = month.get(currency, sales.Totals(currency))
    spark = sales.filled(series, currency, preset_period("28d", day), "day")["net"].to_list()
    with st.container(border=True, height="stretch"):
        amount = wording.money_short(mine.net, currency)
        st.subheader(f"{mine.orders:,} orders today, {amount} net", anchor=False)
        with st.grid(2, min_column_width=140):
            st.metric("Net today", amount, height="stretch")
            st.metric(
                "Net, 28 days",
                wording.money_short(theirs.net, currency),
                chart_data=spark if any(spark) else None,
                chart_type="area",
            )
        pages.link("sales", "Sales")


def begin(token: str) -> None:
    """Read side by side what the cards need."""
    day = now().date()
    runs.find_replay.begin()
    runs.find_proof.begin()
    sales.freshness.begin(token)
    sales.sales.begin(token, preset_period("today", day), "hour")
    sales.settled_sales.begin(token, preset_period("28d", day), "day")


def last_proof() -> None:
    report = proof.report_of(runs.find_proof())
    with st.container(border=True, height="stretch"):
        if report is None:
            st.subheader("Nothing has been proven yet", anchor=False)
            st.caption("An operator runs the proof on the Proof page.")
            return
        verdict, sentence = proof.finding(report)
        st.subheader(sentence, anchor=False)
        words = f"The last proof, {proof.age_words(report)}"
        draw = {"valid": st.success, "invalid": st.error, "not proven": st.warning}[verdict]
        draw(words)
        pages.link("proof", "Proof")


def health(found: dict[str, Reading]) -> None:
    is_well, sentence = machines.finding(found)
    with st.container(border=True, height="stretch"):
        st.subheader("The system is well" if is_well else "Something is down", anchor=False)
        (st.success if is_well else st.error)(sentence)
        pages.link("system", "System")
