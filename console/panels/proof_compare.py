"""Two proofs of the history beside each other: what differs, claim by claim."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import streamlit as st

from console import wording
from console.panels import status

Report = dict[str, Any]
_WORD = {"valid": status.good, "invalid": status.bad, "not proven": status.warn}
_FIGURES = ("left", "right", "detail", "offending_ids")


@dataclass(frozen=True, slots=True)
class Difference:
    """A claim that is not the same in both; None where a proof did not make it."""

    name: str
    earlier: Report | None
    later: Report | None

    @property
    def kind(self) -> Literal["new", "gone", "verdict", "figures"]:
        if self.earlier is None or self.later is None:
            return "new" if self.earlier is None else "gone"
        return "verdict" if self.earlier["verdict"] != self.later["verdict"] else "figures"


def differences(earlier: Report, later: Report) -> list[Difference]:
    """Claims with another verdict, or made in one of the two alone, before those with other
    figures; each in the order of the later proof."""
    then, now = ({c["name"]: c for c in report.get("checks") or []} for report in (earlier, later))
    found = [
        Difference(name, then.get(name), now.get(name))
        for name in dict.fromkeys([*now, *then])
        if _facts(then.get(name)) != _facts(now.get(name))
    ]
    return sorted(found, key=lambda one: one.kind == "figures")


def show(reports: list[Report]) -> None:
    """Args: the history, newest first. The choice opens on the last two."""
    if len(reports) < 2:
        return
    with st.container(border=True):
        by_id = {str(report["run_id"]): report for report in reports}
        ids = list(by_id)
        heading = st.container()
        with st.grid(2, min_column_width=260, gap="small"):
            later, earlier = (
                by_id[
                    st.selectbox(
                        label, ids, index=at, key=f"proof-{label}-{ids[0]}",
                        format_func=lambda run_id: _label(by_id[run_id]),
                    )
                ]
                for label, at in (("Proof", 0), ("Compare with", 1))
            )  # fmt: skip
        found = differences(earlier, later)
        total = len({c["name"] for r in (earlier, later) for c in r.get("checks") or []})
        heading.subheader(_finding(found, total), anchor=False)
        for one in found:
            _show(one, earlier, later)


def _facts(check: Report | None) -> list[Any] | None:
    return [check.get(name) for name in ("verdict", *_FIGURES)] if check else None


def _finding(found: list[Difference], total: int) -> str:
    if not found:
        return f"The two proofs say the same of all {total} claims"
    verdicts = sum(one.kind != "figures" for one in found)
    if not verdicts:
        return f"Every verdict is the same; the figures of {len(found)} of {total} claims moved"
    return f"{verdicts} of {total} claims came out otherwise"


def _show(one: Difference, earlier: Report, later: Report) -> None:
    name = one.name[:1].upper() + one.name[1:]
    rows = [
        [when(report), *_cells(check)]
        for report, check in ((later, one.later), (earlier, one.earlier))
    ]
    st.markdown(f"**{status.escaped(name)}**")
    status.table(["Proof (UTC)", "Verdict", "One reading", "Another", "Offending"], rows)


def _cells(check: Report | None) -> Iterator[str]:
    if check is None:
        yield from (status.quiet("not claimed"), "", "", "")
        return
    verdict = str(check["verdict"])
    yield _WORD.get(verdict, status.quiet)(verdict)
    for side in ("left", "right"):
        yield status.escaped(str(check.get(side) or "–"))
    yield status.escaped(", ".join(map(str, check.get("offending_ids") or [])) or "nobody")


def when(report: Report) -> str:
    at = wording.moment(report.get("at"))
    return f"{at:%d %b %Y %H:%M:%S}" if at else "at an unknown time"


def _label(report: Report) -> str:
    return f"{when(report)} UTC, {report.get('verdict')}"
