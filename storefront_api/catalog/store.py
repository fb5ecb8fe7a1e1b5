"""The products table: reads for pages and for the search index, and the operators' writes.

Every write is one transaction whose conditions decide; a clash with another writer is retried.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from ulid import ULID

from pipeline.contracts import keys
from pipeline.contracts.audit import Audit
from pipeline.contracts.names import Names
from pipeline.runtime import aws
from pipeline.runtime.batches import get_all
from pipeline.runtime.clock import now
from pipeline.runtime.dynamo import TransactionCancelled, transact
from pipeline.runtime.dynamo_json import AS_IT_CAME
from storefront_api.catalog import items
from storefront_api.catalog.domain import ARCHIVED, Adjustment, Product, Refused, StockRow
from storefront_api.catalog.items import Item

Action = dict[str, Any]
_INDEX = "by_change"
# A replica that could not read for longer reads all goods again.
_MAX_MINUTES = 30
_ULID_TIME = 10  # so many characters of a ULID are its time
IsNews = Callable[[str, str], bool]


class ProductStore:
    """DynamoDB's side of `service.Store`."""

    def __init__(self, names: Names) -> None:
        self._table = names.table("products")
        self._ops = names.table("ops")

    def changed_since(self, since: datetime | None, is_news: IsNews) -> Iterator[Product]:
        """Products changed at that time or later, and perhaps more; None means all.

        Of an import that is under way a minute holds tens of thousands: only ids and changes are
        asked for again and again, and goods only where `is_news(product_id, changed_at)`.
        """
        minutes = [] if since is None else _minutes(since, now())
        client, index = (
            aws.batch_client("dynamodb"),
            {"TableName": self._table, "IndexName": _INDEX},
        )
        if since is None or len(minutes) > _MAX_MINUTES:
            pages = client.get_paginator("scan").paginate(**index)
            for page in pages:
                yield from map(items.to_product, page["Items"])
            return
        for minute in minutes:
            pages = client.get_paginator("query").paginate(
                **index,
                KeyConditionExpression="listing = :minute AND changed_at >= :since",
                ExpressionAttributeValues={
                    ":minute": {"S": keys.change_minute(minute)},
                    ":since": {"S": str(ULID.from_datetime(since))[:_ULID_TIME]},
                },
                ProjectionExpression="product_id, changed_at",
            )
            for page in pages:
                seen = [
                    (item["product_id"]["S"], item["changed_at"]["S"]) for item in page["Items"]
                ]
                yield from self._read([each for each, change in seen if is_news(each, change)])

    def _read(self, product_ids: Sequence[str]) -> Iterator[Product]:
        wanted = (items.encode(keys.product(each)) for each in product_ids)
        client = aws.batch_client("dynamodb")
        yield from map(items.to_product, get_all(client, self._table, wanted, ConsistentRead=True))

    def ask(self, product_id: str) -> bytes:
        """What the table says of a product and its variants, word for word, for `read`;
        eventually consistent."""
        answer = aws.prompt_client("dynamodb").query(
            TableName=self._table,
            IndexName="by_product",
            KeyConditionExpression="product_id = :id",
            ExpressionAttributeValues={":id": {"S": product_id}},
        )
        told: bytes = answer[AS_IT_CAME]
        return told

    def read(self, told: bytes) -> tuple[Product, list[StockRow]] | None:
        """A product with its variants in order."""
        product, rows = None, []
        for item in msgspec.json.decode(told)["Items"]:
            if item["sk"]["S"] == "META":
                product = items.to_product(item)
            else:
                rows.append(items.to_stock(item))
        return None if product is None else (product, sorted(rows, key=lambda row: row.position))

    def find_current(self, product_id: str) -> Product | None:
        item = self._get(keys.product(product_id))
        return items.to_product(item) if item else None

    def find_stock(self, sku: str) -> StockRow | None:
        item = self._get(keys.stock(sku))
        return items.to_stock(item) if item else None

    def create(self, product: Product, rows: Sequence[StockRow], audit: Audit) -> None:
        """Raises Refused; `at` counts the product as 0 and its rows from 1."""
        written = [items.from_product(product), *(items.from_stock(row, product) for row in rows)]
        self._transact([*map(self._put_new, written), self._audit(audit)])

    def replace(
        self,
        product: Product,
        kept: Sequence[StockRow],
        added: Sequence[StockRow],
        dropped: Sequence[StockRow],
        audit: Audit,
    ) -> None:
        """Write an edited product over the version before it; stock of kept rows is not touched.

        Raises Refused; `at` counts the product as 0, then kept, added and dropped rows.
        """
        updates = [self._update_row(row, product) for row in kept]
        puts = [self._put_new(items.from_stock(row, product)) for row in added]
        deletes = [self._delete_unused(row) for row in dropped]
        is_same_range = not added and not dropped
        meta = self._update_product(product, with_stock_flag=not is_same_range)
        self._transact([meta, *updates, *puts, *deletes, self._audit(audit)])

    def archive(self, product: Product, rows: Sequence[StockRow], audit: Audit) -> None:
        """Take a product off sale and withdraw what is available; what is held or sold stays.

        Raises Refused; `at` counts the product as 0 and its rows from 1.
        """
        withdrawals = [
            self._update(
                keys.stock(row.sku),
                "SET received = received - :left, available = :none, #status = :archived",
                "available = :left",
                {":left": row.available, ":none": 0, ":archived": ARCHIVED},
                {"#status": "status"},
            )
            for row in rows
        ]
        self._transact(
            [
                self._update_product(product, with_stock_flag=True),
                *withdrawals,
                self._audit(audit),
            ]
        )

    def adjust(self, row: StockRow, adjustment: Adjustment, change: str, audit: Audit) -> None:
        """Raises Refused with `at` 0 when the stock would fall below zero, 1 when off sale."""
        delta = adjustment.delta
        stock = self._update(
            keys.stock(row.sku),
            "SET available = available + :delta, received = received + :delta, adjustment = :note",
            "available >= :needed",
            {":delta": delta, ":needed": max(0, -delta), ":note": adjustment.to_note()},
        )
        # Back in stock is certain here; whether nothing is left, the stock function finds out.
        flag = ", in_stock = :yes" if delta > 0 else ""
        meta = self._update(
            keys.product(row.product_id),
            f"SET changed_at = :change, listing = :minute{flag}",
            "#status <> :archived",
            {":change": change, ":minute": keys.listing(change), ":archived": ARCHIVED}
            | ({":yes": True} if flag else {}),
            {"#status": "status"},
        )
        self._transact([stock, meta, self._audit(audit)])

    def check(self) -> None:
        """Raises when the table does not answer."""
        aws.client("dynamodb").get_item(
            TableName=self._table, Key=items.encode({"pk": "-", "sk": "-"})
        )

    def _get(self, key: keys.Key) -> Item | None:
        answer = aws.client("dynamodb").get_item(
            TableName=self._table, Key=items.encode(key), ConsistentRead=True
        )
        found: Item | None = answer.get("Item")
        return found

    def _put_new(self, item: Item) -> Action:
        condition = "attribute_not_exists(pk)"
        return {"Put": {"TableName": self._table, "Item": item, "ConditionExpression": condition}}

    def _update_product(self, product: Product, with_stock_flag: bool) -> Action:
        """Every edited attribute, over the version before; a product without a picture has none."""
        item = items.from_product(product)
        edited = ["title", "description", "category", "brand", "image_url", "images", "tags"]
        edited += ["price_minor", "currency", "changed_at", "listing", "version", "status"]
        edited += ["featured", "variant_count", "options", "content", "imported"]
        edited += ["in_stock"] if with_stock_flag else []
        present = [name for name in edited if name in item]
        absent = [name for name in edited if name not in item]
        expression = "SET " + ", ".join(f"#{name} = :{name}" for name in present)
        if absent:
            expression += " REMOVE " + ", ".join(f"#{name}" for name in absent)
        action = self._update(
            keys.product(product.product_id),
            expression,
            "#version = :expected",
            {":expected": product.version - 1},
            {f"#{name}": name for name in edited},
        )
        action["Update"]["ExpressionAttributeValues"] |= {f":{n}": item[n] for n in present}
        return action

    def _update_row(self, row: StockRow, product: Product) -> Action:
        item = items.from_stock(row, product)
        copied = ["position", "options", "title", "category", "price_minor", "currency"]
        copied += ["image_url"] if "image_url" in item else []
        expression = "SET " + ", ".join(f"#{name} = :{name}" for name in copied)
        action = self._update(
            keys.stock(row.sku),
            expression + ("" if "image_url" in item else " REMOVE image_url"),
            "product_id = :product_id",
            {":product_id": row.product_id},
            {f"#{name}": name for name in copied},
        )
        action["Update"]["ExpressionAttributeValues"] |= {f":{name}": item[name] for name in copied}
        return action

    def _delete_unused(self, row: StockRow) -> Action:
        return {
            "Delete": {
                "TableName": self._table,
                "Key": items.encode(keys.stock(row.sku)),
                "ConditionExpression": "held = :none AND sold = :none",
                "ExpressionAttributeValues": {":none": {"N": "0"}},
            }
        }

    def _update(
        self,
        key: keys.Key,
        expression: str,
        condition: str,
        values: dict[str, Any],
        names: dict[str, str] | None = None,
    ) -> Action:
        return {
            "Update": {
                "TableName": self._table,
                "Key": items.encode(key),
                "UpdateExpression": expression,
                "ConditionExpression": f"attribute_exists(pk) AND {condition}",
                "ExpressionAttributeValues": items.encode(values),
                **({"ExpressionAttributeNames": names} if names else {}),
            }
        }

    def _audit(self, audit: Audit) -> Action:
        return {"Put": {"TableName": self._ops, "Item": items.encode(audit.to_item())}}

    def _transact(self, actions: list[Action]) -> None:
        try:
            transact(actions)
        except TransactionCancelled as cancelled:
            raise Refused(min(cancelled.failed)) from None


def _minutes(first: datetime, last: datetime) -> list[datetime]:
    """Both included, and one more: another writer's clock may be a little ahead."""
    begin = first.replace(second=0, microsecond=0)
    count = max(0, int((last - begin) / timedelta(minutes=1))) + 2
    return [begin + timedelta(minutes=number) for number in range(count)]
