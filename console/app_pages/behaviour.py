"""Behaviour: how shoppers come to an order, what they look for, where they come from."""

import streamlit as st

from console import context, first_paint
from console.boundary import boundary, live
from console.panels import behaviour as panels
from console.panels import period as controls
from console.queries import behaviour

st.title("Behaviour", anchor=False)
period = controls.choose_period("28d")


@live("What shoppers do", run_every_s=10)
def page() -> None:
    behaviour.counters.begin(context.token(), period)
    panels.age(period)
    frame = behaviour.clicks(period)
    counted = behaviour.counters(context.token(), period)
    st.header(f"{sum(counted.values()):,} clicks in {period}", anchor=False)
    panels.few(frame, period)
    panels.counts(counted, frame)
    first_paint.headline_drawn("behaviour")
    with boundary("The funnel"):
        panels.funnel(frame, behaviour.visits(period))
    with st.grid(2, min_column_width=340):
        with boundary("Searches"):
            panels.searches(frame)
        with boundary("Searches without results"):
            panels.searches_without(frame)
        with boundary("Devices"):
            panels.ranking(behaviour.devices(frame), "{share:.0f} % come by {name}",
                           "Page views by device", "devices")  # fmt: skip
        with boundary("Referrers"):
            panels.ranking(behaviour.referrers(frame), "{share:.0f} % of views: {name}",
                           "Page views by where they come from", "referrers")  # fmt: skip


page()
