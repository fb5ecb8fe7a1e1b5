"""The operator's hands on a replica: choose, confirm, done, written down."""

import streamlit as st

from console import actions, audit, context
from console.queries import replicas, runs
from pipeline.runtime.clock import now

_EFFECT = {
    "restart": "It stops taking requests, ends those it has, and starts anew. The other zone "
    "answers meanwhile.",
    "stop": "The other zone answers alone until it is started again.",
    "start": "It joins as soon as Envoy finds it healthy.",
}


def replica_controls() -> None:
    with st.container(border=True):
        st.subheader("Act on a replica", anchor=False)
        st.caption("Every action asks first and is written to the audit log")
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            service = st.segmented_control(
                "Service", replicas.SERVICES, default=replicas.SERVICES[0], required=True,
                key="act-service", wrap=True,
            )  # fmt: skip
            zone = st.segmented_control(
                "Zone", replicas.ZONES, default=replicas.ZONES[0], required=True, key="act-zone"
            )
            name = f"{service}-{zone}"
            with st.container(horizontal=True, width="content"):
                for verb, label in actions.VERBS.items():
                    if st.button(label, key=f"ask-{verb}", wrap=False):
                        _confirm(verb, name)
        if done := st.session_state.pop("acted", None):
            st.success(done, icon=":material/check:")


@st.dialog("Are you sure?", icon=":material/help:")
def _confirm(verb: actions.Verb, name: str) -> None:
    st.markdown(f"{actions.VERBS[verb]} **{name}**? {_EFFECT[verb]}")
    if st.button(f"Yes, {verb} {name}", type="primary", width="stretch"):
        try:
            with st.spinner(f"{actions.VERBS[verb]} {name}…"):
                actions.act_on_replica(context.person(), verb, name)
        except audit.Refused as refusal:
            st.error(str(refusal), icon=":material/error:")
            return
        st.session_state["acted"] = f"Done: {verb} {name}."
        st.rerun()


def audit_log() -> None:
    entries = runs.list_audit(f"{now():%Y-%m-%d}")
    with st.container(border=True):
        st.subheader("What people did today", anchor=False)
        if not entries:
            st.caption("Nobody has changed anything through the console today (UTC).")
            return
        columns = {
            "at": "When (UTC)", "actor": "Who", "action": "What", "target": "Which",
            "result": "Result", "detail": "Detail",
        }  # fmt: skip
        rows = [{label: entry.get(key, "") for key, label in columns.items()} for entry in entries]
        st.dataframe(rows, hide_index=True, alt="Audit entries of today")
