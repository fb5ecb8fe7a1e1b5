"""What a page needs to know about the person who looks at it."""

from typing import cast

import streamlit as st

from console import sessions
from console.sessions import Session


def person() -> Session:
    return cast(Session, st.session_state["session"])


def token() -> str:
    """The person's access token. Raises SignedOut or Unreachable; call it inside a boundary."""
    return sessions.access_token(person())
