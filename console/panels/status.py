"""Status words and tables as Markdown: readable by eye, by screen reader, in grey."""

from collections.abc import Sequence

import streamlit as st


def good(text: str) -> str:
    return f":green-badge[:material/check: {_plain(text)}]"


def bad(text: str) -> str:
    return f":red-badge[:material/close: {_plain(text)}]"


def warn(text: str) -> str:
    return f":orange-badge[:material/warning: {_plain(text)}]"


def quiet(text: str) -> str:
    return f":gray-badge[{_plain(text)}]"


def escaped(text: str) -> str:
    """Somebody's words on one line, not markup."""
    signs = "\\`*_{}[]()#+-!|<>$:~"
    return "".join(f"\\{sign}" if sign in signs else sign for sign in " ".join(text.split()))


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> None:
    """A Markdown table; `right` are the columns aligned right."""
    rule = ["---:" if index in right else ":---" for index in range(len(columns))]
    lines = [_line(columns), _line(rule), *(_line(row) for row in rows)]
    st.markdown("\n".join(lines))


def unknown(what: str, fault: str | None) -> None:
    """A panel whose source says nothing: red, with what is known of why."""
    st.error(f"{what}: {fault or 'unknown'}", icon=":material/cloud_off:")


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _plain(text: str) -> str:
    return text.replace("[", "(").replace("]", ")").replace("|", "/")
