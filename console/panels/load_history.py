"""Runs that are over: verdict, note, export, comparison of any two."""

from typing import Any

import streamlit as st

from console import audit, context, downloads
from console.panels import load_actions, load_compare, load_live, status
from console.queries import load
from console.queries.load import Head
from loadgen import report
from loadgen.summary import DIED


def history(running: str | None) -> None:
    heads = [
        load.completed(head, running) for head in load.list_runs() if head["run_id"] != running
    ]
    if not heads:
        st.info("No load run has ended yet.", icon=":material/info:")
        return
    st.header("Runs so far", anchor=False)
    _overview(heads, running)
    by_id = {head["run_id"]: head for head in heads}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        # While one goes on, the page is that run's.
        shown = list(by_id) if running is None else ["", *by_id]
        chosen = _choose("Show", shown, by_id, "run")
        others = [run_id for run_id in by_id if run_id != chosen]
        other = _choose("Compare with", ["", *others], by_id, "with")
    if not chosen:
        return
    head = by_id[chosen]
    _verdict(head, load.status_of(head, running))
    if other:
        load_compare.show(
            head, by_id[other], (load_live.label(head), load_live.label(by_id[other]))
        )
    else:
        load_live.went(head, load.read_progress(chosen))
    _note(head)


def _choose(label: str, ids: list[str], heads: dict[str, Head], parameter: str) -> str | None:
    """`?run=` and `?with=` keep the choice in the address."""
    asked = st.query_params.get(parameter, "")
    chosen = st.selectbox(
        label,
        ids,
        index=ids.index(asked) if asked in ids else 0,
        format_func=lambda run_id: load_live.label(heads[run_id]) if run_id else "nothing",
        key=f"load-{parameter}-{len(ids)}-{ids[-1]}",
    )
    if chosen and (chosen != ids[0] or asked):
        st.query_params[parameter] = chosen
    elif not chosen:
        st.query_params.pop(parameter, None)
    return chosen


def _overview(heads: list[Head], running: str | None) -> None:
    rows = []
    for head in heads:
        summary: dict[str, Any] = head.get("summary") or {}
        holds = (summary.get("verdict") or {}).get("holds")
        rows.append(
            {
                "Started (UTC)": load_live.when(head),
                "Scenario": head["plan"]["scenario"],
                "Load": load.describe(head["plan"]),
                "State": load.status_of(head, running),
                "Verdict": "" if holds is None else "✓ passed" if holds else "✗ not passed",
                "Requests": summary.get("requests"),
                "A minute": summary.get("requests_per_min"),
                "p95 (ms)": summary.get("p95_ms"),
                "Failed": summary.get("failures"),
                "Ended early": f"it {summary['reason']}" if summary.get("reason") else "",
                "By": head["plan"]["by"],
                "Note": head.get("note", ""),
            }
        )
    if not any(row["Ended early"] for row in rows):
        rows = [{n: value for n, value in row.items() if n != "Ended early"} for row in rows]
    st.dataframe(
        rows,
        hide_index=True,
        height=min(38 + 35 * len(rows), 248),
        alt="Load runs, newest first",
        column_config={
            name: st.column_config.NumberColumn(format="localized")
            for name in ("Requests", "A minute", "p95 (ms)", "Failed")
        },
    )


def _verdict(head: Head, state: str) -> None:
    summary = head.get("summary") or {}
    with st.container(border=True):
        verdict = summary.get("verdict")
        _early(head, state)
        if verdict is not None:
            broken = [c["name"].lower() for c in verdict["criteria"] if not c["holds"]]
            if state == "cleaning":
                st.caption("It has ended and is being cleaned up.")
            if broken:
                st.error(f"**Not passed**: {', '.join(broken)}", icon=":material/error:")
            else:
                st.success("**Passed**: every objective was met", icon=":material/verified:")
            rows = [
                [
                    c["name"], c["objective"], c["measured"],
                    status.good("holds") if c["holds"] else status.bad("broken"),
                ]
                for c in verdict["criteria"]
            ]  # fmt: skip
            status.table(["Objective", "Wanted", "Measured", ""], rows)
            st.caption(f"Objectives from {verdict['source']}")
        _facts(summary)
        if state in ("lost", "uncleaned") and "cleaned" not in head:
            st.caption("Not cleaned up yet: the button is at the end of this page.")
        if cleaned := head.get("cleaned"):
            st.markdown(f"**Cleaned up** by `{cleaned['by']}`: {_removed(cleaned)}.")
        if summary:
            _exports(head)


def _early(head: Head, state: str) -> None:
    """That a run ended before its plan, and why, where nobody overlooks it."""
    summary = head.get("summary") or {}
    reason = summary.get("reason")
    if not reason and state != "lost":
        return
    after = ""
    if "lasted_s" in summary:
        after = f" after {summary['lasted_s']:,} of {head['plan']['duration_s']:,} s"
    said = f"**Ended early{after}** ({state}): the run {reason or DIED}."
    if state == "lost":
        said += " There is no verdict; what it had measured until then is below."
    st.warning(said, icon=":material/timer_off:")


def _facts(summary: dict[str, Any]) -> None:
    if "requests_per_min" in summary:
        st.markdown(
            f"**{summary['requests']:,} requests**, {summary['requests_per_min']:,} a minute after "
            f"the ramp; p50 {summary['p50_ms']:g}, p95 {summary['p95_ms']:g}, "
            f"p99 {summary['p99_ms']:g} ms; {summary['failures']:,} failed"
            + (
                f", {lost:,} arrivals found no place"
                if (lost := summary.get("lost_arrivals"))
                else ""
            )
            + "; "
            f"the machine was {summary['cpu_mean']:.0f} % busy."
        )
    envoy = summary.get("envoy")
    if envoy and envoy.get("logged") is not None:
        apart = float(envoy.get("difference", 1))
        word = status.good if apart <= 0.01 else status.bad
        st.markdown(
            f"**Envoy counted {envoy['logged']:,}** requests of this run, Locust "
            f"{envoy['ours']:,}: {word(f'{apart:.2%} apart')}. Its counters grew by "
            f"{envoy['everybody']:,} in that time, everybody's requests together."
        )
    for name, times in (summary.get("refusals") or {}).items():
        st.caption(f"Refused as it should be: {times:,} times {name}")


def _removed(cleaned: dict[str, Any]) -> str:
    late = f"; {cleaned['under_way']:,} orders still under way" if cleaned["under_way"] else ""
    wrong = len(cleaned["not_synthetic"])
    marked = f"{wrong} NOT marked synthetic" if wrong else "all marked synthetic"
    return (
        f"{cleaned['carts']:,} carts, {cleaned['accounts']:,} accounts and "
        f"{cleaned['sign_ins']:,} sign-ins removed, {cleaned['cancelled']:,} orders cancelled, "
        f"{cleaned['units_restocked']:,} units of {cleaned['skus_restocked']:,} SKUs put back; "
        f"{cleaned['orders']:,} order rows kept, {marked}{late}"
    )


def _exports(head: Head) -> None:
    run_id = str(head["run_id"])

    def made(make: Any) -> str:
        return str(make(head, load.read_progress(run_id).seconds))

    with st.container(horizontal=True):
        for label, make, kind, mime in (
            ("Report (HTML)", report.to_html, "html", "text/html"),
            ("Data (JSON)", report.to_json, "json", "application/json"),
        ):
            downloads.button(
                label,
                lambda m=make: made(m),  # type: ignore[misc]
                f"load-{run_id}.{kind}",
                mime,
                key=f"load-{kind}",
            )


def _note(head: Head) -> None:
    with st.form("load-note", border=True):
        text = st.text_input(
            "Note",
            str(head.get("note", "")),
            max_chars=load_actions.MAX_NOTE,
            placeholder="What was special about this run?",
            key=f"load-note-{head['run_id']}",
        )
        if st.form_submit_button("Save the note", icon=":material/edit_note:"):
            try:
                load_actions.note(context.person(), str(head["run_id"]), text)
            except audit.Refused as refusal:
                st.warning(str(refusal), icon=":material/info:")
                return
            st.rerun()
