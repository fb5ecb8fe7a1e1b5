"""Load: start a run, watch it, and compare it with those before."""

import streamlit as st

from console import masthead
from console.boundary import boundary, live
from console.panels import load as panels
from console.panels import load_history, load_live
from console.queries import load
from pipeline.runtime.clock import now

st.title("Load", anchor=False)
running = None
# The form comes and goes. Its place stays: Streamlit takes an empty one away, and what the live
# parts below draw would then miss theirs.
with st.container():
    st.empty()
    with boundary("Whether a load run is going"):
        running = load.find_running()
        panels.remember(running)
        if running is None:
            panels.start_form()


@live("The load run", run_every_s=1)
def watch() -> None:
    going = load.find_running()
    if panels.shows_other_run(going):
        st.rerun()
    masthead.say(now(), "one run at a time, across all consoles")
    if going is not None:
        load_live.running(going)


@live("The course of the load run", run_every_s=3)
def follow() -> None:
    """Less often than the figures: drawing charts takes the processor that the load needs."""
    going = load.find_running()
    if going is not None:
        load_live.course(going)


watch()
follow()
with boundary("Earlier load runs"):
    load_history.history(running)
with boundary("Cleaning up"):
    panels.cleaning()
