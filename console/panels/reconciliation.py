"""The last comparison of the lake with the aggregates, what differed and why, and those before."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from console import audit, context, wording
from console.panels import recount_actions, status
from console.programs import RECONCILIATION
from console.queries import recounts
from console.settings import settings
from pipeline.runtime.clock import now

Result = dict[str, Any]
_MONEY = ("gross", "refunds")
_REASONS = {
    "unexplained": "nothing accounts for it: look at it, then repair",
    "open hour": "events that are not folded yet, or a bucket that is being written",
    "late event": "events that came after their hour, and are not folded yet",
    "sent twice": "clicks that a browser sent again; taken out by each run",
    "landing behind": "the lake has not all of the stream yet",
}


def buttons() -> None:
    with st.container(horizontal=True, width="content"):
        if st.button("Reconcile now", type="primary", icon=":material/balance:", wrap=False):
            attempt(lambda: recount_actions.reconcile(context.person(), repairs=False))
        if st.button("Repair…", icon=":material/build:", wrap=False):
            _confirm_repair()


def attempt(action: Callable[[], None]) -> bool:
    """Redraws the page when it was done; says why when it was refused."""
    try:
        action()
    except audit.Refused as refusal:
        st.warning(str(refusal), icon=":material/info:")
        return False
    st.rerun()
    return True


@st.dialog("Repair what differs?", icon=":material/build:")
def _confirm_repair() -> None:
    st.markdown(
        "Every bucket is compared again. Those that differ are counted anew from the raw events of "
        "the lake and replaced; the shop goes on meanwhile. Its result keeps both figures of each. "
        "An event under way is left to folding."
    )
    if st.button("Yes, repair", type="primary", width="stretch"):
        attempt(lambda: recount_actions.reconcile(context.person(), repairs=True))


def run_state() -> None:
    """That one is running, here or on another console; or how the last one of this one failed."""
    if RECONCILIATION.has_ended():
        recounts.forget()
    if RECONCILIATION.is_running() or recounts.find_holder("reconciliation"):
        st.info(
            "A reconciliation is running; what it finds appears here.",
            icon=":material/hourglass_top:",
        )
    elif RECONCILIATION.failed is not None:
        st.error("The last run from here compared nothing:", icon=":material/error:")
        st.code(RECONCILIATION.last_words(), language=None)


def age_words(result: Result) -> str:
    at = wording.moment(result.get("at"))
    age = f"{wording.age((now() - at).total_seconds())} ago" if at else "at an unknown time"
    return f"compared {age}"


def last(result: Result) -> None:
    took = f"{result['duration_ms'] / 1000:.1f} s"
    what = (
        f"{result['compared']:,} figures of {result['hours']:,} hours, {age_words(result)} in "
        f"{took}, started by {_trigger(result)}"
    )
    if result["unexplained"]:
        st.error(
            f"**{_figures(result['unexplained'])} unexplained**: {what}.", icon=":material/error:"
        )
    elif result["explained"]:
        st.success(
            f"**Nothing is unexplained**, {_figures(result['explained'])} for a reason: {what}.",
            icon=":material/check:",
        )
    else:
        st.success(f"**Lake and aggregates agree**: {what}.", icon=":material/check:")
    if result["repaired"]:
        st.info(f"{result['repaired']:,} figures were repaired.", icon=":material/build:")
    if result["drifts"]:
        _drifts(result)


def _figures(count: int) -> str:
    return f"{count:,} figure{'s differ' if count != 1 else ' differs'}"


def _trigger(result: Result) -> str:
    trigger = str(result["trigger"])
    return "the compaction" if trigger == "compaction" else trigger


def _drifts(result: Result) -> None:
    with st.container(border=True):
        st.subheader("What differed, and why", anchor=False)
        shown, total = len(result["drifts"]), result["unexplained"] + result["explained"]
        more = f"; the first {shown:,} of {total:,}" if total > shown else ""
        st.caption(f"Aggregates less lake, by bucket (UTC) and figure{more}")
        st.dataframe(
            [_row(drift) for drift in result["drifts"]],
            hide_index=True,
            alt="Figures in which lake and aggregates differ",
        )
        seen = {str(drift["why"]) for drift in result["drifts"]}
        for why in (why for why in _REASONS if why in seen):
            word = status.bad if why == "unexplained" else status.quiet
            st.markdown(f"{word(why)} {_REASONS[why]}")


def _row(drift: dict[str, Any]) -> dict[str, str]:
    stream = "" if drift["stream"] == "real" else " (load tests)"
    return {
        "Bucket": str(drift["bucket"]) + stream,
        "Figure": str(drift["metric"]),
        "Lake": _amount(drift, "lake"),
        "Aggregates": _amount(drift, "aggregates"),
        "Drift": _amount(drift, "drift"),
        "Why": str(drift["why"]) + (", repaired" if drift["is_repaired"] else ""),
        "Detail": str(drift["detail"]),
        "Events": ", ".join(drift["events"]),
    }


def _amount(drift: dict[str, Any], name: str) -> str:
    value = int(drift[name])
    metric = str(drift["metric"])
    if metric.split(",")[0] in _MONEY or metric.endswith(", gross"):
        return wording.money(value, str(drift["currency"]) or settings().currency)
    return f"{value:,}"


def history() -> None:
    results = recounts.list_reconciliations()
    if not results:
        return
    with st.container(border=True):
        st.subheader("Reconciliations so far, newest first", anchor=False)
        rows = [
            [
                _when(result.get("at")),
                status.bad("drift") if result["unexplained"] else status.good("agrees"),
                f"{result['compared']:,}",
                f"{result['unexplained']:,}",
                f"{result['explained']:,}",
                f"{result['repaired']:,}",
                f"{result['duration_ms'] / 1000:.1f} s",
                _trigger(result),
            ]
            for result in results
        ]
        columns = ["When (UTC)", "", "Figures", "Unexplained", "Explained", "Repaired", "Took",
                   "Started by"]  # fmt: skip
        status.table(columns, rows, right=(2, 3, 4, 5, 6))


def _when(text: Any) -> str:
    at = wording.moment(text)
    return f"{at:%d %b %Y %H:%M:%S}" if at else ""
