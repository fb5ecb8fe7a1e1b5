"""The simulated mailbox: one item per order and version."""

from datetime import datetime, timedelta
from typing import Any

from pipeline.contracts import keys
from pipeline.contracts.events import to_iso_z
from pipeline.contracts.names import Names
from pipeline.runtime import aws
from pipeline.runtime.dynamo import to_item

_KEPT = timedelta(days=90)


class Mailbox:
    def __init__(self, names: Names) -> None:
        self._table = names.table("orders")

    def send_once(self, attributes: dict[str, Any], at: datetime) -> bool:
        """False if the mail of this version was sent before."""
        client = aws.client("dynamodb")
        item = {
            **keys.mail(attributes["order_id"], attributes["version"]),
            **attributes,
            "sent_at": to_iso_z(at),
            "expires_at_epoch_s": int((at + _KEPT).timestamp()),
        }
        try:
            client.put_item(
                TableName=self._table,
                Item=to_item(item),
                ConditionExpression="attribute_not_exists(pk)",
            )
        except client.exceptions.ConditionalCheckFailedException:
            return False
        return True
