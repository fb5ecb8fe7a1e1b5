"""The ledger must find each kind of fault; here it is given one at a time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.contracts.events import REVERSALS
from pipeline.desk.counting import Arrival, count
from pipeline.desk.domain import Balance
from pipeline.desk.figures import Redriven
from pipeline.proof import domain
from pipeline.proof.charges import Charge, captured_is_owed
from pipeline.proof.claims import Claim
from pipeline.proof.domain import Finding, Verdict
from pipeline.proof.records import received_is_accounted_for, set_aside_is_accounted_for
from tests.proof_builders import an_order, assert_names, by_id, facts_of


def test_an_acknowledged_order_without_a_row_is_named() -> None:
    assert domain.acknowledged_exist({"o1"}, by_id(an_order())).verdict is Verdict.VALID
    assert_names(domain.acknowledged_exist({"o1", "o2"}, by_id(an_order())), "o2")


def test_a_state_that_never_reached_the_lake_is_named() -> None:
    order = an_order()
    assert domain.orders_reach_the_lake(by_id(order), facts_of(order)).verdict is Verdict.VALID
    assert_names(domain.orders_reach_the_lake(by_id(order), facts_of(order)[:1]), "o1:2")


def test_an_event_without_its_order_is_named() -> None:
    assert_names(domain.orders_reach_the_lake({}, facts_of(an_order())), "o1")


def test_a_penny_of_difference_is_named() -> None:
    order = an_order()
    assert domain.money_agrees(by_id(order), facts_of(order)).verdict is Verdict.VALID
    short = by_id(replace(order, subtotal_minor=1999))
    assert_names(domain.money_agrees(short, facts_of(order)), "o1")


def test_the_money_that_is_shown_is_of_the_orders_that_are_compared() -> None:
    both, alone = an_order(), replace(an_order(), order_id="o2", subtotal_minor=99)
    found = domain.money_agrees(by_id(both, alone), facts_of(both))
    assert (found.left, found.right) == ("GBP 20.00", "GBP 20.00")
    assert found.detail.startswith("1 on one side alone")


def test_a_paid_order_that_the_gateway_took_once_is_right() -> None:
    assert captured_is_owed(by_id(an_order()), charges(a_charge())).verdict is Verdict.VALID


@pytest.mark.parametrize(
    "charge",
    [
        None,
        Charge("o1", "captured", "GBP", 4798, 0),
        Charge("o1", "captured", "GBP", 2399, 1),
        Charge("o1", "authorised", "GBP", 0, 0),
        Charge("o1", "voided", "GBP", 0, 0),
        Charge("o1", "captured", "USD", 2399, 0),
    ],
)
def test_a_paid_order_that_was_not_charged_right_is_named(charge: Charge | None) -> None:
    assert_names(captured_is_owed(by_id(an_order()), charges(charge)), "o1")


@pytest.mark.parametrize("was_paid", [True, False])
def test_money_that_a_cancelled_order_did_not_get_back_is_named(was_paid: bool) -> None:
    order = replace(an_order(), status="cancelled", owed_minor=0, was_paid=was_paid)
    assert_names(captured_is_owed(by_id(order), charges(a_charge())), "o1")
    back = replace(a_charge(), refunded_minor=2399)
    assert captured_is_owed(by_id(order), charges(back)).verdict is Verdict.VALID


def test_a_payment_that_was_forbidden_before_it_was_asked_for_has_no_currency_to_compare() -> None:
    order = replace(an_order(), status="cancelled", owed_minor=0, was_paid=False)
    check = captured_is_owed(by_id(order), charges(Charge("o1", "voided", "XXX", 0, 0)))
    assert check.verdict is Verdict.VALID
    assert "XXX" not in check.left


def test_a_part_given_back_must_be_the_part_that_is_owed() -> None:
    order = replace(an_order(status="delivered"), owed_minor=1899)
    right = replace(a_charge(), refunded_minor=500)
    assert captured_is_owed(by_id(order), charges(right)).verdict is Verdict.VALID
    assert_names(captured_is_owed(by_id(order), charges(a_charge())), "o1")


def test_an_order_that_costs_nothing_needs_no_payment() -> None:
    free = replace(an_order(), total_minor=0, owed_minor=0)
    assert captured_is_owed(by_id(free), {}).verdict is Verdict.VALID
    assert_names(captured_is_owed(by_id(free), charges(a_charge())), "o1")


def test_money_taken_for_no_order_is_named() -> None:
    assert_names(captured_is_owed({}, charges(a_charge())), "o1")


def test_an_order_without_an_outcome_is_not_judged_yet() -> None:
    order = replace(an_order(version=1), status="placed", was_paid=False, owed_minor=0)
    for charge in (None, a_charge()):
        assert captured_is_owed(by_id(order), charges(charge)).verdict is Verdict.VALID


def a_charge() -> Charge:
    return Charge("o1", "captured", "GBP", 2399, 0)


def charges(charge: Charge | None) -> dict[str, Charge]:
    return {charge.order_id: charge} if charge else {}


def test_totals_take_reversals_back_and_differences_name_month_and_metric() -> None:
    order = an_order(version=1, status="cancelled")
    cancelled = replace(facts_of(order)[0], event_type="order.cancelled.v1", event_id="o1:2")
    totals = domain.totals_of([*facts_of(order), cancelled], REVERSALS)
    row = totals["real", "2026-11", "GBP"]
    assert row == {"orders": 1, "units": 2, "gross": 2000, "refunds": -2000}
    check = domain.totals_agree(totals, {}, ("raw", "aggregates"))
    assert check.verdict is Verdict.INVALID
    assert "real/2026-11/GBP gross: 2000 != 0" in check.offending_ids


@pytest.mark.parametrize(("where", "named"), [
    ("report", "real/2026-11/GBP units: 3 != 2"),
    ("cards", "card GBP units: 3 != 2"),
    ("chart", "card GBP units: 2 != 3"),
])  # fmt: skip
def test_a_figure_that_the_console_shows_otherwise_is_named(where: str, named: str) -> None:
    row = {"orders": 1, "units": 2, "gross": 2000, "refunds": 0}
    month = ("real", "2026-11", "GBP")
    shown = {"report": {month: row}, "chart": {month: row}, "cards": {"GBP": row}}
    assert domain.console_shows(*shown.values()).verdict is Verdict.VALID
    key = "GBP" if where == "cards" else month
    check = domain.console_shows(*(shown | {where: {key: row | {"units": 3}}}).values())
    assert check.verdict is Verdict.INVALID
    assert named in check.offending_ids


def test_a_currency_that_the_console_leaves_out_is_named() -> None:
    row = {"orders": 1, "units": 2, "gross": 2000, "refunds": 0}
    check = domain.console_shows({("real", "2026-11", "EUR"): row}, {}, {})
    assert "real/2026-11/EUR gross: 2000 != 0" in check.offending_ids


def test_a_reading_that_fails_proves_nothing() -> None:
    def unreadable() -> Finding:
        raise ConnectionError("the table does not answer")

    claim = Claim("name", "claim", ["dynamodb: query"], unreadable)
    check = claim.judge()
    assert check.verdict is Verdict.NOT_PROVEN
    assert "ConnectionError" in check.finding.detail
    assert check.queries == ["dynamodb: query"], "what was asked is said all the same"


def test_a_difference_while_events_are_on_their_way_proves_nothing_and_one_at_rest_does() -> None:
    differs, agrees = (domain.judge("1", "2", offenders) for offenders in (["o1"], []))
    at_rest = Claim("name", "claim", [], lambda: differs)
    assert at_rest.judge().verdict is Verdict.INVALID
    found = replace(at_rest, late=lambda: "landing is 90 s behind").judge()
    assert found.verdict is Verdict.NOT_PROVEN
    assert (found.finding.left, found.finding.right) == ("1", "2"), "what was read is shown"
    assert found.finding.detail.startswith("landing is 90 s behind")
    assert found.finding.offending_ids == ["o1"]
    on_time = replace(at_rest, find=lambda: agrees, late=lambda: "landing is 90 s behind")
    assert on_time.judge().verdict is Verdict.VALID


def test_a_record_that_did_not_land_and_one_that_waits_too_long_are_told_apart() -> None:
    at = datetime(2026, 11, 26, 22, tzinfo=UTC)
    received = {("s", str(n)): Arrival("test", at) for n in (1, 2, 3)}
    one_missing = count(received, {r: received[r] for r in list(received)[1:]}, {})
    assert_names(received_is_accounted_for(one_missing, at), "s:1")
    one_waits = count(received, {r: received[r] for r in list(received)[:2]}, {})
    soon, late = (at + timedelta(seconds=s) for s in (5, 90))
    assert received_is_accounted_for(one_waits, soon).verdict is Verdict.VALID
    assert received_is_accounted_for(one_waits, late).verdict is Verdict.NOT_PROVEN


def test_a_stream_that_was_not_read_whole_proves_nothing() -> None:
    at = datetime(2026, 11, 26, 22, tzinfo=UTC)
    received = {("s", "1"): Arrival("test", at)}
    whole, cut = (
        received_is_accounted_for(count(received, received, {}, is_cut), at)
        for is_cut in (False, True)
    )
    assert (whole.verdict, cut.verdict) == (Verdict.VALID, Verdict.NOT_PROVEN)
    missing = received_is_accounted_for(
        count(received, {}, {("s", "2"): received["s", "1"]}, True), at
    )
    assert missing.verdict is not Verdict.VALID


@pytest.mark.parametrize("queue", ["payment-dlq", "stream-failures"])
def test_what_was_given_up_is_named_and_what_waits_is_told_of(queue: str) -> None:
    depths = {"payment": 7, "payment-dlq": 0, "stream-failures": 0}
    waiting = domain.queues_hold_no_dead_letter(depths)
    assert waiting.verdict is Verdict.VALID
    assert waiting.detail == "not yet handled: payment 7"
    assert_names(domain.queues_hold_no_dead_letter(depths | {queue: 1}), f"{queue}: 1")


def test_what_is_called_redriven_and_never_landed_is_named() -> None:
    balances = [Balance("quarantine", 3, 1, 1, 1)]
    landed = Redriven(frozenset({"o1:1"}), frozenset({"o1:1"}))
    assert set_aside_is_accounted_for(balances, landed).verdict is Verdict.VALID
    lost = replace(landed, landed=frozenset())
    assert_names(set_aside_is_accounted_for(balances, lost), "o1:1")
    stray = [Balance("quarantine", 0, 0, 1, 0, ("c1",))]
    assert_names(set_aside_is_accounted_for(stray, landed), "quarantine: c1")
    letters = set_aside_is_accounted_for([*balances, Balance("payment-dlq", 7, 7, 0, 0)], landed)
    assert letters.left.startswith("3 set aside"), "a queue's sum is no evidence"
    assert "7 dead letters" in letters.detail
