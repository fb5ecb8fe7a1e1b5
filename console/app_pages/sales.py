"""Sales: what was earned, when, where and with what."""

import streamlit as st

from console import context
from console.boundary import boundary, live
from console.panels import orders, progress
from console.panels import period as controls
from console.panels import sales as panels
from console.queries import sales
from console.settings import settings

st.title("Sales", anchor=False)
with st.container(horizontal=True, horizontal_alignment="distribute"):
    period = controls.choose_period(controls.opening_range())
    grain = controls.choose_grain(period)


@live("The sales figures", run_every_s=3)
def figures() -> None:
    token = context.token()
    progress.replay_banner()
    progress.data_age(token, period)
    totals, series = sales.sales(token, period, grain)
    before, _ = (
        sales.settled_sales(token, period.previous, grain) if period.previous else ({}, None)
    )
    currencies = sorted(totals) or [settings().currency]
    currency = currencies[0]
    if len(currencies) > 1:
        currency = st.segmented_control("Currency", currencies, default=currency, required=True)
    now = totals.get(currency, sales.Totals(currency))
    then = before.get(currency, sales.Totals(currency)) if period.previous else None
    view = panels.View(token, period, grain, currency)
    filled = sales.filled(series, currency, period, grain)
    st.header(panels.headline(now, then, period), anchor=False)
    panels.key_figures(now, then, filled)
    panels.revenue(view, filled, now)
    with st.grid(2, min_column_width=340):
        for group_by in ("country", "category"):
            with boundary(f"Revenue by {group_by}"):
                panels.breakdown(view, group_by)
    with boundary("Orders"):
        orders.latest(view)
    with boundary("Top products"):
        panels.products(view)
    st.download_button(
        "Download the series as CSV",
        filled.write_csv,
        f"sales-{period.first}-{grain}.csv",
        "text/csv",
        key="csv-series",
        icon=":material/download:",
        on_click="ignore",
    )


figures()
