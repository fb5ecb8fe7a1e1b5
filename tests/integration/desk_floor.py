"""A stage whose stream, lake and queues a test fills by hand, for the tests of the desk."""

import json
import time
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest

from iac.local import messaging, storage, tables
from iac.local.topology import Topology
from pipeline.contracts.names import Names
from pipeline.desk import __main__ as command
from pipeline.desk import figures
from pipeline.desk.domain import PLACES, Case
from pipeline.desk.service import Desk
from pipeline.desk.store import OpsLedger
from pipeline.folding.service import fold
from pipeline.folding.store import AnalyticsTable
from pipeline.landing.service import land
from pipeline.landing.store import LakeFiles
from pipeline.runtime import aws, clock
from pipeline.runtime.kinesis import Outgoing, StreamRecord, put_records
from pipeline.runtime.lake import Lake
from pipeline.runtime.sqs import queue_url
from tests.conftest import Stack


class DeskFloor:
    """`deliver` is landing and folding of what the stream holds: when, is the test's to say."""

    def __init__(self, emulator: Stack) -> None:
        self.names = Names(f"d{time.time_ns() // 1_000_000 % 10**8:08d}")
        topology = Topology(self.names)
        for short in ("analytics", "ops"):
            tables.apply_table(emulator.aws, self.names.table(short), topology.tables[short])
        for queue, declared in topology.queues.items():
            messaging.apply_queue(emulator.aws, self.names.queue(queue), declared)
        messaging.apply_stream(emulator.aws, self.names.events_stream, topology.streams["events"])
        storage.apply_bucket(emulator.aws, self.names.lake_bucket)
        self.ledger = OpsLedger(self.names, clock.now)
        self.desk = Desk(
            figures.places_of(self.names, clock.now), self.ledger, clock.now, time.sleep
        )
        self._read = 0

    def send(self, *bodies: dict[str, Any] | str) -> None:
        """Into the event stream."""
        texts = [body if isinstance(body, str) else json.dumps(body) for body in bodies]
        records = [Outgoing("key", text.encode()) for text in texts]
        put_records(aws.client("kinesis"), self.names.events_stream, records)

    def deliver(self) -> int:
        """Land and fold what the stream holds since the last time; how many records."""
        fresh = self.stream()[self._read :]
        if fresh:
            land(fresh, LakeFiles(self.names))
            fold(fresh, AnalyticsTable(self.names), clock.now)
        self._read += len(fresh)
        return len(fresh)

    def stream(self) -> list[StreamRecord]:
        """Every record of the stream, oldest first."""
        kinesis, name = aws.client("kinesis"), self.names.events_stream
        iterator = kinesis.get_shard_iterator(
            StreamName=name, ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        return [
            StreamRecord("shardId-000000000000", record["SequenceNumber"],
                         record["ApproximateArrivalTimestamp"], record["Data"])
            for record in kinesis.get_records(ShardIterator=iterator)["Records"]
        ]  # fmt: skip

    def landed(self) -> list[str]:
        """The ids of every event that landed, each as often as it did."""
        lake = Lake(self.names)
        return sorted(lake.read_raw(lake.list_objects("raw/"))["event_id"])

    def sales(self) -> int:
        """Orders in the aggregates."""
        pages = aws.table(self.names.table("analytics")).scan()["Items"]
        months = [item for item in pages if item["pk"] == "SALES#real#month"]
        return sum(int(item["orders"]) for item in months)

    def put(self, queue: str, *bodies: str, **attributes: str) -> None:
        """Messages into a queue."""
        for body in bodies:
            aws.client("sqs").send_message(
                QueueUrl=queue_url(self.names.queue(queue)),
                MessageBody=body,
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value}
                    for name, value in attributes.items()
                },
            )

    def take(self, queue: str) -> list[dict[str, Any]]:
        """The messages of a queue, out of it."""
        sqs, url = aws.client("sqs"), queue_url(self.names.queue(queue))
        found: list[dict[str, Any]] = []
        while messages := sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages"):
            for message in messages:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            found += messages
        return found

    def cases(self, place: str) -> list[Case]:
        return self.desk.cases(place)

    def open_cases(self, place: str) -> list[Case]:
        return [case for case in self.cases(place) if case.is_open]

    def audit(self) -> list[dict[str, Any]]:
        items = aws.table(self.names.table("ops")).scan()["Items"]
        return sorted((i for i in items if i["pk"].startswith("AUDIT#")), key=lambda i: i["sk"])

    def adds_up(self) -> bool:
        places = figures.places_of(self.names, clock.now)
        assert [place.name for place in places] == list(PLACES)
        return figures.count_records(self.names, clock.now, 1).adds_up and all(
            figures.count_place(self.ledger, place).adds_up for place in places
        )

    def run(self, *words: str) -> int:
        """The command line, on this stage."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HAS_STAGE", self.names.stage)
            patch.setenv("COLUMNS", "200")
            patch.setattr("sys.argv", ["desk", *words])
            return command.main()


def an_order(order_id: str = "", **changes: Any) -> dict[str, Any]:
    """The event of an order of GBP 2.00, valid unless a change spoils it."""
    order_id = order_id or f"o-{uuid4().hex[:12]}"
    at = "2031-02-03T10:00:00.000Z"
    line = {"line_no": 1, "sku": "s", "product_id": "p", "title": "Mug", "category": "Kitchen",
            "quantity": 2, "unit_price_minor": 100, "line_total_minor": 200}  # fmt: skip
    payload = {"order_id": order_id, "version": 1, "status": "placed", "placed_at": at,
               "country": "France", "currency": "XTS", "lines": [line], "subtotal_minor": 200,
               "total_minor": 200}  # fmt: skip
    return {
        "event_id": f"{order_id}:1", "event_type": "order.placed.v1", "occurred_at": at,
        "source": "test", "correlation_id": order_id, "partition_key": order_id,
        "payload": payload, **changes,
    }  # fmt: skip


def late_by_format(number: int) -> list[dict[str, Any]]:
    """Orders whose time has no zone: refused, and mended by `fix-time`."""
    return [an_order(occurred_at="2031-02-03 10:00:00") for _ in range(number)]


def ids(events: Sequence[dict[str, Any]]) -> list[str]:
    return sorted(event["event_id"] for event in events)
