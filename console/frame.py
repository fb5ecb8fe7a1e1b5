"""The frame of every page: who is signed in, what they may open, where they are."""

from pathlib import Path

import streamlit as st

from console import cookie, masthead, pages, sign_in
from console.boundary import boundary
from console.queries.edge import Unreachable
from console.sessions import STORE, Session

ASSETS = Path(__file__).with_name("assets")
# The tokens are revoked: what the table still holds cannot be renewed.
_NOT_EVERYWHERE = (
    "You are signed out here. The ops table did not answer, so other consoles end the session "
    "within 15 minutes."
)

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
    try:
        session = _find(secret)
    except Unreachable as problem:
        pages.navigation(None)
        sign_in.show_unknown(problem)
        return
    # Every page is declared for everybody, so that a deep link survives the sign-in.
    page = pages.navigation(session)
    if session is None:
        sign_in.show()
        return
    st.session_state["secret"] = secret
    st.session_state["session"] = session
    # Before the page, which may take a while: who leaves early stays signed in.
    ticket = st.session_state.get("ticket")
    cookie.post_ticket(ticket if ticket and STORE.is_waiting(ticket) else None)
    _who(session)
    masthead.place(page.url_path)
    with boundary("This page"):
        if pages.may_open(page, session):
            page.run()
        else:
            pages.show_refusal(page)


def _find(secret: str | None) -> Session | None:
    """Whose session it is; says so when it is over. Raises Unreachable."""
    session = STORE.find(secret)
    is_over = st.session_state.pop("ended", False)
    if secret and is_over:
        STORE.sign_out(secret, is_asked=False)
        session = None
    if session is None and st.session_state.pop("session", None):
        st.session_state.pop("secret", None)
        st.session_state["why"] = "Your session has ended. Sign in again to go on."
    return session


def _who(session: Session) -> None:
    with st.sidebar.container(key="who"):
        st.markdown(f"**{session.name}**  \n{session.role.capitalize()}")
        if st.button("Sign out", icon=":material/logout:", width="stretch"):
            is_gone = STORE.sign_out(session.secret)
            for key in list(st.session_state):
                del st.session_state[key]
            st.session_state["why"] = "You are signed out." if is_gone else _NOT_EVERYWHERE
            st.rerun()


main()
