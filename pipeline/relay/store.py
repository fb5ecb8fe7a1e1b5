"""Where events go: the orders topic (to the workers) and the event stream (to the lake)."""

import json
from collections.abc import Sequence
from typing import Any

import stamina

from pipeline.contracts.events import Envelope, Rejected
from pipeline.contracts.names import Names
from pipeline.relay.service import Change
from pipeline.runtime import aws
from pipeline.runtime.kinesis import Outgoing, put_all
from pipeline.runtime.portions import portions
from pipeline.runtime.sqs import queue_url

# SNS takes ten messages and 256 KiB a call.
MAX_MESSAGES = 10
MAX_BYTES = 262_144
_ATTEMPTS = 5


class NotPublished(Exception):
    """Messages the topic refused."""


class OrdersTopic:
    """SNS: subscriptions filter on the attribute `event_type`."""

    def __init__(self, names: Names) -> None:
        self._name = names.orders_topic
        self._arn = ""

    def send(self, events: Sequence[Envelope]) -> None:
        """Raises NotPublished after bounded retries of those refused, and boto3's errors."""
        entries = [_to_entry(event) for event in events]
        for batch in portions(map(_size, entries), MAX_MESSAGES, MAX_BYTES):
            self._publish(entries[batch])

    def _publish(self, entries: list[dict[str, Any]]) -> None:
        left = {entry["Id"]: entry for entry in entries}

        @stamina.retry(on=NotPublished, attempts=_ATTEMPTS, wait_initial=0.05, wait_max=1)
        def attempt() -> None:
            answer = aws.client("sns").publish_batch(
                TopicArn=self._topic_arn(), PublishBatchRequestEntries=list(left.values())
            )
            for done in answer.get("Successful", []):
                left.pop(done["Id"], None)
            if left:
                codes = {failed["Code"] for failed in answer.get("Failed", [])}
                raise NotPublished(f"{len(left)} of {len(entries)}: {sorted(codes)}")

        attempt()

    def _topic_arn(self) -> str:
        if not self._arn:
            partition, account = aws.client("sts").get_caller_identity()["Arn"].split(":")[1:5:3]
            region = aws.client("sns").meta.region_name
            self._arn = f"arn:{partition}:sns:{region}:{account}:{self._name}"
        return self._arn


class EventStream:
    """Kinesis: the partition key is the order's id."""

    def __init__(self, names: Names) -> None:
        self._name = names.events_stream

    def send(self, events: Sequence[Envelope]) -> None:
        """Raises NotAccepted after bounded retries of those refused, and boto3's errors."""
        records = [Outgoing(e.partition_key, e.model_dump_json().encode()) for e in events]
        put_all(aws.client("kinesis"), self._name, records, attempts=_ATTEMPTS, wait_max=1)


class FailuresQueue:
    """The queue where failed stream records lie for people; keys and reason, no personal data."""

    def __init__(self, names: Names) -> None:
        self._name = names.queue("stream-failures")

    def put(self, change: Change, rejected: Rejected) -> None:
        facts = {
            "function": "relay",
            "reason": rejected.reason,
            "detail": rejected.detail,
            "sequence_number": change.sequence_number,
            "pk": change.new.get("pk"),
            "version": change.new.get("version"),
        }
        aws.client("sqs").send_message(
            QueueUrl=queue_url(self._name), MessageBody=json.dumps(facts, default=str)
        )


def _to_entry(event: Envelope) -> dict[str, Any]:
    attribute = {"DataType": "String", "StringValue": event.event_type}
    return {
        "Id": str(event.payload["version"]) + "-" + event.partition_key[-60:],
        "Message": event.model_dump_json(),
        "MessageAttributes": {"event_type": attribute},
    }


def _size(entry: dict[str, Any]) -> int:
    return len(entry["Message"].encode()) + 64  # the attribute counts too
