"""A rebuild of all aggregates: how far it is, what it found, and which figures are read."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import streamlit as st
from ulid import ULID

from console import context, wording
from console.panels import recount_actions, status
from console.panels.reconciliation import attempt
from console.programs import REBUILD
from console.queries import recounts
from console.sessions import Session
from pipeline.runtime.generations import Generations

# label, icon, what it does, what is asked, action
_Choice = tuple[str, str, str, Callable[[Session], None]]
_CHOICES: dict[str, _Choice] = {
    "rebuild": (
        "Rebuild…", "restart_alt",
        "Every aggregate is computed anew from the raw lake, beside the live ones. What people see "
        "does not change until you swap. A second generation that is kept now is given up.",
        recount_actions.rebuild,
    ),
    "swap": (
        "Swap in…", "swap_horiz",
        "Reports read the rebuilt figures from the next request on. The figures of before are kept "
        "up to date, so that you can go back.",
        recount_actions.swap,
    ),
    "roll-back": (
        "Roll back…", "undo",
        "Reports read the figures of before the swap again; they have been kept up to date.",
        recount_actions.roll_back,
    ),
    "discard": (
        "Discard…", "delete",
        "The generation that is not read is given up and removed. There is no way back to it.",
        recount_actions.discard,
    ),
}  # fmt: skip
_DRAWN = "rebuild-drawn"
_OFFERED = {
    "none": ("rebuild",), "building": ("rebuild", "discard"),
    "ready": ("swap", "discard", "rebuild"), "kept": ("roll-back", "discard", "rebuild"),
}  # fmt: skip


def show() -> None:
    """One card: which generation is read, how the run goes or went, and what may be done."""
    if REBUILD.has_ended():
        recounts.forget()
    now, run = recounts.find_generations(), recounts.find_rebuild()
    is_running = REBUILD.is_running() or recounts.find_holder("rebuild") is not None
    with st.container(border=True):
        st.subheader(_title(now, is_running), anchor=False)
        st.caption(
            "Computed from the raw lake with folding's own rules, beside the live aggregates; "
            "events that arrive meanwhile go to both"
        )
        _standing(now, is_running)
        if is_running:
            _progress(run)
        elif REBUILD.failed is not None:
            st.error("The last run from here did not end well:", icon=":material/error:")
            st.code(REBUILD.last_words(), language=None)
        elif run and run.get("status") == "running":
            st.warning(
                f"The last rebuild died while it was {run.get('stage')}. The figures that are read "
                "are untouched; run it again.",
                icon=":material/warning:",
            )
        if run and not is_running:
            _found(run)


def controls() -> None:
    """Outside of what redraws itself, where a dialog would be closed again."""
    is_running, state = st.session_state[_DRAWN] = _moment()
    if is_running:
        return
    with st.container(horizontal=True):
        for name in _OFFERED[state]:
            label, icon, _, _ = _CHOICES[name]
            if st.button(label, key=f"ask-{name}", icon=f":material/{icon}:", wrap=False):
                _confirm(name)


def has_moved() -> bool:
    """Whether other buttons are right by now than those that were drawn."""
    return bool(st.session_state.get(_DRAWN) != _moment())


def _moment() -> tuple[bool, str]:
    is_running = REBUILD.is_running() or recounts.find_holder("rebuild") is not None
    return is_running, recounts.find_generations().state


def _title(now: Generations, is_running: bool) -> str:
    if is_running:
        return "A rebuild of the aggregates is under way"
    return {
        "none": "The aggregates can be rebuilt from the lake",
        "building": "A rebuild was left unfinished",
        "ready": "Rebuilt aggregates are ready to be swapped in",
        "kept": "The aggregates of before the swap are kept",
    }[now.state]


def _standing(now: Generations, is_running: bool) -> None:
    words = {"building": status.warn("unfinished"), "ready": status.warn("ready"),
             "kept": status.quiet("kept")}  # fmt: skip
    rows = [["read and written", f"`{now.live}`", _born(now.live), status.good("live")]]
    if now.other:
        word = status.warn("being built") if is_running else words[now.state]
        rows.append(["written", f"`{now.other}`", _born(now.other), word])
    status.table(["Aggregates", "Generation", "Begun (UTC)", ""], rows)


def _born(generation: str) -> str:
    """A generation's name is a ULID, which says when; but the first one's."""
    try:
        at: datetime = ULID.from_str(generation).datetime
    except ValueError:
        return "with the shop"
    return f"{at.astimezone(UTC):%d %b %Y %H:%M:%S}"


def _progress(run: dict[str, Any] | None) -> None:
    if run is None or run.get("status") != "running":
        st.progress(0.0, text="Starting…")
        return
    done, total = int(run.get("done") or 0), int(run.get("total") or 0)
    of = f": {done:,} of {total:,}" if total else ""
    events = f", {int(run['events']):,} events so far" if run.get("events") else ""
    st.progress(
        min(1.0, done / total) if total else 0.0,
        text=f"**{str(run['stage']).capitalize()}**{of}{events}",
    )


def _found(run: dict[str, Any]) -> None:
    if run.get("status") == "failed":
        st.error(f"The last rebuild failed: {run.get('detail')}", icon=":material/error:")
    if "differing" not in run:
        return
    differing = int(run["differing"])
    said = (
        f"{int(run.get('events') or 0):,} events were counted again by {run['by']}; of "
        f"{int(run['items']):,} items **{differing:,}** differ from those that were live then."
    )
    if not differing:
        st.markdown(said)
        return
    st.markdown(said)
    columns = {"item": "Item", "attribute": "Figure", "live": "Live then", "rebuilt": "Rebuilt"}
    st.dataframe(
        [{label: one[name] for name, label in columns.items()} for one in run["examples"]],
        hide_index=True,
        alt="Figures in which the rebuilt and the live aggregates differed",
    )


@st.dialog("Are you sure?", icon=":material/help:")
def _confirm(name: str) -> None:
    label, _, effect, action = _CHOICES[name]
    st.markdown(effect)
    if st.button(f"Yes, {label.rstrip('…').lower()}", type="primary", width="stretch"):
        attempt(lambda: action(context.person()))


def history() -> None:
    runs = recounts.list_rebuilds()
    if not runs:
        return
    with st.container(border=True):
        st.subheader("Rebuilds so far, newest first", anchor=False)
        rows = []
        for run in runs:
            at, end = wording.moment(run.get("started_at")), wording.moment(run.get("ended_at"))
            took = f"{(end - at).total_seconds():.0f} s" if at and end else ""
            word = status.good("done") if run["status"] == "ready" else status.bad("failed")
            rows.append(
                [f"{at:%d %b %Y %H:%M:%S}" if at else "", word, f"{int(run.get('events') or 0):,}",
                 f"{int(run.get('differing') or 0):,}", took, str(run.get("by", ""))]
            )  # fmt: skip
        columns = ["Started (UTC)", "", "Events", "Differing items", "Took", "By"]
        status.table(columns, rows, right=(2, 3, 4))
