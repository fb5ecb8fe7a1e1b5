"""Traces: who calls whom, where requests spend their time, and why one failed."""

import streamlit as st

from console.boundary import boundary, live
from console.panels import traces as panels
from console.panels import traces_controls, traces_map, traces_open
from console.queries import traces
from console.traces.domain import Trace

st.title("Traces", anchor=False)
with boundary("The search"):
    view = traces_controls.choose()
    with st.spinner("Asking X-Ray…"):  # seen only by those who wait longer than half a second
        findings = panels.look(view)
    if view.trace_id:
        with boundary("This trace"):
            traces_open.show(view, findings.found)
    read: list[Trace] = []
    with boundary("What X-Ray holds of these requests"):
        read = list(traces.read(found.trace_id for found in findings.found).values())
    panels.headline(view, findings, read)
    panels.provenance(findings)
    if not findings.found:
        panels.nothing_found(view)
    else:
        if read:

            @live("The service map", run_every_s=10 if view.is_moving else None)
            def service_map() -> None:
                traces_map.show(view)

            service_map()
        with st.grid(2, min_column_width=420):
            with boundary("The requests over time"):
                panels.found_over_time(findings)
            if read:
                with boundary("Where the time goes"):
                    panels.where_time_goes(read)
        with boundary("The list of requests"):
            panels.found_as_table(findings, read)
