"""Proof: whether the shop's claims hold, from independent readings."""

import streamlit as st

from console import context, masthead
from console.boundary import boundary, live
from console.panels import proof
from console.queries import runs
from pipeline.runtime.clock import now

with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
    st.title("Proof", anchor=False, width="content")
    if context.person().is_operator:
        proof.run_button()
st.markdown(
    "Each claim compares two readings that do not come from one another: the journals of the edge "
    "and of clients, the tables, the lake, the aggregates, the API and this console. Only *valid* "
    "proves anything."
)


@live("The last proof", run_every_s=3)
def last() -> None:
    is_running = proof.run_state()
    report = proof.report_of(runs.find_proof())
    masthead.say(now(), proof.age_words(report) if report else "nothing proven yet")
    if report is not None:
        proof.show_report(report)
    elif not is_running:
        st.info("Nothing has been proven yet.", icon=":material/info:")


last()
with boundary("Earlier proofs"):
    proof.history()
