"""The funnel by session and day: one answer from aggregates, console, SQL; put right for good."""

import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from console.queries import behaviour
from pipeline.compaction.service import compact_and_count
from pipeline.contracts import keys
from pipeline.contracts.funnel import STEPS
from pipeline.contracts.names import Names
from pipeline.funnel import files
from pipeline.funnel import service as funnel
from pipeline.funnel.domain import Funnels
from pipeline.funnel.store import FunnelItems, FunnelState
from pipeline.observer.readings import read_drift
from pipeline.rebuild.service import Rebuild, discard
from pipeline.reconciliation.service import reconcile
from pipeline.runtime import aws, clock, generations, s3
from pipeline.runtime.generations import Moved
from pipeline.runtime.lake import Lake, LakeObject
from pipeline.runtime.query import Query
from storefront_api.analytics.reports import Range, sessions
from storefront_api.analytics.store import AnalyticsItems
from tests.conftest import Stack
from tests.guide import QUERIES
from tests.integration.pipeline_flow import Flow, add_by_hand
from tests.integration.pipeline_stage import own_stage

AT = datetime(1993, 5, 17, 23, 30, tzinfo=UTC)
MAY = Range(date(1993, 5, 1), date(1993, 6, 1))


@pytest.fixture(scope="module")
def stage(emulator: Stack) -> Names:
    return own_stage(emulator)


@pytest.fixture(scope="module")
def flow(stage: Names) -> Flow:
    flow = Flow(stage)
    flow.deliver(
        step("over-midnight", "page_viewed"),
        step("over-midnight", "cart_changed", hours=2),
        step("leaps", "order_completed"), step("leaps", "order_completed"),
        step("looks", "searched"), step("looks", "product_viewed", hours=-1),
        step("alone", "checkout_started", hours=72),
        step(None, "product_viewed"),
        step("load", "cart_changed") | {"synthetic": True},
    )  # fmt: skip
    assert compact_and_count(stage, clock.now, clock.new_id).events == 8
    return flow


def step(session: str | None, fact: str, hours: int = 0) -> dict[str, Any]:
    return {
        "event_id": f"{session}-{fact}-{hours}", "event_type": f"shopper.{fact}.v1",
        "occurred_at": f"{AT + timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}", "source": "browser",
        "correlation_id": "c", "partition_key": "p", "payload": {"session_id": session},
    }  # fmt: skip


def held(stage: Names, generation: str = "0") -> Funnels:
    return FunnelItems(stage, generation).read()


def kept(stage: Names) -> dict[str, LakeObject]:
    """Files of sessions by date; there is one of each, as each has one file of clicks."""
    found = Lake(stage).list_objects("sessions/")
    by_date = {one.dt: one for one in found}
    assert len(by_date) == len(found)
    return by_date


def test_aggregates_console_and_sql_give_one_answer(stage: Names, flow: Flow) -> None:
    expected = {"1993-05-17": (3, 3, 2, 1, 1), "1993-05-20": (1, 1, 1, 1, 0)}
    synthetic = {("synthetic", "1993-05-17"): (1, 1, 1, 0, 0)}
    assert held(stage) == {("real", day): counts for day, counts in expected.items()} | synthetic
    total, days = sessions(AnalyticsItems(stage).live(), MAY, ["real"])
    assert [(one["day"], tuple(one[s] for s in STEPS)) for one in days] == sorted(expected.items())
    clicks = Lake(stage).clickstream().filter(~pl.col("synthetic"))
    frame = clicks.rename({"occurred_at": "at"})
    by_day = behaviour.funnel_by_day(frame).sort("day")
    assert by_day.rows() == [(date.fromisoformat(day), *expected[day]) for day in sorted(expected)]
    whole = behaviour.funnel(frame)["sessions"].to_list()
    assert whole == [total[s] for s in STEPS] == [4, 4, 3, 2, 1]
    assert Query(stage.stage).sql(QUERIES["funnel"])["visits"].to_list() == whole
    both, _ = sessions(AnalyticsItems(stage).live(), MAY, ["real", "synthetic"])
    assert both["view"] == 5


def test_a_late_first_event_moves_its_session_to_the_day_before_and_leaves_no_empty_day(
    stage: Names, flow: Flow
) -> None:
    flow.deliver(step("alone", "page_viewed", hours=48))
    compact_and_count(stage, clock.now, clock.new_id)
    moved = held(stage)
    assert moved["real", "1993-05-19"] == (1, 1, 1, 1, 0)
    assert ("real", "1993-05-20") not in moved
    before, now = funnel.refresh(stage)
    assert before == now == held(stage), "nothing is left to change"
    assert not funnel.keep_up(stage), "the same clicks are not read again"
    FunnelState(stage).save("of other clicks")
    assert funnel.keep_up(stage)


def test_only_what_changed_is_read_anew_and_any_number_of_passes_counts_the_same(
    stage: Names, flow: Flow
) -> None:
    before = kept(stage)
    dates = {one.dt for one in Lake(stage).list_objects("curated/clickstream/")}
    assert before.keys() == dates == {"1993-05-17", "1993-05-18", "1993-05-19", "1993-05-20"}
    flow.deliver(step("alone", "product_viewed", hours=48))
    compact_and_count(stage, clock.now, clock.new_id)
    after = kept(stage)
    assert {dt for dt in dates if after[dt] != before[dt]} == {"1993-05-19"}
    right = held(stage)
    for rows_at_once in (1, 2, 3, 10):
        assert files.count_kept(stage, rows_at_once) == right
        assert files.count_anew(stage, rows_at_once) == right
    assert kept(stage) == after


def test_clicks_that_are_not_those_that_were_listed_are_not_read(stage: Names, flow: Flow) -> None:
    one, other, *_ = Lake(stage).list_objects("curated/clickstream/")
    assert s3.get_if(stage.lake_bucket, one.key, one.etag)
    assert s3.get_if(stage.lake_bucket, one.key, other.etag) is None
    assert s3.get_if(stage.lake_bucket, f"{one.key}.gone", one.etag) is None


def test_files_of_sessions_that_are_lost_are_made_again(stage: Names, flow: Flow) -> None:
    right, before = held(stage), kept(stage)
    for dt in ("1993-05-17", "1993-05-18"):
        aws.batch_client("s3").delete_object(Bucket=stage.lake_bucket, Key=before[dt].key)
    assert funnel.keep_up(stage)
    assert held(stage) == right
    assert {dt: (one.key, one.etag) for dt, one in kept(stage).items()} == {
        dt: (one.key, one.etag) for dt, one in before.items()
    }
    assert not funnel.keep_up(stage)


def test_what_is_asked_for_anew_believes_no_file_and_writes_none(stage: Names, flow: Flow) -> None:
    right, one = held(stage), kept(stage)["1993-05-17"]
    place = {"Bucket": stage.lake_bucket, "Key": one.key}
    body = aws.batch_client("s3").get_object(**place)["Body"].read()
    wrong = pl.read_parquet(body).with_columns(step=pl.lit(0, pl.Int8))
    wrong.write_parquet(changed := io.BytesIO())
    aws.batch_client("s3").put_object(**place, Body=changed.getvalue())
    assert files.count_kept(stage) != right
    believed = kept(stage)
    assert funnel.refresh(stage) == (right, right)
    assert kept(stage) == believed
    aws.batch_client("s3").put_object(**place, Body=body)


def test_a_date_that_is_taken_out_of_the_lake_goes_with_its_sessions(
    stage: Names, flow: Flow
) -> None:
    right, before = held(stage), kept(stage)
    clicks = {one.dt: one for one in Lake(stage).list_objects("curated/clickstream/")}
    place = {"Bucket": stage.lake_bucket, "Key": clicks["1993-05-20"].key}
    body = aws.batch_client("s3").get_object(**place)["Body"].read()
    aws.batch_client("s3").delete_object(**place)
    assert funnel.keep_up(stage)
    assert kept(stage).keys() == before.keys() - {"1993-05-20"}
    without = held(stage)
    assert without["real", "1993-05-19"] == (1, 1, 0, 0, 0)
    aws.batch_client("s3").put_object(**place, Body=body)
    assert funnel.keep_up(stage)
    assert (held(stage), kept(stage).keys()) == (right, before.keys())


def test_what_was_changed_by_hand_is_counted_anew_and_raises_no_alarm(
    stage: Names, flow: Flow
) -> None:
    right = held(stage)
    add_by_hand(stage, keys.funnel("real", "1993-05-17"), "cart", 5)
    add_by_hand(stage, keys.funnel("real", "1970-01-01"), "view", 1)
    result = reconcile(stage, clock.new_id(), clock.now, "test")
    assert result is not None
    found = {(d["bucket"], d["metric"]): (d["lake"], d["aggregates"]) for d in result["drifts"]}
    assert found == {
        ("1993-05-17", "sessions, cart"): (2, 7), ("1970-01-01", "sessions, view"): (0, 1),
        ("1993-05-17", "order_completed"): (1, 2),  # an event that was sent twice
    }  # fmt: skip
    assert (result["repaired"], result["unexplained"]) == (3, 0)
    assert {g.value for g in read_drift(stage)} == {0}
    assert held(stage) == right


def test_who_read_the_clicks_before_another_counted_them_changes_nothing(
    stage: Names, flow: Flow
) -> None:
    items, seen = FunnelItems(stage, "0"), generations.read(stage)
    before = items.read()
    flow.deliver(step("looks", "cart_changed", hours=3))
    compact_and_count(stage, clock.now, clock.new_id)
    now = held(stage)
    assert now["real", "1993-05-17"] == (3, 3, 3, 1, 1)
    stale = {day: tuple(n + 1 for n in counts) for day, counts in before.items()}
    assert not items.replace(seen, before, stale)
    assert held(stage) == now
    with pytest.raises(Moved):
        items.replace(seen.begun("another"), now, stale)


def test_a_rebuild_counts_them_too_and_compaction_keeps_both_generations(
    stage: Names, flow: Flow
) -> None:
    facts = Rebuild(stage, clock.new_id(), "test", clock.now).run()
    assert facts["differing"] == 0
    other = generations.read(stage).other
    assert other
    assert held(stage, other) == held(stage)
    flow.deliver(step("new", "product_viewed", hours=1))
    compact_and_count(stage, clock.now, clock.new_id)
    assert held(stage, other)["real", "1993-05-18"] == (1, 1, 0, 0, 0)
    assert held(stage, other) == held(stage)
    discard(stage, "test", clock.now)
    assert held(stage, other) == {}
    with pytest.raises(Moved):
        funnel.refresh(stage, other)
