"""Events that are newer than this code: what fits lands and can be asked for, the rest is named."""

import json
from datetime import UTC, date, datetime
from typing import Any

import awswrangler as wr
import polars as pl
import pytest

from pipeline.compaction.service import compact
from pipeline.contracts import keys
from pipeline.contracts.names import Names
from pipeline.desk.domain import cause_of_rejection
from pipeline.folding.service import fold
from pipeline.folding.store import AnalyticsTable
from pipeline.landing.service import land
from pipeline.landing.store import LakeFiles
from pipeline.runtime import aws, clock
from pipeline.runtime.kinesis import StreamRecord
from pipeline.runtime.query import Query
from tests.conftest import Stack
from tests.integration.pipeline_flow import CURRENCY, a_click, an_order
from tests.integration.pipeline_stage import own_stage

AT = datetime(1981, 5, 6, 7, 8, tzinfo=UTC)
# awswrangler 3 reads zoned times through an attribute that pandas 3.1 is about to change.
WRANGLER = "ignore:Series.values returning an ndarray:Warning"


@pytest.fixture(scope="module")
def stage(emulator: Stack) -> Names:
    return own_stage(emulator)


def deliver(stage: Names, first: int, *events: dict[str, Any]) -> None:
    records = [
        StreamRecord("shardId-schema", str(first + n), clock.now(), json.dumps(event).encode())
        for n, event in enumerate(events)
    ]
    land(records, LakeFiles(stage))
    fold(records, AnalyticsTable(stage), clock.now)


def compact_now(stage: Names) -> None:
    assert not compact(stage, clock.now, clock.new_id).is_skipped


def a_newer_order(order_id: str, at: datetime = AT) -> dict[str, Any]:
    """Of a version that nobody here knows, with a field more of the order and of one line."""
    order = an_order(order_id, at, lines=2) | {"event_type": "order.placed.v2"}
    order["payload"]["campaign"] = {"name": "spring"}
    order["payload"]["lines"][1]["engraving"] = "Änn"
    return order


def test_new_fields_and_a_new_version_are_kept_queryable_and_counted(stage: Names) -> None:
    click = a_click(1, AT)
    click["payload"] = {"query": "mug", "mood": "good"}
    deliver(stage, 100, an_order("known", AT), a_newer_order("newer"), click)
    query = Query(stage.stage)
    newer = """
        SELECT o.event_type, json_extract_scalar(o.extra, '$.sent_as') AS sent_as,
               json_extract_scalar(o.extra, '$.campaign.name') AS campaign, l.line_no,
               json_extract_scalar(l.extra, '$.engraving') AS engraving
        FROM orders o JOIN order_lines l ON l.event_id = o.event_id
        WHERE o.extra IS NOT NULL ORDER BY l.line_no
    """
    moods = "SELECT json_extract_scalar(extra, '$.mood') AS mood FROM clickstream"
    expected = [
        ("order.placed.v1", "order.placed.v2", "spring", 1, None),
        ("order.placed.v1", "order.placed.v2", "spring", 2, "Änn"),
    ]
    for _ in range(2):  # as it landed, and once it is compacted
        assert query.sql(newer).rows() == expected
        assert query.sql(moods).rows() == [("good",)]
        compact_now(stage)
    key = keys.sales("real", "day", "1981-05-06", CURRENCY)
    assert aws.table(stage.table("analytics")).get_item(Key=key)["Item"]["orders"] == 2


def test_what_breaks_a_schema_is_quarantined_by_field_and_version(stage: Names) -> None:
    wrong, missing, breaking = (an_order(f"broken-{n}", AT) for n in range(3))
    wrong["payload"]["lines"][1]["quantity"] = "two"
    del missing["payload"]["currency"]
    breaking["event_type"] = "order.placed.v3"
    breaking["payload"]["lines"][0]["amount"] = breaking["payload"]["lines"][0].pop("quantity")
    other = json.loads(json.dumps(wrong)) | {"correlation_id": "another body of the same event"}
    deliver(stage, 200, wrong, missing, breaking)
    deliver(stage, 210, wrong, other)
    refused = Query(stage.stage).sql(
        "SELECT event_id, reason, detail FROM quarantine ORDER BY event_id, length(body)"
    )
    causes = [cause_of_rejection(reason, detail) for _, reason, detail in refused.rows()]
    assert causes == [
        *["bad_payload:lines.*.quantity"] * 2,
        "bad_payload:currency",
        "bad_version:order.placed.v3/lines.*.quantity",
    ]
    assert "order.placed.v1" in refused["detail"][0]
    assert refused["detail"][3].endswith("Field required (read as order.placed.v1)")


@pytest.mark.filterwarnings(WRANGLER)
def test_files_from_before_a_column_are_read_and_merged_like_any_other(stage: Names) -> None:
    days = [datetime(1982, 1, day, 9, tzinfo=UTC) for day in (1, 2)]
    deliver(stage, 300, *(an_order(f"old-{at.day}", at) for at in days))
    compact_now(stage)
    root = f"s3://{stage.lake_bucket}/curated/orders"
    options = aws.s3_storage_options()
    for at in days:  # as a release wrote them that did not have the column
        path = f"{root}/dt={at:%Y-%m-%d}/part-0.parquet"
        file = pl.read_parquet(path, storage_options=options, hive_partitioning=False)
        file.drop("extra").write_parquet(path, storage_options=options)
    deliver(stage, 400, a_newer_order("new", days[1]))
    compact_now(stage)
    expected = [("old-1", False), ("new", True), ("old-2", False)]
    query, since, until = Query(stage.stage), date(1982, 1, 1), date(1982, 1, 3)
    scanned = query.scan("orders", since).collect()
    for rows in (scanned, query.lake.orders(since, until)):
        named = rows.select("order_id", pl.col("extra").is_not_null()).rows()
        assert sorted(named) == sorted(expected)
    frame = wr.s3.read_parquet(root, dataset=True, partition_filter=lambda p: p["dt"] >= "1982")
    assert dict(zip(frame["order_id"], frame["extra"].notna(), strict=True)) == dict(expected)
