"""Controls whose state lives in the address, so that a view can be sent."""

from collections.abc import Sequence

import streamlit as st


def choose(label: str, name: str, options: Sequence[str], words: dict[str, str]) -> str:
    """`?name=option`; the first option is the default and leaves the address clean."""
    asked = st.query_params.get(name, "")
    chosen = st.segmented_control(
        label,
        list(options),
        format_func=lambda option: words.get(option, option),
        default=asked if asked in options else options[0],
        required=True,
        key=f"health-{name}",
        label_visibility="collapsed",
        wrap=True,
    )
    value = chosen or options[0]
    keep(name, value if value != options[0] else "")
    return value


def keep(name: str, value: str) -> None:
    """Written only when it changes: each write is a message to the page."""
    if value and st.query_params.get(name) != value:
        st.query_params[name] = value
    elif not value and name in st.query_params:
        del st.query_params[name]
