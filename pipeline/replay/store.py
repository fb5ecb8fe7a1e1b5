"""What a replay reads and writes outside itself: stream, ops and products tables, Lambda."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import boto3
import stamina
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

from pipeline.contracts import keys
from pipeline.contracts.names import Names
from pipeline.runtime import aws, folded, landed
from pipeline.runtime.batches import get_all, write_all
from pipeline.runtime.kinesis import Outgoing, comparable, put_records
from pipeline.runtime.lease import Lease

_KEPT = timedelta(days=90)


def _is_passing(error: Exception) -> bool:
    """AWS is away or overloaded for a moment, as while the emulator restarts."""
    if isinstance(error, ClientError):
        return int(error.response["ResponseMetadata"].get("HTTPStatusCode", 0)) >= 500
    return isinstance(error, HTTPClientError | ConnectionError)


# A replay may outlive a restart of what it talks to; all it does may be done twice.
_patiently = stamina.retry(
    on=_is_passing, attempts=60, timeout=120, wait_initial=0.2, wait_max=3, wait_jitter=0.5
)


class Ops:
    """The lease, the shift and the progress of replays."""

    def __init__(self, names: Names) -> None:
        self._table = aws.table(names.table("ops"))
        self._lease = Lease(self._table, "replay")

    @_patiently
    def take_lease(self, owner: str, now: datetime, seconds: int) -> bool:
        """Also renews it; False while another replay's has not expired."""
        return self._lease.take(owner, now, seconds)

    def drop_lease(self, owner: str) -> None:
        self._lease.drop(owner)

    @_patiently
    def settle_shift(self, file: str, weeks: int) -> int:
        """The weeks this file's events are moved by: those of its first replay, for ever.

        Events keep their ids, so under another shift the lake would hold them on two dates.
        """
        key = keys.replay_run(f"shift-{file}")
        try:
            self._table.put_item(
                Item={**key, "weeks": weeks}, ConditionExpression="attribute_not_exists(pk)"
            )
        except self._table.meta.client.exceptions.ConditionalCheckFailedException:
            found = self._table.get_item(Key=key, ConsistentRead=True)["Item"]
            return int(found["weeks"])
        return weeks

    @_patiently
    def settle_first_day(self, file: str, today: date) -> date:
        """The day on which this file's events began to arrive: that of its first replay."""
        key = keys.replay_run(f"first-day-{file}")
        try:
            self._table.put_item(
                Item={**key, "day": today.isoformat()},
                ConditionExpression="attribute_not_exists(pk)",
            )
        except self._table.meta.client.exceptions.ConditionalCheckFailedException:
            found = self._table.get_item(Key=key, ConsistentRead=True)["Item"]
            return date.fromisoformat(found["day"])
        return today

    @_patiently
    def save_progress(self, run_id: str, facts: Mapping[str, Any], now: datetime) -> None:
        """The newest run is also found under `latest`."""
        expires = int((now + _KEPT).timestamp())
        for name in (run_id, "latest"):
            self._table.put_item(
                Item={**keys.replay_run(name), "expires_at_epoch_s": expires, **facts}
            )


class Pipeline:
    """The stream that a replay writes to, and how far the readers of it have come."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._kinesis = aws.batch_client("kinesis")

    @_patiently
    def send(self, records: Sequence[Outgoing]) -> dict[str, str]:
        """Writes up to one batch; returns shard -> highest sequence number (comparable)."""
        newest = put_records(self._kinesis, self._names.events_stream, records, attempts=12)
        return {shard: comparable(sequence) for shard, sequence in newest.items()}

    @_patiently
    def mark(self, record: Outgoing) -> dict[str, str]:
        """Writes a record to every open shard; returns shard -> its number there (comparable).

        Once landing has passed it, all that was sent before has landed, too.
        """
        stream = self._names.events_stream
        marks = {}
        for shard in self._kinesis.list_shards(StreamName=stream)["Shards"]:
            if "EndingSequenceNumber" in shard["SequenceNumberRange"]:
                continue
            answer = self._kinesis.put_record(
                StreamName=stream, Data=record.body, PartitionKey=record.partition_key,
                ExplicitHashKey=shard["HashKeyRange"]["StartingHashKey"],
            )  # fmt: skip
            marks[answer["ShardId"]] = comparable(answer["SequenceNumber"])
        return marks

    @_patiently
    def folded(self) -> dict[str, str]:
        """Shard -> last sequence number folded (comparable)."""
        return folded.sequences(self._names)

    @_patiently
    def landed(self, shards: Iterable[str]) -> dict[str, str]:
        """Shard -> last sequence number landed (comparable), of those of which anything landed."""
        found = landed.sequences(self._names, shards)
        return {shard: comparable(last) for shard, last in found.items()}

    @_patiently
    def compact(self) -> bool:
        """Runs the compaction function and waits; False when another run holds the lease."""
        config = Config(read_timeout=900, retries={"total_max_attempts": 1})
        answer = boto3.client("lambda", config=config).invoke(
            FunctionName=self._names.function("compaction"),
            Payload=json.dumps({"trigger": "replay"}),
        )
        outcome = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise RuntimeError(f"Compaction failed: {outcome.get('errorMessage', outcome)}")
        return not outcome["is_skipped"]


@_patiently
def put_absent_products(names: Names, items: Sequence[dict[str, Any]]) -> int:
    """Writes those items that are not there yet; returns how many."""
    table = names.table("products")
    resource = boto3.resource("dynamodb", config=Config(max_pool_connections=4))
    wanted = ({"pk": item["pk"], "sk": item["sk"]} for item in items)
    found = get_all(resource, table, wanted, ProjectionExpression="pk")
    present = {item["pk"] for item in found}
    absent = [item for item in items if item["pk"] not in present]
    write_all(resource, table, ({"PutRequest": {"Item": item}} for item in absent))
    return len(absent)
