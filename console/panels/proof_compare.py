"""Two proofs of the history beside each other: what differs, claim by claim."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import streamlit as st

from console import wording
from console.panels import status

Report = dict[str, Any]
WORDS = {"valid": status.good, "invalid": status.bad, "not proven": status.warn}
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
            if one.kind != "figures":
                _show(one, earlier, later)
        if moved := [one for one in found if one.kind == "figures"]:
            with st.expander(f"Figures that moved, of {len(moved)} claims", type="compact"):
                for one in moved:
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
    st.markdown(f"**{status.escaped(name)}**")
    with st.grid(2, min_column_width=260, gap="small"):
        for report, check in ((later, one.later), (earlier, one.earlier)):
            st.markdown("  \n".join(_lines(report, check)))


def _lines(report: Report, check: Report | None) -> Iterator[str]:
    at = f":small[:gray[{when(report)} UTC]]"
    if check is None:
        yield f"{status.quiet('not claimed')} {at}"
        return
    verdict = str(check["verdict"])
    yield f"{WORDS.get(verdict, status.quiet)(verdict)} {at}"
    for said in (check.get("left"), check.get("right"), check.get("detail")):
        if said:
            yield status.escaped(str(said))
    if offenders := check.get("offending_ids"):
        yield f"Offending: {status.escaped(', '.join(map(str, offenders)))}"


def when(report: Report) -> str:
    at = wording.moment(report.get("at"))
    return f"{at:%d %b %Y %H:%M:%S}" if at else "at an unknown time"


def _label(report: Report) -> str:
    return f"{when(report)} UTC, {report.get('verdict')}"
