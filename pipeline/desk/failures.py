"""Batches of a stream that a function gave up, and order rows that could not become an event.

Lambda's failure record holds a shard and a range of sequence numbers, not the records. To redrive
one is to read the range while the stream still has it, and to hand it to the same function with the
same sequence numbers: what the function did of it before, it knows.
"""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from pipeline.contracts.names import Names
from pipeline.desk.domain import STREAM_FAILURES, Case
from pipeline.desk.places import DeadLetters
from pipeline.desk.stream import read_on
from pipeline.runtime import aws
from pipeline.runtime.portions import portions

# Lambda takes 6 MB a synchronous call; base64 makes a third more of a record.
_MAX_RECORDS = 100
_MAX_BYTES = 4_000_000
_GONE = frozenset({"TrimmedDataAccessException", "InvalidArgumentException",
                   "ResourceNotFoundException", "ValidationException"})  # fmt: skip
FORGOTTEN = "the stream no longer has these records: it keeps them for a day"
ADVICE = {
    "batch": "The record holds a shard and a range, not the records. Fix the cause first; then "
    "redrive: the range is read from the stream, which keeps it for a day, and handed to the "
    "function once more. Later, discard it, and rebuild from the tables or the lake.",
    "row": "An order row could not become an event. Repair the row: its next version is relayed. "
    "There is nothing to send here, so discard this with what was done as the reason.",
    "unknown": "Nobody knows this form of failure record. Look at the body; discard it with a "
    "reason once it is dealt with.",
}


@dataclass(frozen=True, slots=True)
class Failure:
    """`kind` is `batch`, `row` or `unknown`; the rest of a batch is empty for the others."""

    kind: str
    function: str
    reason: str
    detail: str
    stream_arn: str = ""
    shard: str = ""
    first: str = ""
    last: str = ""

    @property
    def is_table(self) -> bool:
        return ":dynamodb:" in self.stream_arn


def failure_of(body: str) -> Failure:
    """What a message of `stream-failures` tells."""
    try:
        facts = json.loads(body)
    except ValueError:
        facts = None
    if not isinstance(facts, dict):
        return Failure("unknown", "unknown", "no JSON object", "")
    batch = facts.get("KinesisBatchInfo") or facts.get("DDBStreamBatchInfo")
    if isinstance(batch, dict):
        return _batch(facts, batch)
    if "pk" in facts and "function" in facts:
        detail = f"{facts['pk']} at version {facts.get('version')}: {facts.get('detail')}"
        return Failure("row", str(facts["function"]), str(facts.get("reason")), detail)
    return Failure("unknown", str(facts.get("function") or "unknown"), "unknown form", "")


def _batch(facts: Mapping[str, Any], batch: Mapping[str, Any]) -> Failure:
    context = facts.get("requestContext") or {}
    function = str(context.get("functionArn", "")).partition(":function:")[2].partition(":")[0]
    first, last = (str(batch.get(f"{end}SequenceNumber", "")) for end in ("start", "end"))
    detail = (
        f"{batch.get('batchSize')} records of {batch.get('shardId')}, {first} to {last}, arrived "
        f"{batch.get('approximateArrivalOfFirstRecord')} to "
        f"{batch.get('approximateArrivalOfLastRecord')}"
    )
    return Failure(
        "batch", function, str(context.get("condition", "unknown")), detail,
        str(batch.get("streamArn", "")), str(batch.get("shardId", "")), first, last,
    )  # fmt: skip


class StreamFailures(DeadLetters):
    """The queue `stream-failures`; to send a case on is to run its function on its records."""

    def __init__(self, names: Names) -> None:
        super().__init__(names, STREAM_FAILURES)
        self._names = names

    def to_case(self, message: Mapping[str, Any]) -> Case:
        case, failure = super().to_case(message), failure_of(message["Body"])
        function = failure.function.removeprefix(self._names.of(""))
        return replace(
            case, cause=f"{function}:{failure.reason}", detail=failure.detail, source=function
        )

    def send(self, cases: Sequence[Case]) -> dict[str, str]:
        faults: dict[str, str] = {}
        for case in cases:
            failure = failure_of(case.to_send)
            why = self._run_again(failure) if failure.kind == "batch" else ADVICE[failure.kind]
            if why:
                faults[case.case_id] = why
        return faults

    def _run_again(self, failure: Failure) -> str | None:
        """Hands every record of the range to the function; why that is not possible, or None."""
        try:
            records = list(self._range(failure))
        except ClientError as error:
            if error.response["Error"]["Code"] in _GONE:
                return FORGOTTEN
            raise
        if not records or _sequence(records[-1]) != failure.last:
            return FORGOTTEN
        patterns = self._patterns(failure)
        wanted = [r for r in records if not patterns or any(matches(p, r) for p in patterns)]
        for part in portions(map(_size, wanted), _MAX_RECORDS, _MAX_BYTES):
            if why := self._invoke(failure.function, wanted[part]):
                return why
        return None

    def _range(self, failure: Failure) -> Iterator[dict[str, Any]]:
        """The records as a function gets them, from the first of the range to the last."""
        client = aws.batch_client("dynamodbstreams" if failure.is_table else "kinesis")
        where = {"StreamArn": failure.stream_arn} if failure.is_table else {
            "StreamName": failure.stream_arn.rpartition("/")[2]
        }  # fmt: skip
        iterator = client.get_shard_iterator(
            **where, ShardId=failure.shard, ShardIteratorType="AT_SEQUENCE_NUMBER",
            **{"StartingSequenceNumber" if not failure.is_table else "SequenceNumber":
               failure.first},
        )["ShardIterator"]  # fmt: skip
        for record in read_on(client, iterator):
            found = record if failure.is_table else _kinesis_record(failure, record)
            if int(_sequence(found)) > int(failure.last):
                return
            yield found
            if _sequence(found) == failure.last:
                return

    def _patterns(self, failure: Failure) -> list[dict[str, Any]]:
        """The filters of the function's mapping of that stream: what it would have been given."""
        answer = aws.batch_client("lambda").list_event_source_mappings(
            FunctionName=failure.function, EventSourceArn=failure.stream_arn
        )
        return [
            json.loads(one["Pattern"])
            for mapping in answer["EventSourceMappings"]
            for one in (mapping.get("FilterCriteria") or {}).get("Filters", [])
        ]

    def _invoke(self, function: str, records: list[dict[str, Any]]) -> str | None:
        answer = aws.batch_client("lambda").invoke(
            FunctionName=function,
            Payload=json.dumps({"Records": records}, default=_plain).encode(),
        )
        said = json.loads(answer["Payload"].read() or b"null")
        if answer.get("FunctionError"):
            words = said.get("errorMessage") if isinstance(said, dict) else said
            return f"{function} failed again: {str(words)[:120]}"
        failed = (said or {}).get("batchItemFailures") if isinstance(said, dict) else None
        return f"{function} gave {len(failed)} records back" if failed else None


def matches(pattern: Any, value: Any) -> bool:
    """Whether a record passes a filter of a mapping: objects of lists of the values allowed.

    Raises: ValueError for anything but literal values, which is all that the topology uses.
    """
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(
            name in value and matches(inner, value[name]) for name, inner in pattern.items()
        )
    if not isinstance(pattern, list) or any(isinstance(one, dict | list) for one in pattern):
        raise ValueError(f"this filter is not understood: {pattern!r}")
    return value in pattern


def _kinesis_record(failure: Failure, record: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "eventSource": "aws:kinesis",
        "eventID": f"{failure.shard}:{record['SequenceNumber']}",
        "eventSourceARN": failure.stream_arn,
        "kinesis": {
            "sequenceNumber": record["SequenceNumber"],
            "partitionKey": record["PartitionKey"],
            "approximateArrivalTimestamp": record["ApproximateArrivalTimestamp"].timestamp(),
            "data": base64.b64encode(record["Data"]).decode(),
        },
    }


def _sequence(record: Mapping[str, Any]) -> str:
    if "kinesis" in record:
        return str(record["kinesis"]["sequenceNumber"])
    return str(record["dynamodb"]["SequenceNumber"])


def _size(record: Mapping[str, Any]) -> int:
    return len(json.dumps(record, default=_plain))


def _plain(value: Any) -> Any:
    """What boto3 made of a record's parts, as a function is told them."""
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(type(value).__name__)
