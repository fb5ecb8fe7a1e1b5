"""What is true now, for whoever is signed in."""

import streamlit as st

from console import context
from console.boundary import boundary, live
from console.panels import machines, overview, progress

st.title(f"Hello, {context.person().name.split()[0]}", anchor=False)


@live("The overview", run_every_s=5)
def now() -> None:
    token = context.token()
    overview.begin(token)
    progress.replay_banner()
    with boundary("The data age"):
        progress.say_age(token)
    with st.grid(3 if context.person().is_operator else 2, min_column_width=300):
        with boundary("Today's sales"):
            overview.today(token)
        with boundary("The last proof"):
            overview.last_proof()
        if context.person().is_operator:
            with boundary("The system's health"):
                overview.health(machines.readings())


now()
