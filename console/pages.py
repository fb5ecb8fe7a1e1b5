"""Which pages there are, in whose section, and who may open them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import streamlit as st
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from streamlit.navigation.page import StreamlitPage

from console.sessions import Session

Role = Literal["analyst", "operator"]
_FOLDER = Path(__file__).with_name("app_pages")


@dataclass(frozen=True, slots=True)
class Entry:
    """A page: its file is `app_pages/<name>.py`, its address `/<name>`, or `/` for the first."""

    name: str
    title: str
    icon: str
    section: str
    roles: tuple[Role, ...] = ("operator",)


# To add a page, add its file and a line here.
ENTRIES = (
    Entry("overview", "Overview", "home", "", ("analyst", "operator")),
    Entry("today", "Today", "today", "Business", ("analyst", "operator")),
    Entry("sales", "Sales", "monitoring", "Business", ("analyst", "operator")),
    Entry("customers", "Customers", "group", "Business", ("analyst", "operator")),
    Entry("behaviour", "Behaviour", "ads_click", "Business", ("analyst", "operator")),
    Entry("explore", "Explore", "manage_search", "Business", ("analyst", "operator")),
    Entry("proof", "Proof", "verified", "Business", ("analyst", "operator")),
    Entry("traces", "Traces", "account_tree", "Operations"),
    Entry("load", "Load", "speed", "Operations"),
    Entry("reconciliation", "Reconciliation", "balance", "Operations"),
    Entry("system", "System", "dns", "Operations"),
    Entry("health", "Health", "monitor_heart", "Operations"),
    Entry("slos", "SLOs", "flag", "Operations"),
    Entry("alarms", "Alarms", "notifications", "Operations"),
    Entry("quarantine", "Quarantine", "inbox", "Operations"),
    Entry("logs", "Logs", "subject", "Operations"),
)

FIRST = ENTRIES[0]


async def _to_first(request: Request) -> Response:
    """Streamlit knows its first page by `/` alone."""
    query = request.url.query
    return RedirectResponse(f"/?{query}" if query else "/")


ROUTES = [Route(f"/{FIRST.name}", _to_first, methods=["GET"])]


def navigation(session: Session | None) -> StreamlitPage:
    """Declare all pages; those a person may not open are reachable but not listed."""
    sections: dict[str, list[StreamlitPage]] = {}
    for entry in ENTRIES:
        page = st.Page(
            _FOLDER / f"{entry.name}.py",
            title=entry.title,
            icon=f":material/{entry.icon}:",
            url_path=entry.name,
            default=entry is FIRST,
            visibility="visible" if session and _allows(entry, session) else "hidden",
        )
        sections.setdefault(entry.section, []).append(page)
    return st.navigation(sections, position="sidebar" if session else "hidden", expanded=True)


def may_open(page: StreamlitPage, session: Session) -> bool:
    entry = _entry(page)
    return entry is not None and _allows(entry, session)


def show_refusal(page: StreamlitPage) -> None:
    st.title(page.title)
    st.error(
        "This page is for operators. Your account is an analyst's: it sees the business pages "
        "and the proof. Ask an operator if you need more.",
        icon=":material/lock:",
    )
    link("overview", "Back to the overview")


def link(name: str, label: str) -> None:
    """A link to a page of ours, by name."""
    st.page_link(_FOLDER / f"{name}.py", label=label, icon=":material/arrow_forward:")


def _entry(page: StreamlitPage) -> Entry | None:
    # The default page's own address is empty.
    return next((e for e in ENTRIES if e.name == (page.url_path or FIRST.name)), None)


def _allows(entry: Entry, session: Session) -> bool:
    return session.is_operator or session.role in entry.roles
