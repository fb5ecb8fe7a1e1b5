"""Customers: who is new, who comes back, who is worth what."""

import streamlit as st

from console.boundary import boundary, live
from console.panels import customers as panels
from console.queries import customers
from console.settings import settings
from pipeline.runtime.clock import now

st.title("Customers", anchor=False)


@live("The customers", run_every_s=10)
def page() -> None:
    panels.age()
    currency = settings().currency
    bought = customers.purchases(currency)
    if len(bought.currencies) > 1:
        currency = st.segmented_control(
            "Currency", bought.currencies, default=currency, required=True
        )
        bought = customers.purchases(currency)
    scored = panels.scored(bought, now().date())
    if scored.is_empty() or not scored["orders"].sum():
        panels.empty(bought, currency)
        return
    panels.key_figures(scored, bought, currency)
    with st.grid(2, min_column_width=340):
        with boundary("New and returning customers"):
            panels.months(bought)
        with boundary("The segments"):
            panels.segments(scored, currency)
    panels.definition()
    with boundary("The cohorts"):
        panels.cohorts(bought)
    with boundary("The best customers"):
        panels.top(scored, currency)


page()
