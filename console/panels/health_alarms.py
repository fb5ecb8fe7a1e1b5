"""CloudWatch alarms: state, reason, who has taken note, history."""

from typing import Any
from urllib.parse import quote

import polars as pl
import streamlit as st

from console import audit, context, downloads, masthead, wording
from console.panels import status
from console.queries import alarms
from console.queries.alarms import Alarm, Change
from console.queries.probes import Reading
from pipeline.runtime.clock import now

_RUNBOOK = "docs/runbooks/alarms.md"
_DEAD_LETTERS = "dead-letters-"


def states() -> None:
    reading = alarms.readings()["alarms"]
    if reading.fault:
        _silent(reading)
        return
    found: list[Alarm] = reading.value
    firing = [alarm for alarm in found if alarm.is_firing]
    open_ones = [alarm for alarm in firing if alarm.note is None]
    unknown = sum(alarm.state == "INSUFFICIENT_DATA" for alarm in found)
    masthead.say(reading.at)
    st.caption(
        f"{len(found)} alarms, {unknown} without data · each change goes to the topic of its alarm"
        f" · what to do: {_RUNBOOK}"
    )
    if not found:
        st.info("CloudWatch has no alarm of this stage; `make bootstrap` creates them.")
    elif not firing:
        st.success("No alarm", icon=":material/check_circle:")
    else:
        words = f"{len(firing)} alarm{'s' if len(firing) > 1 else ''}, "
        words += f"{len(open_ones)} that nobody has taken note of" if open_ones else "all noted"
        (st.error if open_ones else st.warning)(words, icon=":material/notifications_active:")
        for alarm in firing:
            _firing(alarm)
    _all(found)


def _firing(alarm: Alarm) -> None:
    with st.container(border=True):
        description = status.escaped(alarm.description)
        st.markdown(f"{status.bad(alarm.name)} for {_ago(alarm)}  \n{description}{_way(alarm)}")
        st.caption(f"{alarm.reason} Condition: {alarm.condition}.")
        if note := alarm.note:
            text = f": “{status.escaped(note.text)}”" if note.text else ""
            st.markdown(
                f"{status.quiet('noted')} by {note.by} at {wording.clock_time(note.at)}{text}"
            )


def _way(alarm: Alarm) -> str:
    """To the page where something can be done, if there is one."""
    place = alarm.name.removeprefix(_DEAD_LETTERS)
    if place == alarm.name:
        return ""
    return f" [Mend, redrive or discard them](/quarantine?place={quote(place)})"


def _all(found: list[Alarm]) -> None:
    draw = {"ALARM": status.bad, "OK": status.good}
    rows = [
        [
            alarm.name,
            draw.get(alarm.state, status.quiet)(alarm.state.replace("_", " ").lower()),
            _ago(alarm),
            alarm.condition,
            ", ".join(alarm.topics),
        ]
        for alarm in found
    ]
    with st.container(border=True):
        st.subheader("Every alarm", anchor=False)
        status.table(["Alarm", "State", "Since", "Condition", "Tells"], rows)


def history() -> None:
    reading = alarms.readings()["history"]
    if reading.fault:
        return  # said above
    found: list[Change] = reading.value
    with st.container(border=True):
        st.subheader("What changed", anchor=False)
        if not found:
            st.caption("No alarm has changed its state yet.")
            return
        frame = pl.DataFrame(
            [
                {"at": c.at, "alarm": c.alarm, "from": c.before, "to": c.after, "reason": c.reason}
                for c in found
            ]
        )
        labels: dict[str, Any] = {
            "at": st.column_config.DatetimeColumn("When (UTC)", format="YYYY-MM-DD HH:mm:ss"),
            **{name: name.capitalize() for name in ("alarm", "from", "to", "reason")},
        }
        st.dataframe(
            frame, hide_index=True, column_config=labels, alt="Changes of alarms, newest first"
        )
        downloads.csv(frame, "alarms")


def acknowledge_button() -> None:
    """Outside the live part, so that a redraw does not close the dialog."""
    if st.button("Acknowledge…", icon=":material/edit_note:", key="acknowledge"):
        _dialog(alarms.readings()["alarms"])
    if done := st.session_state.pop("acknowledged", None):
        st.success(done, icon=":material/check:")


@st.dialog("Take note of an alarm", icon=":material/edit_note:")
def _dialog(reading: Reading) -> None:
    """About what was on when it was opened: another alarm must not slip under the button."""
    firing = [alarm for alarm in reading.value or [] if alarm.is_firing]
    if not firing:
        st.info("No alarm is on." if reading.is_known else f"CloudWatch: {reading.fault}.")
        return
    by_name = {alarm.name: alarm for alarm in firing}
    name = st.selectbox("Alarm", list(by_name))
    text = st.text_area("Note", placeholder="What it is, and what is being done", max_chars=500)
    if st.button("Acknowledge", type="primary", width="stretch", key="confirm-acknowledge"):
        try:
            alarms.acknowledge(context.person(), by_name[name], text)
        except audit.Refused as refusal:
            st.error(str(refusal), icon=":material/error:")
            return
        st.session_state["acknowledged"] = f"Noted: {name}. It shows within a few seconds."
        st.rerun()


def _silent(reading: Reading) -> None:
    st.error(
        f"CloudWatch: {reading.fault}. Whether an alarm is on is unknown until it answers again.",
        icon=":material/cloud_off:",
    )


def _ago(alarm: Alarm) -> str:
    return wording.age((now() - alarm.since).total_seconds())
