"""The places where cases lie: the lake's quarantine, and the queues of dead letters."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import polars as pl

from pipeline.contracts.events import parse_event
from pipeline.contracts.names import Names
from pipeline.desk.domain import (
    QUARANTINE,
    UNKNOWN_SOURCE,
    Case,
    cause_of_message,
    cause_of_rejection,
    event_id_of,
    record_case_id,
    source_of,
)
from pipeline.desk.stream import EventStream
from pipeline.runtime import aws
from pipeline.runtime.clock import Clock
from pipeline.runtime.facts import QUARANTINE as COLUMNS
from pipeline.runtime.kinesis import Outgoing
from pipeline.runtime.lake import Lake
from pipeline.runtime.sqs import queue_url

MAX_MESSAGES = 2_000
# Long enough for a look; who dies while looking hides them for no longer.
_LOOK_S = 20
# Longer than a whole redrive of MAX_MESSAGES at a slow rate would be pointless: they come back.
_HOLD_S = 900
_BATCH = 10
_TRACE = "AWSTraceHeader"


class Quarantine:
    """Refused records in the lake. They stay there for good; what becomes of them is in the rows.

    Args: `since` is the first date of arrival to look at; None is all.
    """

    name = QUARANTINE

    def __init__(self, names: Names, clock: Clock, since: date | None = None) -> None:
        self._lake, self._stream = Lake(names), EventStream(names)
        self._clock, self._since = clock, since
        self._known: dict[tuple[str, str], pl.DataFrame] = {}

    def find(self) -> list[Case]:
        """Reads the files that are new or changed since it was last asked."""
        objects = self._lake.list_objects("quarantine/", self._since)
        new = [one for one in objects if (one.key, one.etag) not in self._known]
        fresh = {
            (one.key, one.etag): frame
            for one, frame in zip(new, self._lake.read_objects(new), strict=True)
        }
        kept = self._known | fresh
        self._known = {(one.key, one.etag): kept[one.key, one.etag] for one in objects}
        frames = [frame for frame in self._known.values() if frame.height]
        rows = pl.concat(frames) if frames else pl.DataFrame(schema=COLUMNS)
        found: dict[str, Case] = {}
        seen: set[tuple[str, str]] = set()
        for row in rows.sort("arrived_at").iter_rows(named=True):
            record = (row["shard"], row["sequence_number"])
            if record in seen:  # a batch that was delivered twice, with other bounds
                continue
            seen.add(record)
            case = _to_case(row)
            known = found.get(case.case_id)
            if known:
                case = replace(known, times=known.times + 1, latest=row["arrived_at"])
            found[case.case_id] = case
        return list(found.values())

    @contextmanager
    def hold(self, cases: Mapping[str, Case], size: int) -> Iterator[Iterator[list[Case]]]:
        """Nobody takes anything out of the lake, so they are there."""
        listed = list(cases.values())
        yield (listed[start : start + size] for start in range(0, len(listed), size))

    def was_sent(self, cases: Sequence[Case]) -> set[str]:
        begun = [case.row.redriving_at for case in cases if case.row and case.row.redriving_at]
        return self._stream.was_sent(cases, min(begun), self._clock()) if begun else set()

    def send(self, cases: Sequence[Case]) -> dict[str, str]:
        """With the event ids that they have, so folding and compaction know them again."""
        self._stream.send(
            [
                Outgoing(parse_event(case.to_send).partition_key, case.to_send.encode())
                for case in cases
            ]
        )
        return {}

    def remove(self, cases: Sequence[Case]) -> None:
        """They stay: the lake is the record of what was refused."""


def _to_case(row: Mapping[str, Any]) -> Case:
    return Case(
        record_case_id(row["event_id"], row["shard"], row["sequence_number"], row["body"]),
        QUARANTINE,
        cause_of_rejection(row["reason"], row["detail"]),
        row["detail"],
        row["body"],
        row["event_id"],
        row["source"] or UNKNOWN_SOURCE,
        row["arrived_at"],
    )


class DeadLetters:
    """A dead-letter queue. Looking takes nothing: what was received is shown again at once."""

    def __init__(self, names: Names, name: str) -> None:
        self.name = name
        self._queue, self._home = names.queue(name), names.queue(name.removesuffix("-dlq"))
        self._receipts: dict[str, str] = {}

    def find(self) -> list[Case]:
        """At most MAX_MESSAGES of them."""
        found: dict[str, Case] = {}
        receipts: dict[str, str] = {}
        try:
            for message in self._receive(_LOOK_S):
                case = self.to_case(message)
                found[case.case_id] = case
                receipts[case.case_id] = message["ReceiptHandle"]
        finally:
            self._release(receipts.values())
        return list(found.values())

    @contextmanager
    def hold(self, cases: Mapping[str, Case], size: int) -> Iterator[Iterator[list[Case]]]:
        """Messages that are not wanted are released at the end, as those that were not removed."""
        self._receipts = {}

        def batches() -> Iterator[list[Case]]:
            batch: list[Case] = []
            left = set(cases)
            for message in self._receive(_HOLD_S) if left else ():
                self._receipts[message["MessageId"]] = message["ReceiptHandle"]
                if message["MessageId"] not in left:
                    continue
                left.remove(message["MessageId"])
                batch.append(cases[message["MessageId"]])
                if len(batch) == size or not left:
                    yield batch
                    batch = []
                if not left:
                    return
            if batch:
                yield batch

        try:
            yield batches()
        finally:
            self._release(self._receipts.values())

    def was_sent(self, cases: Sequence[Case]) -> set[str]:
        """Nobody can tell, so they are sent again: every worker knows what it has already done."""
        return set()

    def send(self, cases: Sequence[Case]) -> dict[str, str]:
        """Each to the queue it came from, with its own attributes, so that its trace goes on."""
        for case in cases:
            system = {"AWSTraceHeader": {"DataType": "String", "StringValue": trace}} if (
                trace := case.attributes.get(_TRACE)
            ) else {}  # fmt: skip
            aws.batch_client("sqs").send_message(
                QueueUrl=queue_url(self._home),
                MessageBody=case.to_send,
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value}
                    for name, value in case.attributes.items()
                    if name != _TRACE
                },
                MessageSystemAttributes=system,
            )
        return {}

    def remove(self, cases: Sequence[Case]) -> None:
        """Only what is held can be removed: a case that its row alone told of is gone already."""
        url = queue_url(self._queue)
        for case in cases:
            if receipt := self._receipts.pop(case.case_id, None):
                aws.batch_client("sqs").delete_message(QueueUrl=url, ReceiptHandle=receipt)

    def to_case(self, message: Mapping[str, Any]) -> Case:
        body = message["Body"]
        cause, detail = cause_of_message(body)
        received = message.get("Attributes", {})
        sent_ms = int(received.get("SentTimestamp", 0))
        own = {
            name: value["StringValue"]
            for name, value in message.get("MessageAttributes", {}).items()
            if value.get("StringValue")
        }
        trace = {_TRACE: received[_TRACE]} if received.get(_TRACE) else {}
        return Case(
            message["MessageId"], self.name, cause, detail, body, event_id_of(body),
            source_of(body), datetime.fromtimestamp(sent_ms / 1000, UTC), attributes=own | trace,
        )  # fmt: skip

    def _receive(self, hidden_s: int) -> Iterator[dict[str, Any]]:
        """Messages of the queue, each once; those that are taken are hidden for so long.

        A queue may answer nothing and still have some: then it is asked once more, with patience.
        """
        sqs, url = aws.batch_client("sqs"), queue_url(self._queue)
        seen, wait_s = 0, 0
        while seen < MAX_MESSAGES:
            answer = sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=_BATCH, VisibilityTimeout=hidden_s,
                WaitTimeSeconds=wait_s, MessageAttributeNames=["All"], AttributeNames=["All"],
            )  # fmt: skip
            messages = answer.get("Messages", [])
            yield from messages
            seen += len(messages)
            if not messages and (wait_s or not self._waiting(sqs, url)):
                return
            wait_s = 0 if messages else 1

    def _waiting(self, sqs: Any, url: str) -> int:
        name = "ApproximateNumberOfMessages"
        answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])
        return int(answer["Attributes"][name])

    def _release(self, receipts: Collection[str]) -> None:
        sqs, url, listed = aws.batch_client("sqs"), queue_url(self._queue), list(receipts)
        for start in range(0, len(listed), _BATCH):
            entries = [
                {"Id": str(index), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
                for index, receipt in enumerate(listed[start : start + _BATCH])
            ]
            sqs.change_message_visibility_batch(QueueUrl=url, Entries=entries)
