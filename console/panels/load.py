"""Starting a load run: which, how much, how long; and cleaning up after them."""

import streamlit as st

from console import audit, context
from console.panels import load_actions
from console.queries import load
from loadgen.scenarios import (
    MAX_ARRIVALS_PER_S,
    MAX_DURATION_S,
    MAX_USERS,
    MIN_DURATION_S,
    SHAPES,
    Plan,
    Scenario,
    Shape,
    make_plan,
)
from pipeline.runtime.clock import new_id


def start_form() -> None:
    """The scenario's own figures are filled in, so that one click is enough."""
    with st.container(border=True):
        st.subheader("Start a load run", anchor=False)
        scenario = st.segmented_control(
            "Scenario",
            list(Scenario),
            format_func=lambda s: str(s.value).replace("-", " ").capitalize(),
            default=Scenario.NORMAL,
            required=True,
            key="load-scenario",
            wrap=True,
        )
        scenario = scenario or Scenario.NORMAL
        shape = SHAPES[scenario]
        st.markdown(f"{shape.meaning} {_who(shape)}")
        try:
            plan = _plan(scenario, shape)
        except ValueError as error:
            st.warning(f"That does not fit: {error}.", icon=":material/info:")
            return
        st.caption(_offer(plan))
        if st.button("Start", type="primary", icon=":material/play_arrow:", key="load-start"):
            _start(plan)


def _plan(scenario: Scenario, shape: Shape) -> Plan:
    name = scenario.value
    with st.grid(4 if shape.is_open else 3, min_column_width=150, gap="small"):
        rate = None
        if shape.arrivals_per_s is not None:
            rate = st.number_input(
                "Requests/s at the top", 1, MAX_ARRIVALS_PER_S, int(shape.arrivals_per_s), 10,
                key=f"load-rate-{name}",
            )  # fmt: skip
        users = st.number_input(
            "Under way at most" if shape.is_open else "Users",
            1, MAX_USERS, shape.users, 10, key=f"load-users-{name}",
        )  # fmt: skip
        ramp = st.number_input(
            "Ramp, seconds", 0, MAX_DURATION_S, shape.ramp_s, 5, key=f"load-ramp-{name}",
            help="The load grows from nothing to its full height in this time.",
        )  # fmt: skip
        duration = st.number_input(
            "Duration, seconds", MIN_DURATION_S, MAX_DURATION_S, shape.duration_s, 10,
            key=f"load-duration-{name}", help="The ramp included.",
        )  # fmt: skip
    return make_plan(
        new_id(), scenario, context.person().email, users=int(users), ramp_s=int(ramp),
        duration_s=int(duration), arrivals_per_s=None if rate is None else float(rate),
    )  # fmt: skip


def _start(plan: Plan) -> None:
    try:
        load_actions.start(context.person(), plan)
    except audit.Refused as refusal:
        st.warning(str(refusal), icon=":material/info:")
        return
    st.query_params.pop("run", None)
    st.query_params.pop("with", None)
    st.rerun()


def _who(shape: Shape) -> str:
    total = sum(shape.weights.values())
    shares = [f"{weight / total:.0%} {persona.value}s" for persona, weight in shape.weights.items()]
    think = (
        ""
        if shape.is_open
        else f"; each thinks {shape.think_s[0]:g} to {shape.think_s[1]:g} s before a request"
    )
    return f"{', '.join(shares)}{think}."


def _offer(plan: Plan) -> str:
    per_s = plan.arrivals_per_s or plan.users / plan.shape.mean_think_s
    return (
        f"Offers {per_s:,.0f} requests/s, {per_s * 60:,.0f} a minute, for "
        f"{plan.duration_s - plan.ramp_s:,} s after the ramp. Marked synthetic: no sale counts it, "
        "and it is cleaned up when it ends."
    )


def cleaning() -> None:
    """Runs clean up after themselves; this is for those that could not."""
    with st.container(border=True):
        st.subheader("Clean up after load runs", anchor=False)
        st.caption(
            "Each run does this when it ends; here it is done for those that died or had orders "
            "under way. Carts, accounts and sign-ins go, open orders are cancelled, sold goods "
            "are put back; order rows stay, for the proof, marked synthetic."
        )
        if st.button("Clean up", icon=":material/cleaning_services:", key="load-clean"):
            try:
                with st.spinner("Cleaning up…"):
                    said = load_actions.clean(context.person())
            except audit.Refused as refusal:
                st.warning(str(refusal), icon=":material/info:")
                return
            st.success(
                "  \n".join(said) or "Every load run is cleaned up.", icon=":material/check:"
            )


def shows_other_run(running: str | None) -> bool:
    """Whether a run began, ended, or has been cleaned up since the page was drawn."""
    if st.session_state.get("load-drawn") != running:
        return True
    cleaning = st.session_state.get("load-cleaning")
    if running is not None or not cleaning:
        return False
    head = load.find_run(cleaning)
    return head is not None and load.status_of(head, running) != "cleaning"


def remember(running: str | None) -> None:
    """What the page is about to show, so that the live part knows when it is outdated."""
    st.session_state["load-drawn"] = running
    if running is not None:
        return
    load.list_runs.clear()
    heads = load.list_runs()[:1]
    st.session_state["load-cleaning"] = next(
        (h["run_id"] for h in heads if load.status_of(h, running) == "cleaning"), None
    )
