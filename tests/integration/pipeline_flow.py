"""Events of a stage of its own on their way: the stream, the aggregates, the lake."""

import json
from datetime import datetime
from typing import Any

from pipeline.contracts import keys
from pipeline.contracts.events import to_iso_z
from pipeline.contracts.names import Names
from pipeline.folding.service import fold
from pipeline.folding.store import AnalyticsTable
from pipeline.landing.service import land
from pipeline.landing.store import LakeFiles
from pipeline.rebuild import store
from pipeline.runtime import aws, clock
from pipeline.runtime.kinesis import Outgoing, StreamRecord, put_records

CURRENCY = "GBP"


def an_order(order_id: str, at: datetime, kind: str = "placed", lines: int = 3) -> dict[str, Any]:
    return {
        "event_id": f"{order_id}:{1 if kind == 'placed' else 2}", "event_type": f"order.{kind}.v1",
        "occurred_at": to_iso_z(at), "source": "test", "correlation_id": order_id,
        "partition_key": order_id,
        "payload": {
            "order_id": order_id, "version": 1, "status": kind, "placed_at": to_iso_z(at),
            "customer_id": f"customer-{order_id}", "country": "France", "currency": CURRENCY,
            "lines": [
                {"line_no": n + 1, "sku": f"s{n}", "product_id": f"p{n}", "title": "Mug",
                 "category": "Kitchen", "quantity": 2, "unit_price_minor": 100,
                 "line_total_minor": 200}
                for n in range(lines)
            ],
            "subtotal_minor": 200 * lines, "total_minor": 200 * lines,
        },
    }  # fmt: skip


def a_click(number: int, at: datetime) -> dict[str, Any]:
    return {
        "event_id": f"click-{number:04d}", "event_type": "shopper.searched.v1", "source": "browser",
        "occurred_at": to_iso_z(at), "correlation_id": "c", "partition_key": "p", "payload": {},
    }  # fmt: skip


def a_search(number: int, at: datetime, query: str, results: int = 0) -> dict[str, Any]:
    asked = {"query": query, "results_count": results}
    return a_click(number, at) | {"event_id": f"search-{number:04d}", "payload": asked}


class Flow:
    """The stream of a stage, and its two readers, each as far as the test wants it."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._table = AnalyticsTable(names)
        self._files = LakeFiles(names)
        self._kinesis = aws.batch_client("kinesis")
        self._iterator: str | None = None

    def send(self, *events: dict[str, Any]) -> list[StreamRecord]:
        """Into the stream; returns the records as a reader of it gets them."""
        sent = [Outgoing("p", json.dumps(event).encode()) for event in events]
        ((shard, last),) = put_records(self._kinesis, self._names.events_stream, sent).items()
        if self._iterator is None:
            self._iterator = self._kinesis.get_shard_iterator(
                StreamName=self._names.events_stream, ShardId=shard,
                ShardIteratorType="TRIM_HORIZON",
            )["ShardIterator"]  # fmt: skip
        found: list[StreamRecord] = []
        while not found or found[-1].sequence_number != last:
            page = self._kinesis.get_records(ShardIterator=self._iterator)
            self._iterator = page["NextShardIterator"]
            found += [
                StreamRecord(
                    shard, record["SequenceNumber"],
                    record["ApproximateArrivalTimestamp"], record["Data"],
                )
                for record in page["Records"]
            ]  # fmt: skip
        return found

    def fold(self, records: list[StreamRecord]) -> None:
        fold(records, self._table, clock.now)

    def land(self, records: list[StreamRecord]) -> None:
        land(records, self._files)

    def deliver(self, *events: dict[str, Any]) -> None:
        """All the way."""
        records = self.send(*events)
        self.fold(records)
        self.land(records)


def figures(names: Names, generation: str) -> dict[tuple[str, str], Any]:
    """Every figure of a generation, under the keys of the first."""
    found = {}
    for pk, sk, values in store.scan(names):
        place = store.place_of(pk, (generation,))
        if place and values:
            found[place[1], sk] = values
    return found


def add_by_hand(names: Names, key: keys.Key, attribute: str, amount: int) -> None:
    """Changes an aggregate as nobody should."""
    aws.table(names.table("analytics")).update_item(
        Key=key, UpdateExpression="ADD #a :n",
        ExpressionAttributeNames={"#a": attribute}, ExpressionAttributeValues={":n": amount},
    )  # fmt: skip
