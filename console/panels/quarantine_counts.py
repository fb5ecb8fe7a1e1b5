"""received = landed + quarantined, and set aside = open + redriven + discarded, with both sides."""

from collections.abc import Sequence

import streamlit as st

from console.panels import status
from console.queries import desk
from pipeline.desk import figures
from pipeline.desk.counting import Count
from pipeline.desk.domain import Balance

_HOURS = {"1 h": 1, "3 h": 3, "12 h": 12, f"{figures.MAX_HOURS} h": figures.MAX_HOURS}
_MAX_LINES = 60


def show() -> None:
    st.header("Do the counts add up?", anchor=False)
    hours = st.segmented_control(
        "Arrived within the last", list(_HOURS), default="1 h", required=True, key="desk-hours"
    )
    records, balances = desk.count(_HOURS.get(hours or "1 h", 1))
    _records(records)
    _balances(balances)


def _records(found: Count) -> None:
    with st.container(border=True):
        received, under_way = found.total("received"), found.total("under_way")
        if found.adds_up:
            st.subheader(f"{received:,} records received, none lost", anchor=False)
        else:
            st.subheader(f"{len(found.missing) + len(found.extra):,} records do not add up",
                         anchor=False)  # fmt: skip
        st.caption(
            f"Received: {figures.RECEIVED_FROM}. Landed, quarantined: {figures.LAKE_FROM}. Hours "
            "are UTC, of arrival; under way is what landing has not reached yet."
        )
        if not received:
            st.markdown("Nothing reached the stream in this time.")
            return
        rows = [
            [
                line.slot.hour.replace("T", " ") + ":00", status.escaped(line.slot.source),
                f"{line.received:,}", f"{line.landed:,}", f"{line.quarantined:,}",
                f"{line.under_way:,}",
                status.good("adds up") if line.adds_up else status.bad(f"{line.missing:,} missing"),
            ]
            for line in reversed(found.lines[-_MAX_LINES:])
        ]  # fmt: skip
        columns = ["Hour", "Source", "Received", "= Landed", "+ Quarantined", "+ Under way", ""]
        status.table(columns, rows, right=(2, 3, 4, 5))
        if under_way:
            st.caption(f"{under_way:,} are under way.")
        if found.both:
            st.caption(f"{found.both:,} were quarantined, and landed when delivered again: landed.")
        if found.is_cut:
            st.caption("The stream holds more than was read; these are the oldest of the time.")
        if offenders := (*found.missing, *found.extra):
            st.code("\n".join(offenders[:20]), language=None)


def _balances(found: Sequence[Balance]) -> None:
    with st.container(border=True):
        broken = [one.place for one in found if not one.adds_up]
        title = f"{', '.join(broken)} does not add up" if broken else "Every case is in one state"
        st.subheader(title, anchor=False)
        st.caption(
            f"Set aside: {figures.FOUND_FROM}. States: {figures.ROWS_FROM}. Of what has left a "
            "queue only those rows tell, so there the two are one reading."
        )
        rows = [
            [
                one.place, f"{one.set_aside:,}", f"{one.open:,}", f"{one.redriven:,}",
                f"{one.discarded:,}",
                _verdict(one),
            ]
            for one in found
        ]  # fmt: skip
        columns = ["Where", "Set aside", "= Open", "+ Redriven", "+ Discarded", ""]
        status.table(columns, rows, right=(1, 2, 3, 4))
        if strays := [stray for one in found for stray in one.strays]:
            st.code("\n".join(strays[:20]), language=None)


def _verdict(one: Balance) -> str:
    if not one.adds_up:
        return status.bad(f"{len(one.strays)} astray")
    return status.good("adds up") if one.is_evidence else status.quiet("one reading")
