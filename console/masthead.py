"""The line above every page: the stage, as of when the page is true, and the time zone.

The frame gives it its place; a page says as of when what it shows was read, as often as it reads.
"""

from datetime import datetime

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from console import wording
from console.settings import settings

_PLACE, _PAGE, _SAID = "masthead-place", "masthead-page", "masthead-said"
_COLOURS = {"prod": "red", "staging": "orange"}


def place(page: str) -> None:
    """Here, above the page of this name; what it said in its last drawing stands until it speaks
    again, so that the line does not blink."""
    if st.session_state.get(_PAGE) != page:
        st.session_state[_PAGE] = page
        st.session_state.pop(_SAID, None)
    st.session_state[_PLACE] = st.empty()
    draw()


def say(as_of: datetime, *facts: str) -> None:
    """When the page's figures were read, and what else is to be known of their age."""
    st.session_state[_SAID] = " · ".join(
        [f"As of {wording.clock_time(as_of)}", *facts, "all times in UTC"]
    )
    draw()


def draw() -> None:
    """Once more what was said. Each live part does it: what one of them drew here before, Streamlit
    takes away when it does not draw it again."""
    spot = st.session_state.get(_PLACE)
    if isinstance(spot, DeltaGenerator):
        # Not a caption: their paleness would take the badge's contrast.
        spot.markdown(f"{stage()} :small[{st.session_state.get(_SAID, 'All times in UTC')}]")


def stage() -> str:
    """Its name as a badge, in the colour of how careful one has to be."""
    name = settings().stage
    return f":{_COLOURS.get(name, 'violet')}-badge[{name}]"
