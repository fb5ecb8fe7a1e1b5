"""The event stream as the desk reads it: what was received, and whether an event was sent on."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from pipeline.contracts.names import Names
from pipeline.desk.counting import Arrival, Record
from pipeline.desk.domain import Case, event_id_of, source_of
from pipeline.runtime import aws
from pipeline.runtime.kinesis import Outgoing, put_all
from pipeline.runtime.lake import Lake

# The stream keeps a day; an hour less is surely still in it.
KEPT = timedelta(hours=23)
MAX_RECORDS = 500_000
_MARGIN = timedelta(minutes=1)
# What a table's stream gives at most; of an events stream, some 5 MB.
_AT_ONCE = 1_000


class EventStream:
    def __init__(self, names: Names) -> None:
        self._names = names
        self._name = names.events_stream

    def send(self, records: list[Outgoing]) -> None:
        """Raises NotAccepted after bounded retries, and boto3's errors."""
        put_all(aws.batch_client("kinesis"), self._name, records, attempts=5)

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

    def was_sent(self, cases: Sequence[Case], since: datetime, now: datetime) -> set[str]:
        """Which of these reached the stream again after a moment, by case id.

        Known by the very body that was to be sent, as the refused record has the same event id;
        when the moment is further back than the stream goes, by the events that have landed.
        """
        start = since - _MARGIN
        if now - start > KEPT:
            landed = set(Lake(self._names).events(since=start.date())["event_id"])
            return {case.case_id for case in cases if event_id_of(case.to_send) in landed}
        bodies = {case.to_send.encode(): case for case in cases}
        sent = set()
        for _, record in self._records(start, now + _MARGIN):
            case = bodies.get(record["Data"])
            if case and record["ApproximateArrivalTimestamp"] > case.last_at:
                sent.add(case.case_id)
        return sent

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
        answer = client.get_records(ShardIterator=iterator, Limit=_AT_ONCE)
        yield from answer["Records"]
        if not answer["Records"] and not answer.get("MillisBehindLatest"):
            return
        iterator = answer.get("NextShardIterator")
