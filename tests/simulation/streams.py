"""The streams as Lambda reads them: a log per shard, and each function's place in it."""

import base64
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from pipeline.contracts.names import Names
from pipeline.runtime import aws

Record = dict[str, Any]
# A table's stream has many shards on AWS; an order's changes stay in one.
_CHANGE_SHARDS = 2


@dataclass
class Place:
    """How far a function has come in a shard, and how many records it is given at most."""

    function: str
    shard: str
    log: list[Record]
    batch_size: int
    position: int = 0
    limit: int | None = None

    @property
    def is_behind(self) -> bool:
        return self.position < len(self.log)

    def batch(self, size: int) -> list[Record]:
        size = min(size, self.limit or size)
        return self.log[self.position : self.position + size]

    def failed(self, count: int) -> None:
        """Lambda bisects a batch that failed."""
        self.limit = max(1, count // 2)

    def done(self, count: int) -> None:
        self.position += count
        self.limit = None


@dataclass
class ChangeStream:
    """The stream of the orders table, order rows only, as the relay's mapping filters it."""

    names: Names
    shards: dict[str, list[Record]] = field(
        default_factory=lambda: {f"changes-{n}": [] for n in range(_CHANGE_SHARDS)}
    )
    _iterator: str | None = None
    _newest: int = -1

    def pull(self) -> None:
        """What was written since the last time."""
        streams = aws.client("dynamodbstreams")
        try:
            answer = streams.get_records(ShardIterator=self._iterator or self._start())
        except streams.exceptions.ExpiredIteratorException:
            answer = streams.get_records(ShardIterator=self._start())
        self._iterator = answer["NextShardIterator"]
        for record in answer["Records"]:
            change = record["dynamodb"]
            number = int(change["SequenceNumber"])
            if number <= self._newest or change["NewImage"].get("sk") != {"S": "ORDER"}:
                continue
            self._newest = number
            # A function is told the seconds, where boto3 makes a datetime.
            created = change["ApproximateCreationDateTime"]
            change["ApproximateCreationDateTime"] = created.timestamp()
            shard = crc32(change["Keys"]["pk"]["S"].encode()) % _CHANGE_SHARDS
            self.shards[f"changes-{shard}"].append(record)

    def forget(self) -> None:
        """The iterator is gone with the emulator that made it; what is read is read."""
        self._iterator = None

    def _start(self) -> str:
        table = aws.client("dynamodb").describe_table(TableName=self.names.table("orders"))
        streams, arn = aws.client("dynamodbstreams"), table["Table"]["LatestStreamArn"]
        (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        iterator: str = streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        return iterator


@dataclass
class EventStream:
    """The event stream, record by record as a function gets them."""

    names: Names
    shards: dict[str, list[Record]] = field(default_factory=dict)
    _iterators: dict[str, str] = field(default_factory=dict)

    def open(self) -> None:
        answer = aws.client("kinesis").list_shards(StreamName=self.names.events_stream)
        self.shards = {shard["ShardId"]: [] for shard in answer["Shards"]}

    def pull(self) -> None:
        """What was put since the last time."""
        kinesis = aws.client("kinesis")
        for shard, log in self.shards.items():
            iterator = self._iterators.get(shard) or self._start(shard)
            try:
                found = kinesis.get_records(ShardIterator=iterator, Limit=10_000)
            except kinesis.exceptions.ExpiredIteratorException:  # nobody asked for five minutes
                found = kinesis.get_records(ShardIterator=self._start(shard), Limit=10_000)
            self._iterators[shard] = found["NextShardIterator"]
            log += [_as_given(shard, record) for record in found["Records"]]

    def forget(self) -> None:
        """The iterators are gone with the emulator that made them."""
        self._iterators.clear()

    def _start(self, shard: str) -> str:
        start = {"ShardIteratorType": "TRIM_HORIZON"}
        if log := self.shards[shard]:
            start = {
                "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
                "StartingSequenceNumber": log[-1]["kinesis"]["sequenceNumber"],
            }
        iterator: str = aws.client("kinesis").get_shard_iterator(
            StreamName=self.names.events_stream, ShardId=shard, **start
        )["ShardIterator"]
        return iterator


def _as_given(shard: str, record: Record) -> Record:
    """A record as Lambda hands it to a function."""
    return {
        "eventID": f"{shard}:{record['SequenceNumber']}",
        "kinesis": {
            "sequenceNumber": record["SequenceNumber"],
            "partitionKey": record["PartitionKey"],
            "data": base64.b64encode(record["Data"]).decode(),
            "approximateArrivalTimestamp": record["ApproximateArrivalTimestamp"].timestamp(),
        },
    }
