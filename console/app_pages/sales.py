"""Sales: what was earned, when, where and with what."""

import streamlit as st

from console.boundary import boundary, live
from console.panels import breakdowns, orders
from console.panels import period as controls
from console.panels import sales as panels

st.title("Sales", anchor=False)
view = panels.choose()


@live("The sales figures", run_every_s=3)
def figures() -> None:
    controls.follow_pick()
    panels.figures(view.again())


@live("The breakdowns", run_every_s=10)
def where_what_when() -> None:
    controls.follow_pick()
    here = view.again()
    with st.grid(2, min_column_width=340):
        for what, draw in breakdowns.CARDS.items():
            with boundary(what):
                draw(here)
    with boundary("The week"):
        breakdowns.week(here)
    with boundary("The lake's age"):
        breakdowns.lake_age()
    with boundary("Top products"):
        breakdowns.products(here)


@live("Orders", run_every_s=3)
def newest() -> None:
    orders.latest(view.again())


figures()
where_what_when()
newest()
