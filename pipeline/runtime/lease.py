"""One at a time, across processes and machines: leases in the `ops` table.

A lease is a row with an owner and an expiry. Taking it is one conditional write, so two cannot
both hold it; a holder that dies loses it when it runs out.
"""

from datetime import datetime
from typing import Any

from pipeline.contracts import keys


class Lease:
    """The lease of one name, e.g. `compaction`, in the `ops` table (a boto3 `Table`)."""

    def __init__(self, table: Any, name: str) -> None:
        self._table = table
        self._key = keys.lease(name)

    def take(self, owner: str, now: datetime, seconds: int) -> bool:
        """Take or renew it; False while another owner's has not run out."""
        epoch_s = int(now.timestamp())
        try:
            self._table.put_item(
                Item={**self._key, "owner": owner, "expires_at_epoch_s": epoch_s + seconds},
                ConditionExpression="attribute_not_exists(pk) OR #owner = :owner"
                " OR expires_at_epoch_s < :now",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues={":owner": owner, ":now": epoch_s},
            )
        except self._table.meta.client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def drop(self, owner: str) -> None:
        """Give it back, unless it ran out and is another's now."""
        try:
            self._table.delete_item(
                Key=self._key,
                ConditionExpression="#owner = :owner",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues={":owner": owner},
            )
        except self._table.meta.client.exceptions.ConditionalCheckFailedException:
            return

    def find_holder(self, now: datetime) -> str | None:
        """Who holds it at this moment."""
        item = self._table.get_item(Key=self._key, ConsistentRead=True).get("Item") or {}
        is_held = int(item.get("expires_at_epoch_s") or 0) >= int(now.timestamp())
        return str(item["owner"]) if is_held else None
