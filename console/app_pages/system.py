"""System: what runs, where it is behind, and what is down; true within five seconds."""

import streamlit as st

from console import masthead
from console.boundary import boundary, live
from console.panels import controls, data, machines
from console.queries.probes import as_of

st.title("System", anchor=False)


@live("The processes and replicas", run_every_s=1.5)
def fast() -> None:
    found = machines.readings()
    is_well, sentence = machines.finding(found)
    masthead.say(as_of(*found.values()), "looks again every second")
    if is_well:
        st.success(sentence, icon=":material/check_circle:")
    else:
        st.error(sentence, icon=":material/error:")
    machines.key_figures(found)
    with st.grid(2, min_column_width=340):
        machines.zones(found)
        machines.process_table(found)


@live("The data plane", run_every_s=2.5)
def slow() -> None:
    found = data.readings()
    with st.grid(2, min_column_width=340):
        data.stream(found)
        data.jobs(found)
        data.queues(found)
        data.functions(found)
        data.tables(found)
        data.lake_parts()


fast()
controls.replica_controls()
slow()
with boundary("The audit log"):
    controls.audit_log()
