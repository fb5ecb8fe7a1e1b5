"""The Explore page's right side: what there is to query, examples, saved queries, the history."""

from datetime import datetime

import streamlit as st

from console import audit, context, wording
from console.boundary import boundary
from console.panels import explore as panel
from console.periods import Period
from console.queries import explore_facts, explore_store
from console.queries.edge import Unreachable
from console.queries.explore import Run
from console.queries.explore_examples import EXAMPLES, Example
from console.queries.explore_tables import TABLES
from pipeline.runtime.clock import now

_LINK = "explore?query="


def show(period: Period) -> None:
    tables, examples, saved, history = st.tabs(
        ["Tables", "Examples", "Saved", "History"], key="explore-side"
    )
    with examples, boundary("The examples"):
        _examples()
    with saved, boundary("Saved queries"):
        _saved()
    with history, boundary("The history"):
        _history()
    with tables, boundary("The tables"):
        _tables(period)


def _examples() -> None:
    for number, example in enumerate(EXAMPLES):
        st.button(
            example.title, key=f"example-{number}", on_click=_take_example, args=(example,),
            width="stretch",
        )  # fmt: skip


def _take_example(example: Example) -> None:
    panel.put(example.sql, example.chart, example.title)
    _unlink()


def _unlink() -> None:
    st.query_params.pop("query", None)
    st.session_state.pop("explore-linked", None)


def _saved() -> None:
    person = context.person()
    with st.form("explore-save", border=False):
        name = st.text_input("Name", key="explore-name", max_chars=explore_store.MAX_NAME)
        is_save = st.form_submit_button("Save the query", icon=":material/save:")
    st.caption("Saves the text as it was last run or left, with its chart. A link opens it.")
    if is_save:
        _save(name.strip())
    for line in explore_store.list_own(person):
        query_id = str(line["query_id"])
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.button(
                str(line["name"]), key=f"open-{query_id}", on_click=_open, args=(query_id,),
                width="stretch", help=f"Changed {wording.clock_time(_moment(line))}",
            )  # fmt: skip
            with st.popover("", icon=":material/more_vert:", key=f"more-{query_id}"):
                st.caption("Address of this query, for anybody who may sign in:")
                st.code(f"{_base()}{_LINK}{query_id}", language=None, wrap_lines=True)
                st.button("Delete it", key=f"delete-{query_id}", on_click=_delete, args=(query_id,))


def _moment(line: dict[str, str]) -> datetime:
    return wording.moment(line.get("updated_at")) or now()


def _base() -> str:
    return str(st.context.url or "").partition("explore")[0]


def _save(name: str) -> None:
    sql = st.session_state.get("explore-draft", "").strip()
    if not name or not sql:
        st.warning("Give it a name, and write a query." if not name else "There is no query yet.")
        return
    chart = st.session_state.get("explore-chart", {})
    linked = st.query_params.get("query", "")
    try:
        query_id = explore_store.save(context.person(), name, sql, chart, linked)
    except (audit.Refused, Unreachable) as error:
        st.warning(f"Not saved. {error}", icon=":material/info:")
        return
    st.session_state["explore-linked"] = query_id
    st.query_params["query"] = query_id
    st.toast(f"Saved: {name}. The address of this page is its link.")


def _open(query_id: str) -> None:
    st.session_state.pop("explore-linked", None)
    st.query_params["query"] = query_id


def _delete(query_id: str) -> None:
    try:
        explore_store.delete(context.person(), query_id)
    except (audit.Refused, Unreachable) as error:
        st.toast(f"Not deleted. {error}")
        return
    if st.query_params.get("query") == query_id:
        _unlink()


def _history() -> None:
    history: list[Run] = st.session_state.get("explore-history", [])
    if not history:
        st.caption("What you run in this session is listed here.")
    for number, run in enumerate(history):
        outcome = run.outcome
        ended = "running" if outcome is None else _ENDS.get(outcome.kind, outcome.kind)
        if outcome and outcome.kind == "done":
            rows = f"{outcome.frame.height:,} rows" if outcome.frame is not None else ""
            ended = rows or outcome.message
        seconds = f", {outcome.seconds:.1f} s" if outcome else ""
        first = " ".join(run.request.sql.split())
        st.button(
            first if len(first) <= 60 else f"{first[:59]}…", key=f"again-{number}-{run.started_at}",
            on_click=panel.put, args=(run.request.sql, {}), width="stretch", help=first[:500],
        )  # fmt: skip
        st.caption(f"{run.started_at:%H:%M:%S} UTC: {ended}{seconds}")


_ENDS = {
    "sql": "not understood",
    "refused": "refused",
    "timeout": "out of time",
    "memory": "out of memory",
    "cancelled": "cancelled",
    "lake": "lake silent",
    "failed": "failed",
}


def _tables(period: Period) -> None:
    name = st.selectbox("Table", list(TABLES), key="explore-table")
    table = TABLES[name]
    st.caption(f"{table.about}.")
    _size(name, period)
    # Of its full height: a box that scrolls by itself cannot be reached by keyboard everywhere.
    with st.container(border=True):
        st.markdown(
            "\n\n".join(
                f"`{one['Column']}` :small[:gray[{one['Type'].lower()}]]  \n{one['Meaning']}"
                for one in table.described()
            )
        )
    _sample(name, period)


def _size(name: str, period: Period) -> None:
    """Counts it in the background, so that the page need not wait for the lake."""
    is_known = explore_facts.find(name, period) is not None

    @st.fragment(run_every=None if is_known else 0.7)
    def size() -> None:
        facts = explore_facts.find(name, period)
        if facts is None:
            st.caption(f"Counting {name}…")
        elif facts.problem:
            st.caption(f":material/cloud_off: Not counted: {facts.problem}")
        else:
            amount = wording.bytes_short(facts.bytes)
            st.markdown(f"**{facts.rows:,} rows** in {facts.files:,} files, {amount}")
        if facts is not None and not is_known:
            st.rerun()

    size()


def _sample(name: str, period: Period) -> None:
    facts = explore_facts.find(name, period)
    if facts is None or facts.sample is None or facts.sample.is_empty():
        return
    st.caption("Some rows")
    st.dataframe(
        facts.sample,
        hide_index=True,
        alt=f"Sample rows of {name}",
        column_config=panel.date_columns(facts.sample),
    )
