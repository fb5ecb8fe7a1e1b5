"""Reconciliation: the lake against the aggregates, and the aggregates anew from the lake."""

import streamlit as st

from console import masthead
from console.boundary import boundary, live
from console.panels import rebuild, reconciliation
from console.queries import recounts
from pipeline.runtime.clock import now

with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
    st.title("Reconciliation", anchor=False, width="content")
    with boundary("The buttons"):
        reconciliation.buttons()
st.markdown(
    "Each hour's figures, as folding keeps them, against the distinct events of the lake: after "
    "each compaction, and whenever you ask."
)


@live("The last reconciliation", run_every_s=2)
def last() -> None:
    reconciliation.run_state()
    result = recounts.find_reconciliation()
    masthead.say(now(), reconciliation.age_words(result) if result else "nothing compared yet")
    if result is None:
        st.info("Nothing has been compared yet.", icon=":material/info:")
    else:
        reconciliation.last(result)


@live("The rebuild", run_every_s=2)
def rebuilding() -> None:
    rebuild.show()
    if rebuild.has_moved():
        st.rerun()


@live("The history", run_every_s=10)
def history() -> None:
    reconciliation.history()
    rebuild.history()


last()
with boundary("The rebuild's buttons"):
    rebuild.controls()
rebuilding()
history()
