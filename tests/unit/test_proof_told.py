"""What clients were told against what the shop has, and the signature under a proof."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import duckdb
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from console.panels.proof_compare import differences
from console.queries.explore_tables import TABLES
from pipeline.contracts.events import ORDER_PLACED
from pipeline.contracts.journal import Closing, Told
from pipeline.proof import queries
from pipeline.proof.domain import Check, Order, Verdict
from pipeline.proof.told import NO_JOURNAL, Journal, told_is_kept
from pipeline.runtime.signed_report import NotVerified, key_id, sign, to_jwk, verify
from tests.proof_builders import an_order, assert_names, by_id, facts_of

AT = datetime(2026, 11, 27, 12, tzinfo=UTC)


def a_line(order: Order, no: int = 1) -> Told:
    return Told(
        no=no, order_id=order.order_id, total_minor=order.total_minor, currency=order.currency,
        acknowledged_at=AT,
    )  # fmt: skip


def a_journal(*orders: Order, lines: int | None = None, lost: int = 0) -> Journal:
    told = [a_line(order, no) for no, order in enumerate(orders, start=1)]
    closing = Closing(lines=len(told) if lines is None else lines, lost=lost, closed_at=AT)
    return Journal("load-1", told, closing)


ORDER = an_order()


def test_what_a_client_was_told_is_kept() -> None:
    check = told_is_kept([a_journal(ORDER)], by_id(ORDER), facts_of(ORDER))
    assert (check.verdict, check.detail) == (Verdict.VALID, "")


@pytest.mark.parametrize(
    ("order", "in_lake", "said"),
    [
        (None, ORDER, "1 without a row"),
        (ORDER, None, "1 without an event"),
        (replace(ORDER, total_minor=2398), ORDER, "1 without a row"),
        (ORDER, replace(ORDER, total_minor=2398), "1 without an event"),
        (replace(ORDER, currency="EUR"), ORDER, "1 without a row"),
    ],
)
def test_an_order_that_a_client_was_told_of_and_is_not_so_is_named(
    order: Order | None, in_lake: Order | None, said: str
) -> None:
    orders, facts = by_id(order) if order else {}, facts_of(in_lake) if in_lake else []
    check = told_is_kept([a_journal(ORDER)], orders, facts)
    assert_names(check, "o1")
    assert said in check.detail


def test_a_later_event_does_not_stand_in_for_the_one_that_it_was_placed_by() -> None:
    later = [fact for fact in facts_of(ORDER) if fact.event_type != ORDER_PLACED]
    assert later
    assert_names(told_is_kept([a_journal(ORDER)], by_id(ORDER), later), "o1")


@pytest.mark.parametrize("journals", [[], [a_journal()]])
def test_without_a_journal_nothing_is_proven_and_nobody_waits_for_one(
    journals: list[Journal],
) -> None:
    check = told_is_kept(journals, by_id(ORDER), facts_of(ORDER))
    assert (check.verdict, check.detail, check.is_final) == (Verdict.NOT_PROVEN, NO_JOURNAL, True)


@pytest.mark.parametrize(
    "journal",
    [a_journal(ORDER, lines=3), Journal("load-1", [a_line(ORDER, no=3)], None)],
    ids=["fewer than it was closed with", "a gap in its numbers"],
)
def test_a_journal_that_lost_lines_proves_nothing_but_what_breaks_a_claim(journal: Journal) -> None:
    check = told_is_kept([journal], by_id(ORDER), facts_of(ORDER))
    assert (check.verdict, check.offending_ids) == (Verdict.NOT_PROVEN, ["load-1"])
    assert "2 lines of 1 journals are gone" in check.detail
    assert_names(told_is_kept([journal], {}, []), "o1")


def test_a_client_that_was_killed_or_could_not_write_is_spoken_of() -> None:
    killed = Journal("load-2", [a_line(ORDER)], None)
    check = told_is_kept([a_journal(ORDER, lost=4), killed], by_id(ORDER), facts_of(ORDER))
    assert check.verdict is Verdict.VALID
    assert "1 of 2 journals not closed" in check.detail
    assert "4 orders were not noted" in check.detail


def a_report() -> dict[str, Any]:
    finding = told_is_kept([a_journal(ORDER)], by_id(ORDER), facts_of(ORDER))
    check = Check("what clients were told is kept", "each order", finding, ["s3: journal/**"])
    return {"run_id": "01", "duration_s": 1.5, "verdict": "holds", "checks": [check.to_dict()]}


KEY = Ed25519PrivateKey.generate()
PUBLISHED = [to_jwk(KEY.public_key())]


def test_a_signature_survives_being_written_and_read_in_any_layout() -> None:
    signed = sign(a_report(), KEY)
    for written in (json.dumps(signed, indent=4), json.dumps(signed, sort_keys=True)):
        assert verify(json.loads(written), PUBLISHED) == key_id(KEY.public_key())


def change_a_figure(report: dict[str, Any]) -> None:
    check = report["checks"][0]
    check["left"] = check["left"].replace("1 orders", "2 orders")


def forge(report: dict[str, Any]) -> None:
    report |= sign(report, Ed25519PrivateKey.generate())


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        (change_a_figure, "changed afterwards"),
        (lambda report: report.update(verdict="does not hold"), "changed afterwards"),
        (lambda report: report["checks"].clear(), "changed afterwards"),
        (lambda report: report["signature"].update(value="?"), "changed afterwards"),
        (lambda report: report["signature"].update(value=""), "changed afterwards"),
        (lambda report: report["signature"].update(algorithm="none"), "algorithm"),
        (lambda report: report.pop("signature"), "no signature"),
        (forge, "none of this shop's"),
    ],
)
def test_a_report_that_was_changed_or_forged_is_not_verified(
    tamper: Callable[[dict[str, Any]], object], said: str
) -> None:
    report = json.loads(json.dumps(sign(a_report(), KEY)))
    verify(report, PUBLISHED)
    before = json.dumps(report)
    tamper(report)
    assert json.dumps(report) != before
    with pytest.raises(NotVerified, match=said):
        verify(report, PUBLISHED)


def test_two_proofs_differ_where_a_verdict_a_figure_or_a_claim_does() -> None:
    def a_check(name: str, verdict: str = "valid", left: str = "1") -> dict[str, Any]:
        return {"name": name, "verdict": verdict, "left": left, "right": "1", "queries": ["x"]}

    earlier = {"checks": [a_check("same"), a_check("gone"), a_check("moved"), a_check("broke")]}
    later = {"checks": [
        a_check("same") | {"queries": ["y"]}, a_check("moved", left="2"),
        a_check("broke", "invalid"), a_check("new"),
    ]}  # fmt: skip
    found = [(one.name, one.kind) for one in differences(earlier, later)]
    assert found == [("broke", "verdict"), ("new", "new"), ("gone", "gone"), ("moved", "figures")]
    assert differences(later, later) == []


STATEMENTS = [
    text for text in vars(queries).values() if isinstance(text, str) and text.startswith("sql: ")
]


@pytest.mark.parametrize("query", STATEMENTS)
def test_the_sql_of_a_report_runs_on_the_tables_of_the_explore_page(query: str) -> None:
    with duckdb.connect() as lake:
        for table in TABLES.values():
            lake.execute(table.ddl)
        assert lake.sql(query.removeprefix("sql: ")).fetchall() == []
