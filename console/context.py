"""What a page needs to know about the person who looks at it."""

from typing import cast

import streamlit as st

from console import sessions
from console.queries.edge import SignedOut
from console.sessions import STORE, Session


def person() -> Session:
    return cast(Session, st.session_state["session"])


def token() -> str:
    """The person's access token. Raises SignedOut or Unreachable; call it inside a boundary."""
    return sessions.access_token(person())


def check() -> None:
    """A sign-out elsewhere ends a page that redraws itself, too. Raises SignedOut, Unreachable."""
    if STORE.find(person().secret) is None:
        raise SignedOut
