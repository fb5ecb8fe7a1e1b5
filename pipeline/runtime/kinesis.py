"""Records of the event stream: reading a Lambda's batch, and writing with partial-failure retry."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import stamina

from pipeline.runtime.portions import portions

MAX_RECORDS = 500
MAX_BYTES = 5_000_000


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """One record as a Lambda gets it; `sequence_number` is a decimal of varying length."""

    shard: str
    sequence_number: str
    arrived_at: datetime
    body: bytes


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record to write: the key that picks the shard, and the body."""

    partition_key: str
    body: bytes

    @property
    def size(self) -> int:
        return len(self.body) + len(self.partition_key.encode())


class NotAccepted(Exception):
    """Some records of a batch were not taken: `indexes` are those left."""

    def __init__(self, indexes: list[int]) -> None:
        super().__init__(f"{len(indexes)} records were not accepted")
        self.indexes = indexes


def records_of(event: dict[str, Any]) -> list[StreamRecord]:
    """The records of a Kinesis batch, in order."""
    return [
        StreamRecord(
            shard=record["eventID"].rpartition(":")[0],
            sequence_number=record["kinesis"]["sequenceNumber"],
            arrived_at=datetime.fromtimestamp(
                float(record["kinesis"]["approximateArrivalTimestamp"]), UTC
            ),
            body=base64.b64decode(record["kinesis"]["data"]),
        )
        for record in event["Records"]
    ]


def batches(records: Sequence[Outgoing]) -> Iterator[slice]:
    """What fits one PutRecords call: 500 records, 5 MB."""
    return portions((record.size for record in records), MAX_RECORDS, MAX_BYTES)


def put_all(
    client: Any, stream: str, records: Sequence[Outgoing], *, attempts: int = 8, wait_max: float = 2
) -> None:
    """Writes any number, a batch after the other; as `put_records`."""
    for batch in batches(records):
        put_records(client, stream, records[batch], attempts=attempts, wait_max=wait_max)


def put_records(
    client: Any, stream: str, records: Sequence[Outgoing], *, attempts: int = 8, wait_max: float = 2
) -> dict[str, str]:
    """Writes up to one batch; records the stream refuses are sent again, only those.

    Returns: shard -> highest sequence number given.
    Raises: NotAccepted with the indexes left after the bounded retries; ClientError.
    """
    newest: dict[str, str] = {}
    left = list(range(len(records)))

    @stamina.retry(on=NotAccepted, attempts=attempts, wait_initial=0.05, wait_max=wait_max)
    def attempt() -> None:
        nonlocal left
        answer = client.put_records(
            StreamName=stream,
            Records=[
                {"Data": records[i].body, "PartitionKey": records[i].partition_key} for i in left
            ],
        )
        for result in answer["Records"]:
            if sequence := result.get("SequenceNumber"):
                shard = result["ShardId"]
                newest[shard] = max(newest.get(shard, "0"), sequence, key=int)
        left = [i for i, result in zip(left, answer["Records"], strict=True)
                if result.get("ErrorCode")]  # fmt: skip
        if left:
            raise NotAccepted(left)

    attempt()
    return newest


def comparable(sequence_number: str) -> str:
    """Sequence numbers padded to one width, so that they compare as text."""
    return sequence_number.zfill(64)
