"""Goods of which few units are left: the list that the stock function keeps."""

from typing import Any

import polars as pl
from boto3.dynamodb.conditions import Key
from botocore.exceptions import BotoCoreError, ClientError

from console.queries import clients
from console.queries.edge import Unreachable
from console.queries.shared import shared
from console.settings import settings
from pipeline.contracts import keys

SCHEMA: dict[str, Any] = {
    "sku": pl.String,
    "product_id": pl.String,
    "title": pl.String,
    "options": pl.String,
    "available": pl.Int64,
    "threshold": pl.Int64,
    "since": pl.Datetime("ms", "UTC"),
}
MOST = 10_000


@shared(3.0, keep_s=20.0)
def find() -> pl.DataFrame:
    """The SKUs with the fewest units first, then those that are low for longest; at most 10,000.

    Returns: DataFrame of SCHEMA (`options` in words). Raises Unreachable.
    """
    request: dict[str, Any] = {
        "KeyConditionExpression": Key("pk").eq(keys.low_stock("")["pk"]),
        "Limit": MOST,
    }
    ops = clients.table(settings().names.table("ops"))
    found: list[dict[str, Any]] = []
    try:
        while len(found) < MOST:
            page = ops.query(**request)
            found += page["Items"]
            if "LastEvaluatedKey" not in page:
                break
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]
    except (BotoCoreError, ClientError) as error:
        raise Unreachable(
            f"The table of operations does not answer ({type(error).__name__})."
        ) from None
    rows = [_row(item) for item in found[:MOST]]
    frame = pl.DataFrame(rows, SCHEMA | {"since": pl.String}, orient="row")
    return frame.with_columns(pl.col("since").str.to_datetime("%+", time_unit="ms")).sort(
        "available", "since", "sku"
    )


def _row(item: dict[str, Any]) -> tuple[Any, ...]:
    options = ", ".join(f"{name} {value}" for name, value in sorted(item["options"].items()))
    return (
        item["sku"], item["product_id"], item["title"], options, int(item["available"]),
        int(item["threshold"]), item["since"],
    )  # fmt: skip
