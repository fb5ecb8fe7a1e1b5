"""What is claimed and how a claim is judged; pure, no reading.

A finding is `valid`, `invalid` (both sides were read and differ) or `not proven` (a side could not
be read, or events are still under way). Only `valid` proves anything.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from pipeline.desk.domain import DEAD_LETTERS, STREAM_FAILURES

OFFENDERS_SHOWN = 20


class Verdict(StrEnum):
    VALID = "valid"
    INVALID = "invalid"
    NOT_PROVEN = "not proven"


@dataclass(frozen=True, slots=True)
class Finding:
    """What two readings of one thing came to, and who breaks the claim about it.

    `is_final`: there is nothing to compare, and nothing is on its way; looking again is no use.
    """

    verdict: Verdict
    left: str = ""
    right: str = ""
    detail: str = ""
    offending_ids: list[str] = field(default_factory=list)
    is_final: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """One claim as it was found, and how to read both sides again."""

    name: str
    claim: str
    finding: Finding
    queries: list[str]

    @property
    def verdict(self) -> Verdict:
        return self.finding.verdict

    def to_dict(self) -> dict[str, Any]:
        found = asdict(self.finding)
        del found["is_final"]
        return {"name": self.name, "claim": self.claim, **found, "queries": self.queries}


@dataclass(frozen=True, slots=True)
class Order:
    """An order row as the table holds it; `units` is quantity by SKU.

    `owed_minor` is what the shop is to have of its money: the total once paid, less refunds.
    """

    order_id: str
    status: str
    version: int
    currency: str
    subtotal_minor: int
    units: Mapping[str, int]
    was_paid: bool
    synthetic: bool
    total_minor: int = 0
    owed_minor: int = 0


@dataclass(frozen=True, slots=True)
class Fact:
    """A distinct order event of the lake's raw files.

    `amount_minor` is its lines', merchandise alone; `total_minor` what the order costs.
    """

    event_id: str
    event_type: str
    order_id: str
    source: str
    synthetic: bool
    month: str
    currency: str
    units: int
    amount_minor: int
    total_minor: int = 0


# (stream, month, currency) -> {orders, units, gross, refunds}
Totals = dict[tuple[str, str, str], dict[str, int]]
METRICS = ("orders", "units", "gross", "refunds")


def judge(left: str, right: str, offenders: Iterable[str], detail: str = "") -> Finding:
    """Invalid exactly when somebody offends; every id is counted, the first ones are named."""
    ids = sorted(set(offenders))
    if ids:
        detail = f"{len(ids)} offending; {detail}".rstrip("; ")
    verdict = Verdict.INVALID if ids else Verdict.VALID
    return Finding(verdict, left, right, detail, ids[:OFFENDERS_SHOWN])


def acknowledged_exist(acknowledged: set[str], orders: Mapping[str, Order]) -> Finding:
    unseen = len(orders.keys() - acknowledged)
    return judge(
        f"{len(acknowledged):,} acknowledged by the edge",
        f"{len(orders):,} order rows",
        acknowledged - orders.keys(),
        f"{unseen:,} rows whose answer the edge did not pass on (aborted or not through it)"
        if unseen
        else "",
    )


def orders_reach_the_lake(orders: Mapping[str, Order], facts: Sequence[Fact]) -> Finding:
    seen = {fact.event_id for fact in facts}
    live = {f.order_id for f in facts if f.event_type == "order.placed.v1" and is_live(f)}
    missing = {
        f"{order.order_id}:{version}"
        for order in orders.values()
        for version in range(1, order.version + 1)
    } - seen
    return judge(
        f"{sum(o.version for o in orders.values()):,} versions of {len(orders):,} orders",
        f"{len(live):,} distinct order.placed events that are not replayed",
        missing | (live - orders.keys()),
    )


def is_live(fact: Fact) -> bool:
    """Of the shop itself, not of a replayed log, whose orders have no rows."""
    return fact.source != "replay"


def money_agrees(orders: Mapping[str, Order], facts: Sequence[Fact]) -> Finding:
    placed = {
        f.order_id: (f.currency, f.amount_minor)
        for f in facts
        if f.event_type == "order.placed.v1" and is_live(f)
    }
    rows = {o.order_id: (o.currency, o.subtotal_minor) for o in orders.values()}
    both = rows.keys() & placed.keys()
    alone = len(rows.keys() ^ placed.keys())
    return judge(
        say_money(rows[i] for i in both),
        say_money(placed[i] for i in both),
        [i for i in both if rows[i] != placed[i]],
        f"{alone:,} on one side alone, which the claim before judges" if alone else "",
    )


def say_money(amounts: Iterable[tuple[str, int]]) -> str:
    """Sums by currency: `GBP 1,234.50`."""
    by_currency: Counter[str] = Counter()
    for currency, amount in amounts:
        by_currency[currency] += amount
    return ", ".join(f"{c} {a / 100:,.2f}" for c, a in sorted(by_currency.items())) or "nothing yet"


def totals_of(facts: Iterable[Fact], reversals: frozenset[str]) -> Totals:
    """The plain sums that the aggregates must hold, from distinct facts."""
    totals: Totals = {}
    for fact in facts:
        is_sale = fact.event_type == "order.placed.v1"
        if not is_sale and fact.event_type not in reversals:
            continue
        stream = "synthetic" if fact.synthetic else "real"
        row = totals.setdefault((stream, fact.month, fact.currency), dict.fromkeys(METRICS, 0))
        if is_sale:
            row["orders"] += 1
            row["units"] += fact.units
            row["gross"] += fact.amount_minor
        else:
            row["refunds"] -= abs(fact.amount_minor)
    return totals


def totals_agree(left: Totals, right: Totals, sides: tuple[str, str]) -> Finding:
    return judge(
        f"{sides[0]}: {_summary(left)}", f"{sides[1]}: {_summary(right)}", _differences(left, right)
    )


def console_shows(report: Totals, chart: Totals, cards: Mapping[str, Mapping[str, int]]) -> Finding:
    """Each month of the chart is the report's, and each card of a currency the chart's sum."""
    nothing = dict.fromkeys(METRICS, 0)
    sums: dict[str, dict[str, int]] = {}
    for (_, _, currency), row in chart.items():
        total = sums.setdefault(currency, dict(nothing))
        for metric in METRICS:
            total[metric] += row[metric]
    wrong_cards = [
        f"card {currency} {metric}: {cards.get(currency, nothing)[metric]} != "
        f"{sums.get(currency, nothing)[metric]}"
        for currency in sums.keys() | cards.keys()
        for metric in METRICS
        if cards.get(currency, nothing)[metric] != sums.get(currency, nothing)[metric]
    ]
    return judge(
        f"report: {_summary(report)}",
        f"console: {_summary(chart)}",
        [*_differences(report, chart), *wrong_cards],
    )


def _differences(left: Totals, right: Totals) -> list[str]:
    nothing = dict.fromkeys(METRICS, 0)
    return [
        f"{'/'.join(key)} {metric}: {left.get(key, nothing)[metric]} != "
        f"{right.get(key, nothing)[metric]}"
        for key in left.keys() | right.keys()
        for metric in METRICS
        if left.get(key, nothing)[metric] != right.get(key, nothing)[metric]
    ]


def _summary(totals: Totals) -> str:
    orders = sum(row["orders"] for row in totals.values())
    net = [(key[2], row["gross"] + row["refunds"]) for key, row in totals.items()]
    return f"{orders:,} orders, net {say_money(net)}"


def queues_hold_no_dead_letter(depths: Mapping[str, int]) -> Finding:
    """Given up are dead letters, and the batches of a stream that a function failed with; what
    waits or is being handled in the other queues is told of."""
    dead = depths.keys() & {*DEAD_LETTERS, STREAM_FAILURES}
    waiting = [f"{name} {depth:,}" for name, depth in depths.items() if depth and name not in dead]
    return judge(
        f"{sum(depths[name] for name in dead):,} in {len(dead)} queues of what was given up",
        "0",
        [f"{name}: {depths[name]}" for name in dead if depths[name]],
        f"not yet handled: {', '.join(waiting)}" if waiting else "",
    )
