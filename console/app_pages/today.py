"""Today: how the day goes, against yesterday and the same weekday last week."""

import streamlit as st

from console import context, first_paint
from console.boundary import boundary, live
from console.panels import progress, today
from console.queries import today as queries
from console.settings import settings
from pipeline.runtime.clock import now

st.title("Today", anchor=False)


@live("Today's figures", run_every_s=3)
def figures() -> None:
    token, at = context.token(), now()
    queries.begin(token, at)
    progress.replay_banner()
    progress.say_age(token)
    currency = today.currency_of(token, at, settings().currency)
    mine = queries.now_day(token, at, currency)
    st.header(today.headline(mine, currency), anchor=False)
    others = today.others_or_none(at, currency)
    st.caption(f"Since 00:00 UTC; yesterday and last {at:%A} until {at:%H:%M:%S} UTC, too")
    today.key_figures(mine, others, currency)
    first_paint.headline_drawn("today")
    with boundary("Revenue by hour"):
        today.hours(token, at, currency)


@live("The newest orders", run_every_s=2)
def feed() -> None:
    today.feed(now())


@live("What runs low", run_every_s=5)
def running_low() -> None:
    today.low_stock(now())


figures()
feed()
running_low()
