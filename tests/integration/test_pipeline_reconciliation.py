"""Lake against aggregates: what differs is found, named, explained, and put right to the unit."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.compaction.service import compact_and_learn
from pipeline.contracts import keys
from pipeline.contracts.names import Names
from pipeline.observer.readings import read_drift
from pipeline.reconciliation.service import reconcile
from pipeline.runtime import aws, clock
from tests.conftest import Stack
from tests.integration.pipeline_flow import (
    CURRENCY,
    Flow,
    a_click,
    a_search,
    add_by_hand,
    an_order,
    figures,
)
from tests.integration.pipeline_stage import own_stage

AT = datetime(1992, 5, 17, 9, 30, tzinfo=UTC)
HOUR = keys.sales("real", "hour", "1992-05-17T09", CURRENCY)
PRODUCT = keys.products("real", "month", "1992-05", CURRENCY, keys.product_shard("p1"))
CUSTOMER = keys.customers("real", "1992-05-17", CURRENCY, "customer-order-3")


@pytest.fixture(scope="module")
def stage(emulator: Stack) -> Names:
    return own_stage(emulator)


@pytest.fixture(scope="module")
def flow(stage: Names) -> Flow:
    flow = Flow(stage)
    orders = [an_order(f"order-{n}", AT + timedelta(minutes=20 * n)) for n in range(12)]
    flow.deliver(*orders, an_order("order-1", AT, "refunded"), a_click(1, AT), a_click(2, AT))
    flow.deliver(
        a_search(1, AT, "Tea cosy"), a_search(2, AT, "tea  cosy"), a_search(3, AT, "mug", 2)
    )
    return flow


def run(stage: Names, *, repairs: bool = False) -> dict[str, Any]:
    result = reconcile(stage, clock.new_id(), clock.now, "test", repairs=repairs)
    assert result is not None
    return result


def named(result: dict[str, Any], why: str = "unexplained") -> dict[tuple[str, str], int]:
    """(bucket, figure) -> how far the aggregate is off."""
    return {(d["bucket"], d["metric"]): d["drift"] for d in result["drifts"] if d["why"] == why}


def alarmed(stage: Names) -> float:
    return {g.dimensions["Reason"]: g.value for g in read_drift(stage)}["unexplained"]


def test_what_was_changed_by_hand_is_named_and_repaired_to_the_exact_figure(
    stage: Names, flow: Flow
) -> None:
    right = figures(stage, "0")
    assert run(stage)["drifts"] == []
    add_by_hand(stage, HOUR, "gross", 500)
    add_by_hand(stage, PRODUCT, "units|p1", -7)
    add_by_hand(stage, keys.clicks("real", "1992-05-17"), "events|shopper.searched.v1", -1)
    add_by_hand(stage, keys.searches("real", "1992-05-17", "tea cosy"), "without_results", 2)
    add_by_hand(stage, keys.searches("real", "1992-05-18", "invented"), "without_results", 1)
    add_by_hand(stage, keys.sales("real", "month", "1993-01", CURRENCY), "orders", 1)
    aws.table(stage.table("analytics")).update_item(
        Key=CUSTOMER, UpdateExpression="DELETE customers :gone",
        ExpressionAttributeValues={":gone": {"customer-order-3"}},
    )  # fmt: skip
    wanted = {
        ("1992-05-17T09", "gross"): 500,
        ("1992-05", "product p1, units"): -7,
        ("1992-05-17", "searched"): -1,
        ("1992-05-17", "without results, tea cosy"): 2,
        ("1992-05-18", "without results, invented"): 1,
        ("1992-05-17", "customers"): -1,
        ("1993-01", "orders"): 1,
    }
    found = run(stage)
    assert named(found) == wanted
    assert found["unexplained"] == len(wanted) == alarmed(stage)
    repaired = run(stage, repairs=True)
    assert named(repaired) == wanted
    assert (repaired["repaired"], repaired["unexplained"], alarmed(stage)) == (len(wanted), 0, 0)
    assert figures(stage, "0") == right
    assert run(stage)["drifts"] == []


def test_what_is_under_way_or_came_twice_is_explained_and_raises_no_alarm(
    stage: Names, flow: Flow
) -> None:
    flow.deliver(a_click(1, AT), *[a_search(1, AT, "Tea cosy")] * 2)
    waiting = flow.send(an_order("late", AT), a_click(3, AT), a_click(4, AT))
    flow.land(waiting)
    outcome = compact_and_learn(stage, clock.now, clock.new_id)
    assert outcome.events
    last = aws.table(stage.table("ops")).get_item(Key=keys.job("RECONCILIATION", "latest"))["Item"]
    assert last["trigger"] == "compaction"
    assert (last["unexplained"], alarmed(stage)) == (0, 0)
    assert last["by_reason"]["late event"] > 0
    assert last["repaired"] == 2, "clicks that came twice, one of them a search in vain"
    clicks = ("CLICKS#real#1992", "1992-05-17")
    assert figures(stage, "0")[clicks] == {"events|shopper.searched.v1": 5}, "each once"
    vain = ("SEARCHES#real#1992", "1992-05-17#tea cosy")
    assert figures(stage, "0")[vain] == {"without_results": 2}
    flow.fold(waiting)
    assert run(stage)["drifts"] == []
    assert figures(stage, "0")[clicks] == {"events|shopper.searched.v1": 7}


def test_a_bucket_is_repaired_exactly_while_folding_books_in_it(stage: Names, flow: Flow) -> None:
    add_by_hand(stage, HOUR, "units", 3)
    is_over = threading.Event()
    sent = 0

    def keep_arriving() -> None:
        nonlocal sent
        while not is_over.wait(0.3) and sent < 12:
            flow.deliver(an_order(f"meanwhile-{sent}", AT))
            sent += 1

    before = figures(stage, "0")[HOUR["pk"], HOUR["sk"]]
    feeding = threading.Thread(target=keep_arriving)
    feeding.start()
    try:
        run(stage, repairs=True)
    finally:
        is_over.set()
        feeding.join()
    # It may have been moving all the time; then it is said to be, and left alone.
    final = run(stage, repairs=True)
    assert final["unexplained"] == 0
    after = figures(stage, "0")[HOUR["pk"], HOUR["sk"]]
    assert after["orders"] == before["orders"] + sent
    assert after["units"] == before["units"] - 3 + 6 * sent
