"""Traces: who calls whom, where requests spend their time, and why one failed."""

import streamlit as st

from console.boundary import boundary
from console.panels import traces as panels
from console.panels import traces_controls, traces_map, traces_open
from console.queries import traces

st.title("Traces", anchor=False)
with boundary("The traces"):
    view = traces_controls.choose()
    findings = panels.look(view)
    if view.trace_id:
        with boundary("This trace"):
            traces_open.show(view, findings.found)
    panels.headline(view, findings)
    panels.provenance(findings)
    if findings.found:
        with boundary("The service map"):
            read = list(traces.read(found.trace_id for found in findings.found).values())
            traces_map.show(view, read)
        with st.grid(2, min_column_width=420):
            with boundary("The traces over time"):
                panels.found_over_time(findings)
            with boundary("Where the time goes"):
                panels.where_time_goes(read)
        with boundary("The list of traces"):
            panels.found_as_table(findings)
    else:
        panels.nothing_found(view)
