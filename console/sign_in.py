"""The sign-in: shown in place of any page, whose address is kept for afterwards."""

import streamlit as st

from console import masthead
from console.queries.edge import Unreachable
from console.sessions import STORE, Refused


def show() -> None:
    _, middle, _ = st.columns([1, 1.3, 1])
    with middle, st.container(key="sign-in"):
        st.title("Sign in to the console")
        st.markdown(f"For analysts and operators of HighAvailabilityShop {masthead.stage()}")
        if why := st.session_state.pop("why", None):
            st.info(why, icon=":material/info:")
        with st.form("sign-in", enter_to_submit=True):
            email = st.text_input("E-mail", autocomplete="username", max_chars=254)
            password = st.text_input(
                "Password", type="password", autocomplete="current-password", max_chars=256
            )
            is_sent = st.form_submit_button("Sign in", type="primary", width="stretch")
        if is_sent:
            _try(email.strip(), password)


def show_unknown(problem: Unreachable) -> None:
    """In its place while nobody can tell whose session it is."""
    _, middle, _ = st.columns([1, 1.3, 1])
    with middle, st.container(key="sign-in"):
        st.title("Who are you?")
        st.warning(
            f"Your session cannot be looked up right now. {problem}", icon=":material/cloud_off:"
        )
        st.button("Try again", icon=":material/refresh:", type="primary")


def _try(email: str, password: str) -> None:
    if not email or not password:
        st.error("Enter your e-mail and your password.", icon=":material/error:")
        return
    try:
        with st.spinner("Signing in…"):
            secret, ticket = STORE.sign_in(email, password)
    except Refused as refusal:
        st.error(str(refusal), icon=":material/error:")
        return
    except Unreachable as problem:
        st.error(f"You cannot be signed in right now. {problem}", icon=":material/cloud_off:")
        return
    st.session_state["secret"] = secret
    st.session_state["ticket"] = ticket
    st.rerun()
