"""A rebuild beside the live aggregates while events go on arriving, and one that is killed."""

import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from pipeline.contracts import keys
from pipeline.contracts.names import Names
from pipeline.rebuild.service import Rebuild, discard
from pipeline.runtime import clock, generations
from storefront_api.analytics.reports import Range, sales_report
from storefront_api.analytics.store import AnalyticsItems
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

AT = datetime(1991, 5, 17, 9, 30, tzinfo=UTC)
HOUR = keys.sales("real", "hour", "1991-05-17T09", CURRENCY)


@pytest.fixture(scope="module")
def stage(emulator: Stack) -> Names:
    return own_stage(emulator)


@pytest.fixture(scope="module")
def flow(stage: Names) -> Flow:
    flow = Flow(stage)
    orders = [an_order(f"order-{n}", AT + timedelta(hours=n)) for n in range(40)]
    flow.deliver(*orders, an_order("order-1", AT, "cancelled"), *(a_click(n, AT) for n in range(9)))
    flow.deliver(*(a_search(n, AT, f"Term {n % 3}", n % 2) for n in range(9)))
    flow.deliver(*orders[:5])
    return flow


def gross_reported(stage: Names) -> int:
    """As the API reads it."""
    items = AnalyticsItems(stage).live()
    period = Range(date(1991, 5, 1), date(1991, 6, 1))
    (total,), _ = sales_report(items, period, "hour", None, ["real"])
    return int(str(total["gross"]))


class Killed(BaseException):
    """Nothing is tidied up after this, as after kill -9."""


def test_a_rebuild_that_is_killed_leaves_what_is_read_and_can_be_run_again(
    stage: Names, flow: Flow
) -> None:
    def kill(stage_: str, done: int, total: int) -> None:
        if stage_.startswith("writing"):
            raise Killed

    before = figures(stage, "0")
    with pytest.raises(Killed):
        Rebuild(stage, clock.new_id(), "test", clock.now, kill).run()
    assert generations.read(stage).state == "building"
    assert figures(stage, "0") == before
    # Folding goes on into both, and what the dead one has written is of no use to anybody.
    flow.deliver(an_order("after-the-kill", AT))
    facts = Rebuild(stage, clock.new_id(), "test", lambda: clock.now() + timedelta(hours=1)).run()
    assert (facts["status"], facts["differing"]) == ("ready", 0)
    now = generations.read(stage)
    assert now.live == "0" and now.other
    assert figures(stage, now.other) == figures(stage, "0")
    removed = discard(stage, "test", lambda: clock.now() + timedelta(hours=2))
    assert removed >= len(before)
    assert generations.read(stage).written == ("0",)


def test_events_that_arrive_meanwhile_are_in_both_and_a_swap_can_be_rolled_back(
    stage: Names, flow: Flow
) -> None:
    add_by_hand(stage, HOUR, "gross", 1_000)
    wrong = gross_reported(stage)
    arrived = 0
    is_over = threading.Event()

    def keep_arriving() -> None:
        """Folded first and landed later: what is folded need not be in the lake yet."""
        nonlocal arrived
        late: Any = None
        while not is_over.is_set() or arrived < 5:
            at = AT + timedelta(minutes=arrived)
            records = flow.send(an_order(f"meanwhile-{arrived}", at), a_click(1_000 + arrived, at))
            flow.fold(records)
            if late:
                flow.land(late)
            late = records
            arrived += 1
        flow.land(late)

    def later() -> datetime:
        return clock.now() + timedelta(hours=3)

    feeding = threading.Thread(target=keep_arriving)
    feeding.start()
    try:
        facts = Rebuild(stage, clock.new_id(), "test", later).run()
    finally:
        is_over.set()
        feeding.join()
    (found,) = facts["examples"]
    assert (found["item"], found["attribute"]) == (f"{HOUR['pk']} {HOUR['sk']}", "gross")
    assert found["live"] - found["rebuilt"] == 1_000

    ready = generations.read(stage)
    assert ready.other
    live, rebuilt = figures(stage, "0"), figures(stage, ready.other)
    item = (HOUR["pk"], HOUR["sk"])
    assert live.pop(item)["gross"] - rebuilt.pop(item)["gross"] == 1_000
    assert rebuilt == live

    wrong += 600 * arrived
    assert gross_reported(stage) == wrong
    generations.swap(stage)
    assert gross_reported(stage) == wrong - 1_000
    flow.deliver(an_order("after-the-swap", AT))
    assert gross_reported(stage) == wrong - 1_000 + 600
    generations.roll_back(stage)
    assert gross_reported(stage) == wrong + 600
