"""The proof ledger's last result, its history, and the button that runs it again."""

import json
from typing import Any

import streamlit as st

from console import actions, audit, context, wording
from console.panels import status
from console.programs import PROOF
from console.queries import runs
from pipeline.runtime.clock import now

_WORD = {"valid": status.good, "invalid": status.bad, "not proven": status.warn}


def report_of(item: dict[str, Any] | None) -> dict[str, Any] | None:
    """The report inside an ops item; {run_id, at, duration_s, verdict, checks}."""
    if item is None:
        return None
    text = item.get("report")
    report: dict[str, Any] = json.loads(text) if isinstance(text, str) else item
    return report


def finding(report: dict[str, Any]) -> tuple[str, str]:
    """(`valid`, `invalid` or `not proven`; one sentence)."""
    checks = report.get("checks") or []
    counts = {word: sum(c.get("verdict") == word for c in checks) for word in _WORD}
    if counts["invalid"]:
        return "invalid", f"{counts['invalid']} of {len(checks)} claims do not hold"
    if counts["not proven"] or not checks:
        return "not proven", f"{counts['not proven']} of {len(checks)} claims could not be proven"
    return "valid", f"All {len(checks)} claims hold"


def age_words(report: dict[str, Any]) -> str:
    at = wording.moment(report.get("at"))
    age = f"{wording.age((now() - at).total_seconds())} ago" if at else "at an unknown time"
    return f"proven {age}, in {float(report.get('duration_s') or 0):.1f} s"


def show_report(report: dict[str, Any]) -> None:
    verdict, sentence = finding(report)
    draw = {"valid": st.success, "invalid": st.error, "not proven": st.warning}[verdict]
    icon = {"valid": "verified", "invalid": "error", "not proven": "help"}[verdict]
    draw(f"**{sentence}**, {age_words(report)}.", icon=f":material/{icon}:")
    for check in report.get("checks") or []:
        _show_check(check)


def _show_check(check: dict[str, Any]) -> None:
    word = _WORD.get(str(check.get("verdict")), status.quiet)
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            name = str(check.get("name"))
            st.markdown(f"{word(str(check.get('verdict')))} **{name[:1].upper()}{name[1:]}**")
            if queries := check.get("queries"):
                with st.popover("How it was read", type="tertiary", wrap=False):
                    st.markdown("\n".join(f"- `{query}`" for query in queries))
        st.markdown(str(check.get("claim") or ""))
        if check.get("left") or check.get("right"):
            with st.grid(2, min_column_width=260, gap="small"):
                st.markdown(f":small[:gray[One reading]]  \n{check.get('left')}")
                st.markdown(f":small[:gray[Another]]  \n{check.get('right')}")
        if check.get("detail"):
            st.caption(str(check["detail"]))
        if offenders := check.get("offending_ids"):
            st.code("\n".join(map(str, offenders)), language=None)


def run_button() -> None:
    """Only an operator's; the run goes on when the page is left."""
    if PROOF.is_running():
        st.button("Proving…", disabled=True, icon=":material/hourglass_top:")
        return
    if st.button("Prove now", type="primary", icon=":material/play_arrow:"):
        try:
            actions.start_proof(context.person())
        except audit.Refused as refusal:
            st.warning(str(refusal), icon=":material/info:")
            return
        st.rerun()


def run_state() -> bool:
    """Whether a run of this console goes on; redraws the whole page once when it has ended."""
    if PROOF.is_running():
        st.info(
            "The proof is running; the result appears here by itself.",
            icon=":material/hourglass_top:",
        )
        return True
    if PROOF.has_ended():
        actions.drop_proof_lease()
        runs.find_proof.clear()
        runs.list_proofs.clear()
        st.rerun()
    if PROOF.failed is not None:
        st.error(
            f"The last run ended with {PROOF.failed} and wrote no result:", icon=":material/error:"
        )
        st.code(PROOF.last_words(), language=None)
    return False


def history() -> None:
    reports = [report for item in runs.list_proofs() if (report := report_of(item))]
    if not reports:
        return
    with st.container(border=True):
        st.subheader("Proofs so far, newest first", anchor=False)
        rows = []
        for report in reports:
            verdict, sentence = finding(report)
            at = wording.moment(report.get("at"))
            when = f"{at:%d %b %Y %H:%M:%S}" if at else ""
            seconds = f"{float(report.get('duration_s') or 0):.1f} s"
            rows.append([when, _WORD[verdict](verdict), sentence, seconds])
        status.table(["When (UTC)", "Verdict", "Finding", "Took"], rows, right=(3,))
