"""The event stream as the desk reads it: what was received, and whether an event was sent on."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from pipeline.contracts.names import Names
from pipeline.desk.counting import Arrival, Record
from pipeline.desk.domain import source_of
from pipeline.runtime import aws
from pipeline.runtime.kinesis import Outgoing, batches, put_records
from pipeline.runtime.lake import Lake

# The stream keeps a day; an hour less is surely still in it.
KEPT = timedelta(hours=23)
MAX_RECORDS = 500_000
_MARGIN = timedelta(minutes=1)


class EventStream:
    def __init__(self, names: Names) -> None:
        self._names = names
        self._name = names.events_stream

    def send(self, records: list[Outgoing]) -> None:
        """Raises NotAccepted after bounded retries, and boto3's errors."""
        for part in batches(records):
            put_records(
                aws.batch_client("kinesis"), self._name, records[part.start : part.stop], attempts=5
            )

    def received(self, since: datetime, until: datetime) -> tuple[dict[Record, Arrival], bool]:
        """(every record that arrived in [since, until), whether there are more than were read)."""
        found: dict[Record, Arrival] = {}
        for shard, record in self._records(since, until):
            arrived = record["ApproximateArrivalTimestamp"]
            if arrived < since:
                continue
            if len(found) == MAX_RECORDS:
                return found, True
            found[shard, record["SequenceNumber"]] = Arrival(source_of(record["Data"]), arrived)
        return found, False

    def holds(self, event_ids: set[str], since: datetime, now: datetime) -> set[str]:
        """Which of these events reached the stream after a moment: by the stream, or by what has
        landed of it when the moment is further back than the stream goes."""
        if not event_ids:
            return set()
        start = since - _MARGIN
        if now - start > KEPT:
            events = Lake(self._names).events(since=start.date())
            return event_ids & set(events["event_id"])
        seen = set()
        for _, record in self._records(start, now):
            if any(event_id.encode() in record["Data"] for event_id in event_ids):
                seen.add(_event_id(record["Data"]))
        return event_ids & seen

    def _records(self, since: datetime, until: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
        """(shard, record) of all shards, oldest first in each."""
        kinesis = aws.batch_client("kinesis")
        shards = [
            shard["ShardId"]
            for page in kinesis.get_paginator("list_shards").paginate(StreamName=self._name)
            for shard in page["Shards"]
        ]
        for shard in shards:
            iterator = kinesis.get_shard_iterator(
                StreamName=self._name, ShardId=shard, ShardIteratorType="AT_TIMESTAMP",
                Timestamp=since,
            )["ShardIterator"]  # fmt: skip
            for record in read_on(kinesis, iterator):
                if record["ApproximateArrivalTimestamp"] >= until:
                    break
                yield shard, record


def read_on(client: Any, iterator: str | None) -> Iterator[dict[str, Any]]:
    """Records from an iterator on, until the stream's (or the shard's) end as it is now."""
    while iterator:
        answer = client.get_records(ShardIterator=iterator)
        yield from answer["Records"]
        if not answer["Records"] and not answer.get("MillisBehindLatest"):
            return
        iterator = answer.get("NextShardIterator")


def _event_id(body: bytes) -> str:
    try:
        return str(json.loads(body).get("event_id"))
    except (ValueError, AttributeError):
        return ""
