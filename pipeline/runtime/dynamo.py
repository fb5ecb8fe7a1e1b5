"""Items to and from DynamoDB's JSON, and the one way to run a write transaction.

The low-level client with these two functions costs half of the CPU that boto3's resource takes.
"""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

import stamina
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from pipeline.contracts.errors import Unavailable
from pipeline.runtime import aws
from pipeline.runtime.clock import new_id

Item = dict[str, Any]
CONDITION_FAILED = "ConditionalCheckFailed"
_CONTENTION = frozenset({"TransactionConflict", "ProvisionedThroughputExceeded", "ThrottlingError"})


class _Reader(TypeDeserializer):  # type: ignore[misc]  # boto3 carries no types
    def _deserialize_n(self, value: str) -> int | Decimal:
        return int(value) if value.lstrip("-").isdigit() else Decimal(value)


_writer = TypeSerializer()
_reader = _Reader()


def to_item(values: Mapping[str, Any]) -> Item:
    """Plain Python values to DynamoDB's JSON; floats are refused."""
    return {name: _writer.serialize(value) for name, value in values.items()}


def from_item(item: Mapping[str, Any]) -> Item:
    """DynamoDB's JSON to plain Python values; whole numbers become `int`, others `Decimal`."""
    return {name: _reader.deserialize(value) for name, value in item.items()}


class _Unprocessed(Unavailable):
    """A part of a batch was put off; the client sees it as any unavailable dependency."""


def read_all(
    wanted: Mapping[str, Sequence[Mapping[str, str]]], *, may_lag: Collection[str] = ()
) -> list[Item]:
    """The rows of these keys by table, at most 100 together, in no order; what is not is missing.

    Args: `may_lag` names the tables whose rows may be a little old, at half the cost.
    Raises: Unavailable when the tables stay throttled for three seconds.
    """
    request: Item = {
        table: {"Keys": [to_item(key) for key in rows], "ConsistentRead": table not in may_lag}
        for table, rows in wanted.items()
        if rows
    }
    found: list[Item] = []
    for attempt in stamina.retry_context(
        on=_Unprocessed, attempts=5, timeout=3, wait_initial=0.02, wait_max=0.5, wait_jitter=0.1
    ):
        with attempt:
            answer = aws.client("dynamodb").batch_get_item(RequestItems=request) if request else {}
            for rows in answer.get("Responses", {}).values():
                found += map(from_item, rows)
            request = answer.get("UnprocessedKeys") or {}
            if request:
                raise _Unprocessed("DynamoDB is throttling", headers={"Retry-After": "1"})
    return found


class TransactionCancelled(Exception):
    """A condition of the transaction was not met, so nothing of it was written.

    `failed` maps the position of each operation whose condition failed to the row as it stands
    (empty if there is none, or if ReturnValuesOnConditionCheckFailure was not asked for).
    """

    def __init__(self, failed: dict[int, Item]) -> None:
        super().__init__(f"conditions failed at {sorted(failed)}")
        self.failed = failed


class _Contention(Exception):
    """Another transaction holds a row, or the table is throttled: worth another attempt."""


def transact(operations: Sequence[Item]) -> None:
    """Write all operations or none; waits out contention, at most ten attempts in five seconds.

    Every attempt of one call carries the same request token, so that a write whose answer was lost
    is not made twice.
    Raises: TransactionCancelled; Unavailable when contention did not end in time.
    """
    token = new_id()
    try:
        for attempt in stamina.retry_context(
            on=_Contention, attempts=10, timeout=5, wait_initial=0.01, wait_max=1, wait_jitter=0.2
        ):
            with attempt:
                _transact_once(operations, token)
    except _Contention:
        raise Unavailable(
            "Too many shoppers want the same goods at this moment; try again",
            headers={"Retry-After": "1"},
        ) from None


def _transact_once(operations: Sequence[Item], token: str) -> None:
    try:
        aws.client("dynamodb").transact_write_items(
            TransactItems=operations, ClientRequestToken=token
        )
    except ClientError as error:
        reasons = error.response.get("CancellationReasons")
        if reasons is None:
            raise
        failed = {
            position: from_item(reason.get("Item", {}))
            for position, reason in enumerate(reasons)
            if reason.get("Code") == CONDITION_FAILED
        }
        if failed:  # decisive, even where another row was contended
            raise TransactionCancelled(failed) from None
        if any(reason.get("Code") in _CONTENTION for reason in reasons):
            raise _Contention from None
        raise
