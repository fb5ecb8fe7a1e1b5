"""Explore: SQL over the lake, for questions that no page answers."""

import streamlit as st

from console.boundary import boundary
from console.panels import explore, explore_side
from console.panels import period as controls

st.title("Explore", anchor=False)
st.caption(
    "SQL over the lake's Parquet: the curated tables up to this second, what was refused, and the "
    "raw events. Only the chosen UTC days are read."
)
period = controls.choose_period("all")
explore.opening()
left, right = st.columns([0.67, 0.33], gap="medium")
with left:
    with boundary("The editor"):
        explore.editor(period)
    with boundary("The result"):
        explore.result()
with right, boundary("The tables"):
    explore_side.show(period)
