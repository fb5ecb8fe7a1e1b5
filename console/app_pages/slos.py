"""SLOs: what is promised, what is left of each error budget, and how fast it burns."""

import streamlit as st

from console.boundary import live
from console.panels import health_slo

st.title("Service level objectives", anchor=False)


@live("The objectives", run_every_s=5)
def objectives() -> None:
    health_slo.show()


objectives()
