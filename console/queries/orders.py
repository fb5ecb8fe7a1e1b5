"""The latest orders: live ones from the orders table, history from the lake's order lines."""

import io
from datetime import datetime
from typing import Any

import polars as pl
from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import BotoCoreError, ClientError

from console.periods import Period
from console.queries import clients
from console.queries.edge import Unreachable
from console.queries.shared import shared
from console.settings import settings
from pipeline.contracts import keys
from pipeline.contracts.ids import order_number

SCHEMA: dict[str, Any] = {
    "order_id": pl.String,
    "number": pl.String,
    "placed_at": pl.Datetime("ms", "UTC"),
    "country": pl.String,
    "items": pl.Int64,
    "total_minor": pl.Int64,
    "currency": pl.String,
    "status": pl.String,
    "source": pl.String,
}
_MAX_DATES = 12
_PAGE = 400
_MAX_PAGES = 5
_LINES = "curated/order_lines/"


@shared(1.5, keep_s=20.0)
def live(period: Period, limit: int = 100) -> pl.DataFrame:
    """Orders placed in the shop itself, newest first; without those of load tests.

    Returns: DataFrame of SCHEMA (placed_at UTC, total in minor units incl. shipping and tax).
    Raises Unreachable.
    """
    condition = Key("listing").eq(keys.ORDERS) & Key("placed_at").between(
        period.first.isoformat(), period.until.isoformat()
    )
    request: dict[str, Any] = {
        "IndexName": "by_time",
        "KeyConditionExpression": condition,
        "FilterExpression": Attr("synthetic").ne(True),
        "ScanIndexForward": False,
        "Limit": limit,
    }
    orders = clients.table(settings().names.table("orders"))
    found: list[dict[str, Any]] = []
    try:
        for _ in range(_MAX_PAGES):
            page = orders.query(**request)
            found += page["Items"]
            if len(found) >= limit or "LastEvaluatedKey" not in page:
                break
            # Rows from before load tests had a listing of their own lie between the real ones.
            request |= {"ExclusiveStartKey": page["LastEvaluatedKey"], "Limit": _PAGE}
    except (BotoCoreError, ClientError) as error:
        raise Unreachable(f"The orders table does not answer ({type(error).__name__}).") from None
    return pl.DataFrame([_row(clients.plain(item)) for item in found[:limit]], schema=SCHEMA)


@shared(20.0, keep_s=600.0)
def history(period: Period, limit: int = 100) -> pl.DataFrame:
    """Replayed orders of the lake's curated lines, newest dates first, until there are enough.

    Returns: DataFrame of SCHEMA; the total is that of the lines, refunds are rows of their own.
    Raises Unreachable.
    """
    bucket = settings().names.lake_bucket
    try:
        parts: list[pl.DataFrame] = []
        count = 0
        for key in _keys(bucket, period)[:_MAX_DATES]:
            parts.append(_orders_of(bucket, key, limit))
            count += parts[-1].height
            if count >= limit:
                break
    except (BotoCoreError, ClientError, OSError, pl.exceptions.PolarsError) as error:
        raise Unreachable(f"The lake does not answer ({type(error).__name__}).") from None
    return pl.concat(parts).head(limit) if parts else pl.DataFrame(schema=SCHEMA)


def latest(period: Period, limit: int = 100) -> tuple[pl.DataFrame, str | None]:
    """(orders of both sources, newest first, each once; what could not be read or None)."""
    frames, missing = [], []
    for read in (live, history):
        try:
            frames.append(read(period, limit))
        except Unreachable as problem:
            missing.append(str(problem))
    if not frames:
        raise Unreachable(" ".join(missing))
    both = pl.concat(frames).unique("order_id", keep="first", maintain_order=True)
    return both.sort("placed_at", descending=True).head(limit), " ".join(missing) or None


def _keys(bucket: str, period: Period) -> list[str]:
    """Files of `dt=YYYY-MM-DD` inside the period, newest first; the listing starts at its edge."""
    pages = clients.quick("s3").get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix=_LINES, StartAfter=f"{_LINES}dt={period.first.isoformat()}"
    )  # fmt: skip
    end = f"{_LINES}dt={period.until.isoformat()}"
    found = [str(entry["Key"]) for page in pages for entry in page.get("Contents", [])]
    return sorted((key for key in found if key < end), reverse=True)


def _orders_of(bucket: str, key: str, limit: int) -> pl.DataFrame:
    body = clients.quick("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    is_refund = pl.col("kind") == "refund"
    return (
        pl.read_parquet(io.BytesIO(body))
        .filter(~pl.col("synthetic") & (pl.col("source") == "replay"))
        .group_by("order_id", "kind")
        .agg(
            pl.col("placed_at", "country", "currency", "source").first(),
            pl.col("quantity").sum().cast(pl.Int64).alias("items"),
            pl.col("line_total_minor").sum().cast(pl.Int64).alias("total_minor"),
        )
        .sort("placed_at", "order_id", descending=True)
        .head(limit)
        .select(
            "order_id",
            pl.col("order_id").map_elements(shown_number, return_dtype=pl.String).alias("number"),
            pl.col("placed_at").cast(SCHEMA["placed_at"]),
            "country",
            "items",
            "total_minor",
            "currency",
            pl.when(is_refund).then(pl.lit("refunded")).otherwise(pl.lit("placed")).alias("status"),
            "source",
        )
    )


def shown_number(order_id: str) -> str:
    """`replay:536365` is invoice 536365 of the order log; others are read aloud."""
    return order_id.partition(":")[2] if ":" in order_id else order_number(order_id)


def _row(item: dict[str, Any]) -> dict[str, Any]:
    placed = datetime.fromisoformat(str(item["placed_at"]))
    return {
        "order_id": str(item["order_id"]),
        "number": shown_number(str(item["order_id"])),
        "placed_at": placed,
        "country": str(item.get("country") or ""),
        "items": sum(int(line.get("quantity") or 0) for line in item.get("lines") or []),
        "total_minor": int(item.get("total_minor") or 0),
        "currency": str(item.get("currency") or ""),
        "status": str(item.get("status") or ""),
        "source": "live",
    }
