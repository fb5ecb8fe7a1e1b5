"""The frame of every page: who is signed in, what they may open, where they are."""

from pathlib import Path

import streamlit as st

from console import cookie, pages, sign_in
from console.boundary import boundary
from console.sessions import STORE, Session
from console.settings import settings

ASSETS = Path(__file__).with_name("assets")

st.set_page_config(
    page_title="HighAvailabilityShop console",
    page_icon=str(ASSETS / "icon.png"),
    layout="wide",
    menu_items={"Get help": None, "Report a bug": None, "About": None},
)
st.html(ASSETS / "console.css")
if st.context.theme.type == "dark":
    st.html(ASSETS / "console-dark.css")


def main() -> None:
    is_dark = st.context.theme.type == "dark"
    logo = ASSETS / ("logo-dark.svg" if is_dark else "logo-light.svg")
    st.logo(str(logo), size="large", icon_image=str(ASSETS / "icon.svg"))
    secret = st.session_state.get("secret") or st.context.cookies.get(cookie.name())
    session = STORE.find(secret)
    if st.session_state.pop("ended", False) and secret:
        STORE.sign_out(secret)
        session = None
        st.session_state["why"] = "Your session has ended. Sign in again to go on."
    # Every page is declared for everybody, so that a deep link survives the sign-in.
    page = pages.navigation(session)
    if session is None:
        sign_in.show()
        return
    st.session_state["secret"] = secret
    st.session_state["session"] = session
    # Before the page, which may take a while: who leaves early stays signed in.
    ticket = st.session_state.get("ticket")
    if ticket and STORE.is_waiting(ticket):
        cookie.post_ticket(ticket)
    _who(session)
    with boundary("This page"):
        if pages.may_open(page, session):
            page.run()
        else:
            pages.show_refusal(page)


def _who(session: Session) -> None:
    with st.sidebar.container(key="who"):
        st.markdown(f"**{session.name}**  \n{session.role.capitalize()}")
        st.badge(f"stage: {settings().stage}", color="violet" if session.is_operator else "gray")
        if st.button("Sign out", icon=":material/logout:", width="stretch"):
            STORE.sign_out(st.session_state["secret"])
            for key in list(st.session_state):
                del st.session_state[key]
            st.session_state["why"] = "You are signed out."
            st.rerun()


main()
