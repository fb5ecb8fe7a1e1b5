"""Run the ledger: read, judge, and give what is still under way a bounded time to arrive."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.contracts.events import REVERSALS, to_iso_z
from pipeline.contracts.names import Names
from pipeline.desk import figures
from pipeline.desk.store import OpsLedger
from pipeline.proof import store
from pipeline.proof.charges import captured_is_owed
from pipeline.proof.domain import (
    Check,
    Verdict,
    acknowledged_exist,
    attempt,
    money_agrees,
    orders_reach_the_lake,
    queues_hold_no_dead_letter,
    stock_is_conserved,
    stock_matches_orders,
    totals_agree,
    totals_of,
)
from pipeline.proof.records import received_is_accounted_for, set_aside_is_accounted_for
from pipeline.runtime import clock

RETRY_PAUSE_S = 2.0


@dataclass(frozen=True, slots=True)
class Report:
    run_id: str
    at: datetime
    duration_s: float
    checks: list[Check]

    @property
    def holds(self) -> bool:
        return all(check.verdict is Verdict.VALID for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        return {
            "run_id": self.run_id,
            "at": to_iso_z(self.at),
            "duration_s": round(self.duration_s, 2),
            "verdict": "holds" if self.holds else "does not hold",
            "checks": [check.to_dict() for check in self.checks],
        }


def settle(check: Callable[[], Check], patience_s: float, clock: Callable[[], float]) -> Check:
    """Repeat a check that does not hold yet: an event needs seconds from the order to the lake.

    A difference that outlives `patience_s` is a difference.
    """
    deadline = clock() + patience_s
    result = check()
    while result.verdict is not Verdict.VALID and clock() < deadline:
        time.sleep(RETRY_PAUSE_S)
        result = check()
    return result


def claims(
    names: Names, journal: Path, edge_url: str, gateway_url: str
) -> list[tuple[str, str, Callable[[], Check]]]:
    """Every claim as (name, sentence, check); each check reads both its sides anew.

    The journal is read before the table and the table before the lake: what comes later in the
    path may hold more than what comes earlier, never less.
    """

    def acknowledged() -> Check:
        ids = store.acknowledged_orders(journal)
        return acknowledged_exist(ids, store.orders(names))

    def in_lake() -> Check:
        rows = store.orders(names)
        return orders_reach_the_lake(rows, store.order_facts(names))

    def money() -> Check:
        rows = store.orders(names)
        return money_agrees(rows, store.order_facts(names))

    def captured() -> Check:
        rows = store.orders(names)
        return captured_is_owed(rows, store.charges(names, gateway_url))

    def curated() -> Check:
        return totals_agree(
            "curated table = raw events",
            "The curated order lines hold each distinct event once",
            totals_of(store.order_facts(names), REVERSALS),
            store.curated_totals(names),
            ("raw", "curated"),
            ["raw/**: distinct event_id", "curated/order_lines + raw tail: sums by month"],
        )

    def aggregates() -> Check:
        return totals_agree(
            "aggregates = raw events",
            "The folded aggregates are the sums over the distinct events, to the penny",
            totals_of(store.order_facts(names), REVERSALS),
            store.aggregate_totals(names),
            ("raw", "aggregates"),
            ["raw/**: distinct event_id", "analytics: SALES#*#month"],
        )

    def api() -> Check:
        return totals_agree(
            "report = aggregates",
            "What the sales report answers is what the aggregates hold",
            store.aggregate_totals(names),
            store.api_totals(edge_url),
            ("aggregates", "report"),
            ["analytics: SALES#*#month", "GET /api/analytics/sales?grain=month"],
        )

    def conserved() -> Check:
        return stock_is_conserved(store.stock_rows(names))

    def oversold() -> Check:
        rows = store.stock_rows(names)
        return stock_matches_orders(rows, store.orders(names).values())

    def dead() -> Check:
        return queues_hold_no_dead_letter(store.queue_depths(names))

    def received() -> Check:
        found = figures.count_records(names, clock.now, figures.MAX_HOURS)
        return received_is_accounted_for(found, clock.now())

    def set_aside() -> Check:
        ledger = OpsLedger(names, clock.now)
        redriven = figures.redriven_events(names, ledger)
        places = figures.places_of(names, clock.now)
        return set_aside_is_accounted_for(
            [figures.count_place(ledger, place) for place in places], redriven
        )

    return [
        ("acknowledged orders exist", "No acknowledged order is missing", acknowledged),
        ("every state of every order is in the lake", "Each version is one event", in_lake),
        ("money of each order", "An order's value is the sum of its lines in the lake", money),
        ("payments captured = orders paid - refunds", "Taken once, given back once", captured),
        ("curated table = raw events", "Each distinct event once", curated),
        ("aggregates = raw events", "To the penny", aggregates),
        ("report = aggregates", "The report answers what is folded", api),
        ("stock is conserved", "received = available + held + sold", conserved),
        ("nothing is oversold", "Held and sold are the orders' quantities", oversold),
        ("no dead letter", "Every message was handled", dead),
        ("received = landed + quarantined", "Every record of the stream is in the lake", received),
        ("set aside = open + redriven + discarded", "Each is in one state", set_aside),
    ]


def run(
    names: Names,
    journal: Path,
    edge_url: str,
    gateway_url: str,
    *,
    run_id: str,
    at: datetime,
    patience_s: float,
    on_check: Callable[[Check], None],
) -> Report:
    """Check every claim in turn; `patience_s` bounds the waiting of the whole run."""
    started = time.monotonic()
    checks = []
    for name, claim, check in claims(names, journal, edge_url, gateway_url):
        left_s = max(0.0, patience_s - (time.monotonic() - started))
        result = settle(lambda n=name, c=claim, k=check: attempt(n, c, k), left_s, time.monotonic)  # type: ignore[misc]
        checks.append(result)
        on_check(result)
    return Report(run_id, at, time.monotonic() - started, checks)
