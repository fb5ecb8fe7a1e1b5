"""The gateway's rows in the ops table: payments, webhooks still to be sent, knobs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pipeline.contracts import keys
from pipeline.contracts.events import to_iso_z
from pipeline.contracts.names import Names
from pipeline.contracts.payments import Knobs, Notice, Payment
from pipeline.runtime import aws
from pipeline.runtime.dynamo import Item, TransactionCancelled, from_item, to_item, transact

_KEPT = timedelta(days=3)  # a webhook nobody took for so long is given up


class Moved(Exception):
    """Somebody else changed the payment first: read it again."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A webhook to be delivered at `due_at_epoch_ms`, after `attempts` that failed."""

    notice: Notice
    due_at_epoch_ms: int
    attempts: int = 0


class GatewayStore:
    def __init__(self, names: Names) -> None:
        self._table = names.table("ops")

    def find(self, key: str) -> Payment | None:
        """Strongly consistent."""
        answer = aws.client("dynamodb").get_item(
            TableName=self._table, Key=to_item(keys.gateway_payment(key)), ConsistentRead=True
        )
        return _to_payment(answer["Item"]) if "Item" in answer else None

    def write(self, payment: Payment, waiting: Waiting | None) -> None:
        """The payment's next version, and the webhook that tells of it, in one transaction.

        Raises: Moved; Unavailable and boto3's errors, which may be retried.
        """
        row = {**keys.gateway_payment(payment.key), "document": payment.model_dump_json(),
               "version": payment.version}  # fmt: skip
        put: Item = {"TableName": self._table, "Item": to_item(row)}
        if payment.version == 1:
            put["ConditionExpression"] = "attribute_not_exists(pk)"
        else:
            put["ConditionExpression"] = "version = :seen"
            put["ExpressionAttributeValues"] = to_item({":seen": payment.version - 1})
        if waiting is None:
            client = aws.client("dynamodb")
            try:
                client.put_item(**put)
            except client.exceptions.ConditionalCheckFailedException:
                raise Moved from None
            return
        notice = {"TableName": self._table, "Item": to_item(_to_row(waiting))}
        try:
            transact([{"Put": put}, {"Put": notice}])
        except TransactionCancelled:
            raise Moved from None

    def list_payments(self, shard: int, after: str | None, limit: int) -> list[Payment]:
        """Payments of one shard by key, from the one behind `after`."""
        answer = aws.client("dynamodb").query(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND sk > :after",
            ExpressionAttributeValues=to_item(
                {":pk": keys.gateway_payments(shard), ":after": after or "!"}
            ),
            Limit=limit,
            ConsistentRead=True,
        )
        return [_to_payment(item) for item in answer["Items"]]

    def due(self, now: datetime, limit: int) -> list[Waiting]:
        """Webhooks whose time has come, the longest waiting first."""
        until = keys.gateway_notice(int(now.timestamp() * 1000) + 1)
        answer = aws.client("dynamodb").query(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND sk < :until",
            ExpressionAttributeValues=to_item({":pk": until["pk"], ":until": until["sk"]}),
            Limit=limit,
            ConsistentRead=True,
        )
        return [_to_waiting(from_item(item)) for item in answer["Items"]]

    def delivered(self, waiting: Waiting) -> None:
        aws.client("dynamodb").delete_item(TableName=self._table, Key=to_item(_key_of(waiting)))

    def put_off(self, waiting: Waiting, later: Waiting) -> None:
        """In place of `waiting`; should this stop half-way, it is delivered once more."""
        client = aws.client("dynamodb")
        client.put_item(TableName=self._table, Item=to_item(_to_row(later)))
        self.delivered(waiting)

    def read_knobs(self) -> dict[str, Knobs]:
        """By operation, those that were set."""
        answer = aws.client("dynamodb").query(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=to_item({":pk": keys.gateway_knobs("")["pk"]}),
            ConsistentRead=True,
        )
        rows = [from_item(item) for item in answer["Items"]]
        return {row["sk"]: Knobs.model_validate_json(row["document"]) for row in rows}

    def set_knobs(self, operation: str, chosen: Knobs, by: str, now: datetime) -> None:
        row = {**keys.gateway_knobs(operation), "document": chosen.model_dump_json(),
               "by": by, "at": to_iso_z(now)}  # fmt: skip
        aws.client("dynamodb").put_item(TableName=self._table, Item=to_item(row))

    def reset_knobs(self) -> None:
        for operation in self.read_knobs():
            aws.client("dynamodb").delete_item(
                TableName=self._table, Key=to_item(keys.gateway_knobs(operation))
            )


def _to_payment(item: Mapping[str, Any]) -> Payment:
    return Payment.model_validate_json(item["document"]["S"])


def _to_row(waiting: Waiting) -> dict[str, Any]:
    made_at = datetime.fromisoformat(waiting.notice.created_at)
    return {
        **_key_of(waiting),
        "notice": waiting.notice.model_dump_json(),
        "due_at_epoch_ms": waiting.due_at_epoch_ms,
        "attempts": waiting.attempts,
        "expires_at_epoch_s": int((made_at + _KEPT).timestamp()),
    }


def _key_of(waiting: Waiting) -> keys.Key:
    return keys.gateway_notice(waiting.due_at_epoch_ms, waiting.notice.event_id)


def _to_waiting(row: Item) -> Waiting:
    notice = Notice.model_validate_json(row["notice"])
    return Waiting(notice, row["due_at_epoch_ms"], row["attempts"])
