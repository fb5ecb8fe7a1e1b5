"""Compaction and the lake's readers, against the emulator."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import awswrangler as wr
import polars as pl
import pytest

from pipeline.compaction import packing
from pipeline.compaction.domain import merged
from pipeline.compaction.files import CuratedFiles
from pipeline.compaction.service import compact, compact_and_learn
from pipeline.compaction.store import Ops
from pipeline.contracts import keys
from pipeline.contracts.events import to_iso_z
from pipeline.contracts.names import Names
from pipeline.folding.store import AnalyticsTable
from pipeline.landing.service import land
from pipeline.landing.store import LakeFiles
from pipeline.observer.lake import read_newest, read_partitions
from pipeline.runtime import aws, clock
from pipeline.runtime.facts import CLICKSTREAM, ORDER_LINES, ORDERS, conformed, rows_of
from pipeline.runtime.insights import InsightFile, Insights
from pipeline.runtime.kinesis import StreamRecord
from pipeline.runtime.lake import Lake, LakeObject
from pipeline.runtime.packed import Packed
from pipeline.runtime.packs import read_list
from pipeline.runtime.query import Query
from tests.conftest import Stack
from tests.integration.pipeline_stage import own_stage

# awswrangler 3 reads zoned times through an attribute that pandas 3.1 is about to change.
WRANGLER = "ignore:Series.values returning an ndarray:Warning"


@pytest.fixture(scope="module")
def stage(emulator: Stack) -> Names:
    return own_stage(emulator)


def an_order(order_id: str, at: str, kind: str = "placed", **payload: Any) -> dict[str, Any]:
    return {
        "event_id": f"{order_id}:{1 if kind == 'placed' else 2}", "event_type": f"order.{kind}.v1",
        "occurred_at": at, "source": "test", "correlation_id": order_id,
        "partition_key": order_id,
        "payload": {
            "order_id": order_id, "version": 1, "status": kind, "placed_at": at,
            "country": "France", "currency": "XTS",
            "lines": [
                {"line_no": n, "sku": "s", "product_id": "p", "title": "Mug", "category": "Kitchen",
                 "quantity": 2, "unit_price_minor": 100, "line_total_minor": 200}
                for n in (1, 2)
            ],
            "subtotal_minor": 400, "total_minor": 400, **payload,
        },
    }  # fmt: skip


def land_all(stage: Names, events: list[dict[str, Any]], first: int) -> None:
    records = [
        StreamRecord("shardId-lake", str(first + n), clock.now(), json.dumps(event).encode())
        for n, event in enumerate(events)
    ]
    land(records, LakeFiles(stage))


def lake_objects(stage: Names, prefix: str) -> list[LakeObject]:
    return Lake(stage).list_objects(prefix)


def compact_now(stage: Names) -> None:
    assert not compact(stage, clock.now, clock.new_id).is_skipped


@pytest.mark.filterwarnings(WRANGLER)
def test_every_reader_sees_each_line_once_before_and_after_compaction(stage: Names) -> None:
    orders = [an_order(f"lake-{n}", "1971-02-03T23:30:00.000Z") for n in range(3)]
    orders.append(an_order("lake-0", "1971-02-04T00:10:00.000Z", "cancelled"))
    land_all(stage, orders, 100)
    land_all(stage, orders[1:], 200)  # the same events, delivered in another batch
    lake, since, until = Lake(stage), date(1971, 2, 3), date(1971, 2, 5)
    fresh = lake.order_lines(since, until)
    assert lake.order_lines(since, until, fresh=False).is_empty()
    compact_now(stage)
    compacted = lake.order_lines(since, until)
    assert fresh.sort("event_id", "line_no").equals(compacted.sort("event_id", "line_no"))
    assert compacted.group_by("kind").agg(pl.col("line_total_minor").sum()).sort("kind").rows() == [
        ("refund", -400), ("sale", 1200),
    ]  # fmt: skip
    assert lake.order_lines(since, date(1971, 2, 4))["kind"].unique().to_list() == ["sale"]
    assert compacted.columns[1:] == list(ORDER_LINES.columns)
    root = f"s3://{stage.lake_bucket}/curated/order_lines/"
    by_path = wr.s3.read_parquet(root, dataset=True, partition_filter=lambda p: p["dt"] < "1972")
    by_table = wr.s3.read_parquet_table(
        table="orders",
        database=stage.glue_database,
        partition_filter=lambda p: p["dt"] < "1972",
    )
    scanned = pl.scan_parquet(
        f"{root}**/*.parquet", storage_options=aws.s3_storage_options(), hive_partitioning=True
    ).filter(pl.col("dt") < pl.date(1972, 1, 1))
    assert by_path["line_total_minor"].sum() == scanned.collect()["line_total_minor"].sum() == 800
    assert sorted(by_table["event_id"]) == ["lake-0:1", "lake-0:2", "lake-1:1", "lake-2:1"]


def test_a_late_event_joins_its_own_date_and_compacting_again_changes_nothing(
    stage: Names,
) -> None:
    land_all(stage, [an_order("late-1", "1972-01-01T10:00:00.000Z")], 300)
    compact_now(stage)
    land_all(stage, [an_order("late-2", "1972-01-01T09:00:00.000Z")], 400)
    compact_now(stage)
    # As after a crash between the files and the state: everything is merged once more.
    aws.table(stage.table("ops")).delete_item(Key=keys.compaction_state())
    compact_now(stage)
    lines = Lake(stage).order_lines(date(1972, 1, 1), date(1972, 1, 2))
    assert lines["order_id"].to_list() == ["late-2", "late-2", "late-1", "late-1"]


def test_what_is_bought_together_is_learnt_and_read_once(stage: Names) -> None:
    def a_line(number: int, product: str) -> dict[str, Any]:
        return {
            "line_no": number, "sku": product, "product_id": product, "title": product,
            "category": "Kitchen", "quantity": 1, "unit_price_minor": 200, "line_total_minor": 200,
        }  # fmt: skip

    basket = [a_line(1, "cup"), a_line(2, "saucer")]
    orders = [an_order(f"tea-{n}", "1974-05-06T10:00:00.000Z", lines=basket) for n in range(3)]
    basket = [a_line(1, "cup"), a_line(2, "lid")]
    tests = [an_order(f"test-{n}", "1974-05-06T11:00:00.000Z", lines=basket) for n in range(9)]
    land_all(stage, [*orders, *({**each, "synthetic": True} for each in tests)], 500)
    reader = InsightFile(stage)
    assert reader.read_news() is None
    assert not compact_and_learn(stage, clock.now, clock.new_id).is_skipped
    learnt = reader.read_news()
    assert learnt == Insights({"cup": ("saucer",), "saucer": ("cup",)})
    assert reader.read_news() is None
    broken = Packed(stage.lake_bucket, "catalogue/insights-v1.json.gz")
    for content in (b"[]", b"{", b'{"bought_with": 1}'):
        broken.write(content)
        with pytest.raises(ValueError):
            reader.read_news()
    key = {"Bucket": stage.lake_bucket, "Key": "catalogue/insights-v1.json.gz"}
    aws.client("s3").put_object(**key, Body=b"no gzip")
    with pytest.raises(ValueError):
        reader.read_news()


def test_kept_copies_are_what_s3_has_after_each_compaction(stage: Names, tmp_path: Path) -> None:
    query, since = Query(stage.stage, tmp_path), date(1975, 1, 1)
    assert query.scan("order_lines", since).collect().is_empty()
    for turn, at in enumerate(("1975-01-01T10:00:00.000Z", "1975-01-01T09:00:00.000Z")):
        land_all(stage, [an_order(f"kept-{turn}", at)], 600 + turn)
        compact_now(stage)
        kept = query.scan("order_lines", since).collect()
        assert kept.height == 2 * (turn + 1)
        assert kept.equals(Lake(stage).scan(ORDER_LINES, since).collect())
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_packs_are_what_the_dates_hold_after_each_compaction(stage: Names) -> None:
    query, lake = Query(stage.stage), Lake(stage)
    moments = ("1976-01-01T10:00:00.000Z", "1976-02-02T10:00:00.000Z", "1976-02-01T10:00:00.000Z")
    for turn, at in enumerate(moments):
        land_all(stage, [an_order(f"packed-{turn}", at)], 700 + turn)
        compact_now(stage)  # alone: it leaves no list behind that would not hold the order
        for _ in range(2):
            for since in (None, date(1976, 1, 1), date(1976, 2, 2)):
                dates = lake.scan(ORDER_LINES, since).collect()
                found = query.scan("order_lines", since).collect()
                assert found.sort(ORDER_LINES.order).equals(dates.sort(ORDER_LINES.order))
            assert packing.pack(stage) >= 0
    months = (read_list(stage) or {})["order_lines"]
    assert {"1976-01", "1976-02"} <= months.keys()
    assert packing.pack(stage) == 0  # nothing changed
    packing.pack(stage, max_bytes=1)
    assert set((read_list(stage) or {})["order_lines"].values()) == {None}
    scanned = query.scan("order_lines", date(1976, 2, 1)).filter(pl.col("dt") < date(1977, 1, 1))
    assert scanned.collect().height == 4


def test_the_observer_tells_how_new_each_layer_is_and_how_it_is_cut(stage: Names) -> None:
    at = datetime(2031, 1, 1, 10, tzinfo=UTC)  # later than anything else here
    orders = [an_order(f"newest-{n}", to_iso_z(at - timedelta(hours=n))) for n in range(2)]
    AnalyticsTable(stage).advance("shardId-lake", "1", {"newest_occurred_at": to_iso_z(at)})
    land_all(stage, orders, 800)
    compact_now(stage)
    then = at + timedelta(seconds=90)
    ages = {one.dimensions["Layer"]: one.value for one in read_newest(stage, lambda: then)}
    # What landed did so today, which is longer ago than a day before that clock.
    assert ages == {"aggregates": 90, "curated": 90}
    assert [one.value for one in read_newest(stage) if one.dimensions["Layer"] == "raw"] == [0]
    sizes = {
        (one.name, one.dimensions["Table"], one.dimensions["Partition"]): one.value
        for one in read_partitions(stage)
    }
    newest = lake_objects(stage, "curated/order_lines/dt=2031-01-01/")
    assert sizes["PartitionFiles", "order_lines", "newest"] == len(newest) == 1
    assert sizes["PartitionBytes", "order_lines", "newest"] == newest[0].size
    largest = max(one.size for one in lake_objects(stage, "curated/order_lines/"))
    assert sizes["PartitionBytes", "order_lines", "largest"] == largest
    assert sizes["PartitionFiles", "raw", "newest"] > 0


def test_two_writers_of_one_date_lose_no_row(stage: Names) -> None:
    files = CuratedFiles(stage)
    parts = [_lines(f"race-{n}") for n in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda part: files.merge(ORDER_LINES, "1973-01-01", part), parts))
    lines = Lake(stage).order_lines(date(1973, 1, 1), date(1973, 1, 2), fresh=False)
    assert sorted(lines["order_id"].unique()) == [f"race-{n}" for n in range(4)]
    assert lines.height == 8


def test_a_date_of_many_rows_becomes_several_files_and_each_event_stays_in_one(
    stage: Names,
) -> None:
    files = CuratedFiles(stage, full_bytes=9_000, small_bytes=3_000)
    dt, lake = date(1973, 2, 3), Lake(stage)
    batches = [_clicks(first, 150) for first in range(0, 900, 100)]  # a third comes twice

    def objects() -> list[LakeObject]:
        return lake_objects(stage, f"curated/clickstream/dt={dt}/")

    for turn, batch in enumerate(batches):
        before = {one.key: one.etag for one in objects() if one.size >= 9_000}
        files.merge(CLICKSTREAM, str(dt), batch)
        after = {one.key: one.etag for one in objects()}
        assert before.items() <= after.items()  # what is full is never touched again
        found = lake.clickstream(dt, date(1973, 2, 4), fresh=False)
        assert found.height == found["event_id"].n_unique() == 150 + 100 * turn
    assert len(objects()) > 2
    with ThreadPoolExecutor(3) as pool:  # late and repeated, by several writers at once
        again = [pl.concat(batches[::2]), _clicks(-100, 100), _clicks(850, 300)]
        list(pool.map(lambda batch: files.merge(CLICKSTREAM, str(dt), batch), again))
    found = lake.clickstream(dt, date(1973, 2, 4), fresh=False)
    everything = pl.concat([_clicks(-100, 100), *batches, _clicks(850, 300)])
    expected = merged(CLICKSTREAM, None, everything)
    assert found.drop("dt").sort(CLICKSTREAM.order).equals(expected)
    assert len(objects()) <= 1 + sum(one.size for one in objects()) // 9_000
    for frame in lake.read_objects(objects()):
        assert frame.equals(frame.sort(CLICKSTREAM.order))


def test_only_one_compaction_runs_at_a_time(stage: Names) -> None:
    ops, now = Ops(stage), clock.now()
    assert ops.take_lease("another", now, 60)
    try:
        assert compact(stage, clock.now, clock.new_id).is_skipped
    finally:
        ops.drop_lease("another")
    compact_now(stage)


def test_the_amounts_of_an_order_add_up_in_its_row() -> None:
    parts = {"subtotal_minor": 2_000, "shipping_minor": 399, "tax_minor": 280}
    at = "1974-01-01T10:00:00.000Z"
    events = [
        an_order("plain", at, **parts, total_minor=2_679),
        an_order("promoted", at, **parts, discount_minor=500, total_minor=2_179, refund_id="r-1"),
    ]
    rows = rows_of(ORDERS, pl.concat(map(_raw, events))).sort("order_id")
    assert rows["discount_minor"].to_list() == [0, 500]
    assert rows["refund_id"].to_list() == [None, "r-1"]
    total = pl.col("subtotal_minor") - pl.col("discount_minor")
    total += pl.col("shipping_minor") + pl.col("tax_minor")
    assert rows.select((total
                        == pl.col("total_minor")).all()).item()  # fmt: skip


def test_a_payload_written_in_an_unusual_but_valid_way_is_read_like_any_other() -> None:
    usual = _raw(an_order("a", "1974-01-01T10:00:00.000Z", shipping_minor=5))
    odd = _raw(
        an_order(
            "a", "1974-01-01T10:00:00.000Z", shipping_minor="5", version="1",
            placed_at="1974-01-01T12:00:00+02:00", tax_minor=10**30,
        )
    )  # fmt: skip
    assert rows_of(ORDER_LINES, odd).equals(rows_of(ORDER_LINES, usual))
    assert rows_of(ORDERS, odd)["shipping_minor"].to_list() == [5]
    assert merged(ORDER_LINES, None, rows_of(ORDER_LINES, pl.concat([usual, odd]))).height == 2


def _raw(event: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "event_id": event["event_id"],
            "event_type": event["event_type"],
            "occurred_at": datetime(1974, 1, 1, 10, tzinfo=UTC),
            "source": event["source"],
            "synthetic": False,
            "payload": json.dumps(event["payload"]),
        }
    )


def _lines(order_id: str) -> pl.DataFrame:
    return rows_of(ORDER_LINES, _raw(an_order(order_id, "1973-01-01T10:00:00.000Z")))


def _clicks(first: int, number: int) -> pl.DataFrame:
    """Rows of numbered clicks, one a second; those of one number are the same."""
    start = datetime(1973, 2, 3, 1, tzinfo=UTC)
    numbers = range(first, first + number)
    rows = pl.DataFrame(
        {
            "event_id": [sha256(str(n).encode()).hexdigest()[:26] for n in numbers],
            "occurred_at": [start + timedelta(seconds=n) for n in numbers],
        }
    )
    return conformed(CLICKSTREAM, rows)
