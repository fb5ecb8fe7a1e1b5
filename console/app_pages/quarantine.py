"""Quarantine: what the pipeline refused or gave up, why, and what becomes of it."""

import streamlit as st

from console import masthead
from console.boundary import boundary, live
from console.panels import quarantine, quarantine_case, quarantine_counts
from console.queries import desk
from pipeline.runtime.clock import now

st.title("Quarantine", anchor=False)
st.markdown(
    "Events that fail their schema and messages that their worker gave up lie here until somebody "
    "deals with them: mend them, send them on, or discard them with a reason. Nothing is deleted."
)
desk.begin_look()


@live("What was set aside", run_every_s=5)
def overview() -> None:
    masthead.say(now(), "looks again every 5 s")
    quarantine.overview()


@live("The redrive", run_every_s=1)
def redrive() -> None:
    quarantine.redrive_state()


overview()
redrive()
with boundary("The cases"):
    group = quarantine.choose()
    if group is not None:
        quarantine_case.show(group)
with boundary("Whether the counts add up"):
    quarantine_counts.show()
