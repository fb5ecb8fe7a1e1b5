"""The cases of one cause: the body of one, a fix tried on it, and the three things to do."""

from collections.abc import Callable, Sequence

import streamlit as st

from console import audit, context, wording
from console.panels import desk_actions, quarantine, status
from console.queries import desk
from pipeline.desk.domain import QUARANTINE, STREAM_FAILURES, Case, Progress
from pipeline.desk.failures import ADVICE, failure_of
from pipeline.desk.masking import shown, words
from pipeline.desk.service import (
    DEFAULT_RATE_PER_S,
    MAX_RATE_PER_S,
    MAX_REASON,
    fault_with,
)
from pipeline.desk.transforms import TRANSFORMS, NotMendable

_MAX_LISTED = 200
# So many bodies are tried before a person is told for how many of the cause a fix would do.
_MAX_TRIED = 500
ONE, ALL = "This case", "All of this cause"


def show(cases: Sequence[Case]) -> None:
    """`cases` are of one place and cause, at least one."""
    with st.container(border=True):
        case = _choose_case(cases)
        _facts(case)
        st.code(shown(case.body), language="json", height=320, wrap_lines=True)
        st.caption("Personal data is masked here, not in what is sent on; long bodies are cut.")
    is_one = _scope()
    scope = [case] if is_one else [one for one in cases if one.is_open]
    if case.place != STREAM_FAILURES:
        _mending(case, scope)
    _doing(scope)


def _choose_case(cases: Sequence[Case]) -> Case:
    listed = {case.case_id: case for case in cases[:_MAX_LISTED]}
    number = f"{len(cases):,} case{'s' * (len(cases) != 1)}"
    st.subheader(f"{number} of {status.escaped(cases[0].cause)}", anchor=False)
    if len(cases) > _MAX_LISTED:
        st.caption(f"The newest {_MAX_LISTED} can be looked at; actions are for all of them.")

    def label(case_id: str) -> str:
        case = listed[case_id]
        return f"{case.at:%d %b %H:%M:%S} · {words(case.event_id or case.case_id)}"

    key = f"desk-case-{cases[0].place}-{cases[0].cause}"
    chosen = st.selectbox("Case", list(listed), format_func=label, key=key)
    return listed[chosen or next(iter(listed))]


def _facts(case: Case) -> None:
    times = "" if case.times == 1 else f", delivered {case.times:,} times"
    st.markdown(f"{quarantine.state_badge(case)} arrived {wording.clock_time(case.at)}{times}, "
                f"from {status.escaped(words(case.source))}")  # fmt: skip
    if case.detail:
        st.code(words(case.detail), language=None, wrap_lines=True)
    if case.place == STREAM_FAILURES:
        st.info(ADVICE[failure_of(case.body).kind], icon=":material/info:")
    if row := case.row:
        steps = f" with {', '.join(row.steps)}" if row.steps else ""
        why = f": {row.reason}" if row.reason else ""
        st.text(f"{row.state.capitalize()}{steps} by {row.by}, {wording.clock_time(row.at)}{why}")


def _scope() -> bool:
    """Whether to act on the one case that is looked at, and not on all of its cause."""
    chosen = st.segmented_control(
        "Act on", [ONE, ALL], default=ONE, required=True, key="desk-scope"
    )  # fmt: skip
    return chosen != ALL


def _mending(case: Case, scope: Sequence[Case]) -> None:
    with st.container(border=True):
        st.subheader("Mend it", anchor=False)
        st.caption("Steps are applied in this order, to the body as it came; try, then keep")
        names = st.multiselect(
            "Steps", list(TRANSFORMS), key="desk-steps",
            format_func=lambda name: f"{name}: {TRANSFORMS[name].what}",
        )  # fmt: skip
        steps = [_step(name) for name in names]
        if not steps:
            return
        if not _try(case, steps):
            return
        tried = [one for one in scope[:_MAX_TRIED] if fault_with(one, steps) is None]
        if len(scope) > 1:
            st.markdown(f"With these steps **{len(tried):,} of {len(scope[:_MAX_TRIED]):,}** of "
                        "this cause would be accepted.")  # fmt: skip
        if st.button("Keep this fix", icon=":material/build:", key="desk-fix", disabled=not tried):
            _tell("mended; redrive sends them on",
                  lambda: desk_actions.fix(context.person(), scope, steps))  # fmt: skip


def _step(name: str) -> str:
    takes = TRANSFORMS[name].takes
    if not takes:
        return name
    argument = st.text_input(f"{name}: {takes}", key=f"desk-argument-{name}", max_chars=200)
    return f"{name}:{argument}"


def _try(case: Case, steps: Sequence[str]) -> bool:
    """What they would change; whether they can be applied."""
    try:
        preview = desk.build(lambda _: None).preview(case, steps)
    except NotMendable as error:
        st.warning(f"That cannot be done: {status.escaped(str(error))}.", icon=":material/info:")
        return False
    st.code(preview.changes or "These steps change nothing.", language="diff", wrap_lines=True)
    if preview.fault:
        st.warning(
            f"It would still be refused: {status.escaped(preview.fault)}", icon=":material/close:"
        )
    elif case.place == QUARANTINE:
        st.success("The pipeline would accept it", icon=":material/check:")
    return True


def _doing(scope: Sequence[Case]) -> None:
    """Each asks first, in a popover: what it does, and what it needs to know."""
    number = sum(case.is_open for case in scope)
    with st.container(horizontal=True):
        with st.popover(f"Redrive {number:,}…", icon=":material/redo:", disabled=not number):
            _ask_redrive(scope)
        with st.popover(f"Discard {number:,}…", icon=":material/delete:", disabled=not number):
            _ask_discard(scope)
    if done := st.session_state.pop("desk-done", None):
        st.success(done, icon=":material/check:")


def _ask_redrive(scope: Sequence[Case]) -> None:
    st.markdown(_goes_to(scope[0]))
    rate = st.number_input("At most so many a second", 1, MAX_RATE_PER_S, DEFAULT_RATE_PER_S,
                           key="desk-rate")  # fmt: skip
    if st.button("Yes, redrive", type="primary", width="stretch", key="desk-redrive"):
        try:
            desk_actions.redrive(context.person(), scope, int(rate))
        except audit.Refused as refusal:
            st.error(str(refusal), icon=":material/error:")
            return
        st.session_state["desk-done"] = "The redrive has begun; it is shown above."
        st.rerun()


def _goes_to(case: Case) -> str:
    if case.place == QUARANTINE:
        return (
            "They go into the event stream again, mended ones as they were mended, each with its "
            "own event id: what was counted before is not counted again. What would still be "
            "refused is not sent."
        )
    if case.place == STREAM_FAILURES:
        return "Their function is handed the same records once more, if the stream still has them."
    queue = case.place.removesuffix("-dlq")
    return f"They go back to the queue **{queue}**. Its worker knows what it has already done."


def _ask_discard(scope: Sequence[Case]) -> None:
    st.markdown("They count as discarded from then on; body, reason and your name are kept.")
    reason = st.text_area("Reason", key="desk-reason", max_chars=MAX_REASON)
    if st.button("Yes, discard", type="primary", width="stretch", key="desk-discard"):
        _tell("discarded", lambda: desk_actions.discard(context.person(), scope, reason))


def _tell(verb: str, do: Callable[[], Progress]) -> None:
    """Do it, and say on the page drawn next how it went; a refusal stays where it is."""
    try:
        with st.spinner("Working…"):
            done = do()
    except audit.Refused as refusal:
        st.error(str(refusal), icon=":material/error:")
        return
    st.session_state["desk-done"] = f"{status.escaped(done.sentence(verb))}."
    st.rerun()
