"""Customers: who is new, who comes back, who is worth what."""

import streamlit as st

from console import first_paint
from console.boundary import boundary, live
from console.panels import customers as panels
from console.panels import period as controls
from console.queries import customers
from console.settings import settings

st.title("Customers", anchor=False)
period = controls.choose_period("all")


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
    known, mine = bought.until(period.until), bought.within(period)
    if not mine.orders["is_sale"].any():
        panels.empty(mine, currency, period)
        return
    scored = panels.scored(known, period)
    panels.key_figures(scored, mine, currency, period)
    first_paint.headline_drawn("customers")
    with st.grid(2, min_column_width=340):
        with boundary("New and returning customers"):
            panels.new_and_returning(known, period)
        with boundary("The segments"):
            panels.segments(scored, currency, period)
    panels.definition()
    with boundary("The cohorts"):
        panels.cohorts(known, period)
    with boundary("The best customers"):
        panels.top(scored, mine, currency, period)


page()
