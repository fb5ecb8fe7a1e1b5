"""How much was set aside, by place and cause, and the redrive that is under way."""

from collections.abc import Sequence

import streamlit as st

from console import wording
from console.panels import status
from console.queries import desk
from console.queries.edge import Unreachable
from pipeline.desk.domain import PLACES, QUARANTINE, Case, Group, State, groups
from pipeline.runtime.clock import now

_MAX_CAUSES = 30
_DRAW = {
    State.OPEN: status.warn, State.FIXED: status.warn, State.REDRIVING: status.warn,
    State.REDRIVEN: status.good, State.DISCARDED: status.quiet,
}  # fmt: skip


def look() -> tuple[list[Case], dict[str, str]]:
    """(every case that can be seen, why by place for those that do not answer)."""
    desk.begin_look()
    found: list[Case] = []
    faults: dict[str, str] = {}
    for place in PLACES:
        try:
            found += desk.look(place)
        except Unreachable as error:
            faults[place] = str(error)
    return found, faults


def overview() -> None:
    cases, faults = look()
    for place, why in faults.items():
        status.unknown(f"What lies in {place} is unknown", why)
    events = sum(case.is_open for case in cases if case.place == QUARANTINE)
    letters = sum(case.is_open for case in cases if case.place != QUARANTINE)
    if events or letters:
        st.warning(_finding(events, letters, cases), icon=":material/inbox:")
    elif not faults:
        st.success("Nothing is open", icon=":material/check_circle:")
    by_state = {state: sum(case.state is state for case in cases) for state in State}
    tiles = {
        "Rejected events open": events,
        "Dead letters open": letters,
        "Redriven so far": by_state[State.REDRIVEN],
        "Discarded so far": by_state[State.DISCARDED],
    }
    with st.grid(4, min_column_width=146, gap="small"):
        for label, number in tiles.items():
            st.metric(label, wording.count_short(number), border=True)
    _causes(groups(cases))


def _finding(events: int, letters: int, cases: Sequence[Case]) -> str:
    parts = [f"{events:,} rejected event{'s' * (events != 1)}"] if events else []
    parts += [f"{letters:,} dead letter{'s' * (letters != 1)}"] if letters else []
    oldest = min(case.at for case in cases if case.is_open)
    age = wording.age((now() - oldest).total_seconds())
    verb = "is" if events + letters == 1 else "are"
    return f"**{' and '.join(parts)} {verb} open**, the oldest for {age}."


def _causes(found: Sequence[Group]) -> None:
    with st.container(border=True):
        total = sum(group.open for group in found)
        title = f"{total:,} open, by cause" if total else "Nothing waits for anybody"
        st.subheader(title, anchor=False)
        st.caption("The reason and the field at fault; the lake's quarantine, or the queue")
        if not found:
            st.markdown("Nothing was ever set aside.")
            return
        rows = [
            [
                status.warn(f"{group.open:,}") if group.open else status.good("0"),
                status.escaped(group.cause),
                group.place,
                f"{group.by_state.get(State.REDRIVEN, 0):,}",
                f"{group.by_state.get(State.DISCARDED, 0):,}",
                wording.age((now() - group.oldest).total_seconds()) if group.oldest else "",
            ]
            for group in found[:_MAX_CAUSES]
        ]
        columns = ["Open", "Cause", "Where", "Redriven", "Discarded", "Oldest open"]
        status.table(columns, rows, right=(0, 3, 4, 5))
        if len(found) > _MAX_CAUSES:
            st.caption(f"{len(found) - _MAX_CAUSES:,} more causes are in the list below.")


def redrive_state() -> None:
    """The redrive that goes on, or the last one for as long as the page is looked at."""
    run = desk.find_run()
    if run is None:
        return
    words = f"{run.done:,} of {run.total:,} from {run.place}, by {run.by}"
    if run.is_silent:
        st.warning(
            f"A redrive has stopped reporting: {words}. What was not sent is still open.",
            icon=":material/warning:",
        )
    elif not run.is_over:
        share = (run.done + run.refused) / max(1, run.total)
        st.progress(min(1.0, share), f"Redriving {words}")
    elif (at := run.updated_at) and (now() - at).total_seconds() < 600:
        left = (
            f"; {run.refused:,} not: {status.escaped(run.why[0])}"
            if run.refused and run.why
            else ""
        )
        st.info(f"Redriven {words}{left}.", icon=":material/redo:")


def choose() -> list[Case] | None:
    """The cases of the cause that a person chooses, open ones first; None when there are none.

    `?place=…&cause=…` chooses, too, so that an alarm can lead here.
    """
    cases, _ = look()
    with st.container(border=False):
        is_all = st.toggle("Show what was dealt with, too", key="desk-all")
    found = [group for group in groups(cases) if group.open or is_all]
    if not found:
        return None
    wanted = (st.query_params.get("place"), st.query_params.get("cause"))
    asked = next(
        (i for i, g in enumerate(found) if g.place == wanted[0] and wanted[1] in (None, g.cause)), 0
    )
    keys = [(group.place, group.cause) for group in found]
    # No counts in the labels: they would change under the choice, and undo it.
    chosen = st.selectbox("Where and why", keys, asked, format_func=" · ".join, key="desk-cause")
    place, cause = chosen or keys[0]
    return [
        case for case in cases
        if (case.place, case.cause) == (place, cause) and (case.is_open or is_all)
    ]  # fmt: skip


def state_badge(case: Case) -> str:
    return _DRAW[case.state](case.state.value)
