"""Alarms: what CloudWatch watches, what it found, and who has taken note."""

import streamlit as st

from console.boundary import live
from console.panels import health_alarms

st.title("Alarms", anchor=False)


@live("The alarms", run_every_s=3)
def alarms() -> None:
    health_alarms.states()


@live("The alarms' history", run_every_s=5)
def history() -> None:
    health_alarms.history()


alarms()
health_alarms.acknowledge_button()
history()
