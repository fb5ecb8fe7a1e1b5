"""The proof ledger's last result, its history, and the button that runs it again."""

import json
from typing import Any

import streamlit as st

from console import actions, audit, context, downloads, wording
from console.panels import proof_compare, status
from console.programs import PROOF
from console.queries import runs
from console.queries.edge import Unreachable
from pipeline.runtime.clock import now
from pipeline.runtime.signed_report import SIGNATURE, NotVerified, verify


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
    counts = {word: sum(c.get("verdict") == word for c in checks) for word in proof_compare.WORDS}
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
    with st.container(horizontal=True, vertical_alignment="center"):
        _show_signature(report)
        _offer(report)
    for check in report.get("checks") or []:
        _show_check(check)


def _show_signature(report: dict[str, Any]) -> None:
    """Checked each time it is shown: what lies in the table may have been changed there."""
    if SIGNATURE not in report:
        st.markdown(f"{status.quiet('not signed')} It was made before reports were signed, "
                    "or Secrets Manager did not answer.")  # fmt: skip
        return
    try:
        key_id = verify(report, runs.find_proof_keys())
    except NotVerified as fault:
        st.markdown(f"{status.bad('signature NOT verified')} {status.escaped(str(fault))}")
    except Unreachable as fault:
        st.markdown(f"{status.warn('signature not checked')} {status.escaped(str(fault))}")
    else:
        st.markdown(f"{status.good('signature verified')} Signed with key `{key_id}`")


def _offer(report: dict[str, Any]) -> None:
    """The report with its signature, for `make prove VERIFY=`."""
    run_id = str(report["run_id"])
    downloads.button(
        "Report", lambda: json.dumps(report, indent=2) + "\n", f"proof-{run_id}.json",
        "application/json", key=f"proof-{run_id}", kind="tertiary",
    )  # fmt: skip


def _show_check(check: dict[str, Any]) -> None:
    word = proof_compare.WORDS.get(str(check.get("verdict")), status.quiet)
    with st.container(border=True, gap="xsmall"):
        name = str(check.get("name"))
        st.markdown(f"{word(str(check.get('verdict')))} **{name[:1].upper()}{name[1:]}**")
        st.markdown(str(check.get("claim") or ""))
        if check.get("left") or check.get("right"):
            with st.grid(2, min_column_width=260, gap="small"):
                st.markdown(f":small[:gray[One reading]]  \n{check.get('left')}")
                st.markdown(f":small[:gray[Another]]  \n{check.get('right')}")
        if check.get("detail"):
            st.caption(str(check["detail"]))
        if offenders := check.get("offending_ids"):
            st.code("\n".join(map(str, offenders)), language=None)
        if queries := check.get("queries"):
            with st.expander("How it was read", type="compact"):
                for query in queries:
                    _show_query(str(query))


def _show_query(query: str) -> None:
    kind, _, text = query.partition(": ")
    if kind == "sql":
        st.caption("SQL, as the Explore page runs it over all dates")
        st.code(text, language=None, wrap_lines=True)  # SQL's colours have too little contrast
    else:
        st.code(query, language=None, wrap_lines=True)


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
        runs.find_proof.clear()
        runs.list_proofs.clear()
        runs.find_proof_keys.clear()
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
            seconds = f"{float(report.get('duration_s') or 0):.1f} s"
            signature = report.get(SIGNATURE) or {}
            signed = f"`{signature['key_id']}`" if signature else "–"
            rows.append(
                [
                    proof_compare.when(report),
                    proof_compare.WORDS[verdict](verdict),
                    sentence,
                    seconds,
                    signed,
                ]
            )
        columns = ["When (UTC)", "Verdict", "Finding", "Took", "Signed with"]
        status.table(columns, rows, right=(3,))
    proof_compare.show(reports)
