"""Sales: what was earned, when, where and with what."""

import streamlit as st

from console import context, first_paint
from console.boundary import boundary, live
from console.panels import breakdowns, orders, progress
from console.panels import period as controls
from console.panels import sales as panels
from console.queries import report, sales
from console.settings import settings
from pipeline.runtime.clock import now

st.title("Sales", anchor=False)
with st.container(horizontal=True, horizontal_alignment="distribute"):
    period = controls.choose_period(controls.opening_range())
    grain = controls.choose_grain(period)
with st.container(horizontal=True):
    before, before_name = controls.choose_comparison(period)
    only = report.Filter()
    with boundary("The filters"):
        report.begin(context.token(), period, before, grain)
        options = sales.groups(context.token(), period)
        only = controls.choose_filter(options)
    currency = controls.choose_currency(context.token(), period, grain, settings().currency)
    controls.way_back()


def view() -> panels.View:
    return panels.View(context.token(), period, grain, currency, before, before_name, only)


@live("The sales figures", run_every_s=3)
def figures() -> None:
    controls.follow_pick()
    here = view()
    progress.replay_banner()
    progress.data_age(here.token)
    mine, series = report.report(here.token, period, grain, currency, only)
    theirs, earlier = None, None
    if before:
        theirs, past = report.report(here.token, before, grain, currency, only)
        earlier = sales.filled(past, currency, before, grain)
    filled = panels.without_silence(sales.filled(series, currency, period, grain), period)
    st.header(panels.headline(mine, theirs, here), anchor=False)
    st.caption(panels.range_words(here, now().date()))
    panels.key_figures(mine, theirs, filled)
    first_paint.headline_drawn("sales")
    panels.revenue(here, filled, mine, earlier)


@live("The breakdowns", run_every_s=10)
def where_what_when() -> None:
    controls.follow_pick()
    here = view()
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
    orders.latest(view())


figures()
where_what_when()
newest()
