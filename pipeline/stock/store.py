"""The products table: what a product's SKUs hold, and its flag `in_stock`. The list of low SKUs in
the ops table. And the event stream."""

from collections.abc import Sequence

from pipeline.contracts import keys
from pipeline.contracts.events import Envelope, to_iso_z
from pipeline.contracts.names import Names
from pipeline.runtime import aws
from pipeline.runtime.dynamo import Item, from_item, read_all, to_item
from pipeline.runtime.kinesis import Outgoing, put_all
from pipeline.stock.domain import StockChange

_READ_AT_ONCE = 100  # keys of one BatchGetItem


class ProductTable:
    def __init__(self, names: Names) -> None:
        self._table = names.table("products")

    def find_product(self, product_id: str) -> Item | None:
        """Strongly consistent."""
        answer = aws.client("dynamodb").get_item(
            TableName=self._table, Key=to_item(keys.product(product_id)), ConsistentRead=True
        )
        return from_item(answer["Item"]) if "Item" in answer else None

    def is_available(self, product_id: str) -> bool:
        """Whether any SKU can be bought. The index names the SKUs; it may lag with their numbers,
        so these are read from the table itself."""
        found = [keys.stock(sku) for sku in self._list_skus(product_id)]
        for start in range(0, len(found), _READ_AT_ONCE):
            rows = read_all({self._table: found[start : start + _READ_AT_ONCE]})
            if any(row["available"] > 0 for row in rows):
                return True
        return False

    def _list_skus(self, product_id: str) -> list[str]:
        pages = (
            aws.client("dynamodb")
            .get_paginator("query")
            .paginate(
                TableName=self._table,
                IndexName="by_product",
                KeyConditionExpression="product_id = :product AND sk = :stock",
                ExpressionAttributeValues=to_item({":product": product_id, ":stock": "STOCK"}),
                ProjectionExpression="sku",
            )
        )
        return [from_item(item)["sku"] for page in pages for item in page["Items"]]

    def set_in_stock(self, product_id: str, seen: Item, is_in_stock: bool, change_id: str) -> bool:
        """False if somebody changed the product, or checked its stock, since it was read.

        Each check counts, even one that changes nothing: of two that overlap, the one that read
        first cannot write last.
        """
        update = "ADD stock_checks :one"
        values: Item = {":one": 1}
        if seen.get("in_stock") != is_in_stock:
            listing = ", listing = :minute" if "listing" in seen else ""
            update = f"SET in_stock = :flag, changed_at = :new{listing} " + update
            values |= {":flag": is_in_stock, ":new": change_id}
            values |= {":minute": keys.listing(change_id)} if listing else {}
        conditions = ["attribute_exists(pk)"]
        for name in ("changed_at", "stock_checks"):
            if name in seen:
                conditions.append(f"{name} = :seen_{name}")
                values[f":seen_{name}"] = seen[name]
            else:
                conditions.append(f"attribute_not_exists({name})")
        client = aws.client("dynamodb")
        try:
            client.update_item(
                TableName=self._table,
                Key=to_item(keys.product(product_id)),
                UpdateExpression=update,
                ConditionExpression=" AND ".join(conditions),
                ExpressionAttributeValues=to_item(values),
            )
        except client.exceptions.ConditionalCheckFailedException:
            return False
        return True


class LowStockList:
    """Of the ops table, which the console reads."""

    def __init__(self, names: Names) -> None:
        self._table = names.table("ops")

    def put(self, change: StockChange, threshold: int) -> None:
        """As the row stands; `since` stays as it was first written."""
        row = change.row
        facts = {
            "sku": row["sku"],
            "product_id": row["product_id"],
            "title": row.get("title", ""),
            "options": dict(row.get("options", {})),
            "available": int(row["available"]),
            "threshold": threshold,
        }
        sets = ", ".join(f"#{name} = :{name}" for name in facts)
        aws.client("dynamodb").update_item(
            TableName=self._table,
            Key=to_item(keys.low_stock(row["sku"])),
            UpdateExpression=f"SET #since = if_not_exists(#since, :since), {sets}",
            ExpressionAttributeNames={f"#{name}": name for name in (*facts, "since")},
            ExpressionAttributeValues=to_item(
                {f":{name}": value for name, value in facts.items()}
                | {":since": to_iso_z(change.at)}
            ),
        )

    def remove(self, sku: str) -> None:
        aws.client("dynamodb").delete_item(TableName=self._table, Key=to_item(keys.low_stock(sku)))


class EventStream:
    """Kinesis: the partition key is the SKU, so that its movements stay in order."""

    def __init__(self, names: Names) -> None:
        self._name = names.events_stream

    def send(self, events: Sequence[Envelope]) -> None:
        """Raises NotAccepted after bounded retries, and boto3's errors."""
        outgoing = [
            Outgoing(event.partition_key, event.model_dump_json().encode()) for event in events
        ]
        put_all(aws.client("kinesis"), self._name, outgoing, attempts=5)
