"""One load run at a time, across every console and command line: a lease in the `ops` table."""

from datetime import datetime
from typing import Any

from boto3.dynamodb.conditions import Attr
from botocore.exceptions import ClientError

from pipeline.contracts import keys

LEASE = keys.lease("load")
TTL_S = 20
# Between the click and the first renewal: a process, or an instance far away, has to start.
START_TTL_S = 60


class AlreadyRunning(Exception):
    """Somebody else's run holds the lease; `holder` is its run id."""

    def __init__(self, holder: str) -> None:
        super().__init__(f"load run {holder} is still going")
        self.holder = holder


def take(table: Any, run_id: str, moment: datetime, ttl_s: int = TTL_S) -> None:
    """Take or renew the lease for `run_id`; a holder that died loses it after `ttl_s` seconds.

    Raises: AlreadyRunning.
    """
    epoch_s = int(moment.timestamp())
    try:
        table.put_item(
            Item={**LEASE, "holder": run_id, "expires_at_epoch_s": epoch_s + ttl_s},
            ConditionExpression=Attr("pk").not_exists()
            | Attr("expires_at_epoch_s").lt(epoch_s)
            | Attr("holder").eq(run_id),
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        raise AlreadyRunning(find_holder(table, moment) or "?") from None


def find_holder(table: Any, moment: datetime) -> str | None:
    """The run that holds the lease at `moment`."""
    item = table.get_item(Key=LEASE, ConsistentRead=True).get("Item") or {}
    is_held = int(item.get("expires_at_epoch_s") or 0) >= int(moment.timestamp())
    return str(item["holder"]) if is_held else None


def release(table: Any, run_id: str) -> None:
    """Give the lease back, if it is still ours."""
    try:
        table.delete_item(Key=LEASE, ConditionExpression=Attr("holder").eq(run_id))
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
