"""One load run at a time, across every console and command line: a lease in the `ops` table."""

from datetime import datetime
from typing import Any

from boto3.dynamodb.conditions import Attr
from botocore.exceptions import ClientError

from pipeline.contracts import keys

LEASE = keys.lease("load")
TTL_S = 15


class AlreadyRunning(Exception):
    """Somebody else's run holds the lease; `holder` is its run id."""

    def __init__(self, holder: str) -> None:
        super().__init__(f"load run {holder} is still going")
        self.holder = holder


def take(table: Any, run_id: str, moment: datetime) -> None:
    """Take or renew the lease for `run_id`; a holder that died loses it after TTL_S seconds.

    Raises: AlreadyRunning.
    """
    epoch_s = int(moment.timestamp())
    try:
        table.put_item(
            Item={**LEASE, "holder": run_id, "expires_at_epoch_s": epoch_s + TTL_S},
            ConditionExpression=Attr("pk").not_exists()
            | Attr("expires_at_epoch_s").lt(epoch_s)
            | Attr("holder").eq(run_id),
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        holder = table.get_item(Key=LEASE, ConsistentRead=True).get("Item", {}).get("holder", "?")
        raise AlreadyRunning(str(holder)) from None


def release(table: Any, run_id: str) -> None:
    """Give the lease back, if it is still ours."""
    try:
        table.delete_item(Key=LEASE, ConditionExpression=Attr("holder").eq(run_id))
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
