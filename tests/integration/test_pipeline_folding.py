"""Folding and landing, as their handlers call them, against the emulator."""

import base64
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from pipeline.contracts import keys
from pipeline.contracts.events import to_iso_z
from pipeline.contracts.names import Names
from pipeline.folding.service import fold
from pipeline.folding.store import AnalyticsTable
from pipeline.landing.service import land
from pipeline.landing.store import LakeFiles
from pipeline.runtime import aws, clock
from pipeline.runtime.kinesis import StreamRecord, records_of
from tests.conftest import Stack
from tests.integration.pipeline_flow import CURRENCY, an_order
from tests.integration.pipeline_stage import own_stage

ARRIVED = datetime(2012, 3, 4, 5, 6, tzinfo=UTC)
_unique = iter(range(10_000))


def a_batch(
    bodies: list[Any], shard: str = "shardId-test", first: int = 1000
) -> list[StreamRecord]:
    """Through the event that a Lambda gets from Kinesis."""
    raw = [body if isinstance(body, bytes) else json.dumps(body).encode() for body in bodies]
    event = {
        "Records": [
            {
                "eventID": f"{shard}:{first + n}",
                "kinesis": {
                    "sequenceNumber": str(first + n),
                    "data": base64.b64encode(body).decode(),
                    "approximateArrivalTimestamp": ARRIVED.timestamp(),
                },
            }
            for n, body in enumerate(raw)
        ]
    }
    return records_of(event)


@pytest.fixture(scope="module")
def stage(emulator: Stack) -> Names:
    return own_stage(emulator)


@pytest.fixture
def day() -> Iterator[datetime]:
    """A day in the past that no other test folds into."""
    yield datetime(1980 + next(_unique), 5, 17, 9, 30, tzinfo=UTC)


def day_item(stage: Names, day: datetime) -> dict[str, Any]:
    key = keys.sales("real", "day", keys.bucket(day, "day"), CURRENCY)
    found: dict[str, Any] = aws.table(stage.table("analytics")).get_item(Key=key).get("Item", {})
    return found


def test_events_that_come_again_in_other_batches_are_folded_once(
    stage: Names, day: datetime
) -> None:
    table = AnalyticsTable(stage)
    orders = [an_order(f"{day.year}-{n}", day, lines=30) for n in range(120)]
    orders.append(an_order(f"{day.year}-0", day, lines=30, kind="cancelled"))
    for part in (orders[:50], orders[20:110], orders[100:] + orders[:10], orders):
        fold(a_batch(part), table, clock.now)
    item = day_item(stage, day)
    assert item["orders"] == 120
    assert item["units"] == 120 * 60
    assert (
        item["gross"] == item["gross|country|France"] == item["gross|category|Kitchen"] == 720_000
    )
    assert item["refunds"] == -6_000
    customers = aws.table(stage.table("analytics")).query(
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": f"CUSTOMERS#real#{day.year}"},
    )["Items"]
    assert len(set().union(*(one["customers"] for one in customers))) == 120


def test_an_order_of_2000_lines_of_distinct_products_and_categories_is_folded(
    stage: Names, day: datetime
) -> None:
    table = AnalyticsTable(stage)
    order = an_order(f"{day.year}-big", day, lines=2_000)
    for line in order["payload"]["lines"]:
        line["category"] = f"Category {line['line_no'] % 400}"
    fold(a_batch([order]), table, clock.now)
    fold(a_batch([order]), table, clock.now)
    item = day_item(stage, day)
    assert item["orders"] == 1
    assert item["gross"] == 400_000
    assert item["orders|category|Category 7"] == 1


def test_clicks_that_come_again_with_other_bounds_count_once(stage: Names, day: datetime) -> None:
    table = AnalyticsTable(stage)
    clicks = [
        {"event_id": f"click-{n}", "event_type": "shopper.searched.v1", "source": "browser",
         "occurred_at": to_iso_z(day), "correlation_id": "c", "partition_key": "p", "payload": {}}
        for n in range(20)
    ]  # fmt: skip
    shard = f"shardId-{day.year}"
    fold(
        a_batch(clicks[:12], shard, 95), table, clock.now
    )  # the sequence numbers grow a digit on the way
    fold(a_batch(clicks[5:20], shard, 100), table, clock.now)
    fold(a_batch(clicks, shard, 95), table, clock.now)
    key = keys.clicks("real", keys.bucket(day, "day"))
    item = aws.table(stage.table("analytics")).get_item(Key=key)["Item"]
    assert item["events|shopper.searched.v1"] == 20


def test_progress_never_moves_back(stage: Names, day: datetime) -> None:
    table = AnalyticsTable(stage)
    shard = f"shardId-progress-{day.year}"
    fold(a_batch([an_order(f"{day.year}-x", day)], shard, 5_000), table, clock.now)
    fold(a_batch([an_order(f"{day.year}-y", day)], shard, 40), table, clock.now)
    item = aws.table(stage.table("analytics")).get_item(Key=keys.progress("folding"))["Item"]
    assert int(item[f"sequence|{shard}"]) == 5_000


def test_an_event_of_the_future_is_no_newer_than_its_arrival(stage: Names, day: datetime) -> None:
    table = AnalyticsTable(stage)
    far = datetime(2199, 1, 1, tzinfo=UTC)
    fold(a_batch([an_order(f"{day.year}-far", far)], f"shardId-far-{day.year}"), table, clock.now)
    item = aws.table(stage.table("analytics")).get_item(Key=keys.progress("folding"))["Item"]
    assert item["newest_occurred_at"] < "2199"


def test_each_part_of_the_progress_moves_forward_by_itself(stage: Names, day: datetime) -> None:
    table = AnalyticsTable(stage)
    shard = f"shardId-forward-{day.year}"
    fold(a_batch([an_order(f"{day.year}-new", day)], shard, 1), table, clock.now)
    before = aws.table(stage.table("analytics")).get_item(Key=keys.progress("folding"))["Item"]
    late = day - timedelta(days=1)
    fold(a_batch([an_order(f"{day.year}-late", late)], shard, 2), table, clock.now)
    item = aws.table(stage.table("analytics")).get_item(Key=keys.progress("folding"))["Item"]
    assert int(item[f"sequence|{shard}"]) == 2
    assert item["folded_at"] > before["folded_at"]
    assert item["newest_occurred_at"] == before["newest_occurred_at"]


def read(stage: Names, key: str) -> pl.DataFrame:
    answer = aws.client("s3").get_object(Bucket=stage.lake_bucket, Key=key)
    return pl.read_parquet(io.BytesIO(answer["Body"].read()))


def test_landing_puts_every_record_in_raw_or_in_quarantine_and_redelivery_replaces_the_file(
    stage: Names,
) -> None:
    files = LakeFiles(stage)
    good = an_order("landing-1", ARRIVED) | {"a_new_field": {"kept": True}}
    free = an_order("landing-2", ARRIVED)
    free["payload"]["lines"][0]["unit_price_minor"] = 0
    bodies = [good, b"\xff\x00 no JSON", free, b'{"event_id": "\\ud800"}', b"[" * 50_000]
    for _ in range(2):
        land(a_batch(bodies, "shardId-landing", 77), files)
    name = "shardId-landing-77-81.parquet"
    raw = read(stage, f"raw/dt=2012-03-04/hour=05/{name}")
    assert raw["event_id"].to_list() == ["landing-1:1"]
    assert json.loads(raw["payload"][0]) == good["payload"]
    assert json.loads(raw["extra"][0]) == {"a_new_field": {"kept": True}}
    refused = read(stage, f"quarantine/dt=2012-03-04/{name}")
    assert refused["sequence_number"].to_list() == ["78", "79", "80", "81"]
    assert refused["reason"].to_list() == ["bad_envelope", "zero_price", *["bad_envelope"] * 2]
    assert refused["event_id"][1] == "landing-2:1"
    assert json.loads(refused["body"][1]) == free
