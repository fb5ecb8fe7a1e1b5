"""Whether the shop keeps what it told its clients, by their own journals; pure, no reading."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pipeline.contracts.events import ORDER_PLACED
from pipeline.contracts.journal import Closing, Told
from pipeline.proof.domain import (
    OFFENDERS_SHOWN,
    Fact,
    Finding,
    Order,
    Verdict,
    is_live,
    judge,
    say_money,
)

NO_JOURNAL = (
    "No client has kept a journal with an order in it: a load run does (make load), and the "
    "browser's test of a purchase"
)
Money = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Journal:
    """One client's; without `closing` it goes on, or was killed."""

    name: str
    told: Sequence[Told]
    closing: Closing | None

    @property
    def missing(self) -> int:
        """Lines that were written once and are not there."""
        last = max((line.no for line in self.told), default=0)
        return max(last, self.closing.lines if self.closing else 0) - len(self.told)


def told_is_kept(
    journals: Sequence[Journal], orders: Mapping[str, Order], facts: Iterable[Fact]
) -> Finding:
    """Not proven without a journal, and with one that has lost a line: what it said is unknown."""
    lines = [line for journal in journals for line in journal.told]
    rows = {o.order_id: (o.currency, o.total_minor) for o in orders.values()}
    events = {
        f.order_id: (f.currency, f.total_minor)
        for f in facts
        if f.event_type == ORDER_PLACED and is_live(f)
    }
    wrong = {side: _differing(lines, found) for side, found in (("row", rows), ("event", events))}
    finding = judge(
        f"{say_money((t.currency, t.total_minor) for t in lines)} told, {len(lines):,} orders in "
        f"{len(journals):,} journal{'s' if len(journals) != 1 else ''}",
        f"{_found(lines, rows)} of them in the table, {_found(lines, events)} in the lake",
        wrong["row"] | wrong["event"],
        _say(wrong, journals),
    )
    incomplete = [journal.name for journal in journals if journal.missing]
    if finding.verdict is Verdict.INVALID:
        return finding
    if not lines:
        return replace(finding, verdict=Verdict.NOT_PROVEN, detail=NO_JOURNAL, is_final=True)
    if incomplete:
        lacks = f"{sum(j.missing for j in journals):,} lines of {len(incomplete)} journals are gone"
        return replace(
            finding,
            verdict=Verdict.NOT_PROVEN,
            detail=f"{lacks}; {finding.detail}".rstrip("; "),
            offending_ids=incomplete[:OFFENDERS_SHOWN],
        )
    return finding


def _differing(lines: Iterable[Told], found: Mapping[str, Money]) -> set[str]:
    """Orders that are not there, or cost something else."""
    return {t.order_id for t in lines if found.get(t.order_id) != (t.currency, t.total_minor)}


def _found(lines: Iterable[Told], found: Mapping[str, Money]) -> str:
    ids = {line.order_id for line in lines} & found.keys()
    return f"{len(ids):,} ({say_money(found[one] for one in ids)})"


def _say(wrong: Mapping[str, set[str]], journals: Sequence[Journal]) -> str:
    said = [
        f"{len(ids):,} without {article} {side} of that total"
        for (side, ids), article in zip(wrong.items(), ("a", "an"), strict=True)
        if ids
    ]
    if still := sum(journal.closing is None for journal in journals):
        said.append(
            f"{still:,} of {len(journals):,} journals not closed: their clients go on or were "
            "killed, and what they had not written down is no evidence"
        )
    if lost := sum(journal.closing.lost for journal in journals if journal.closing):
        said.append(f"{lost:,} orders were not noted, since S3 did not take them")
    return "; ".join(said)
