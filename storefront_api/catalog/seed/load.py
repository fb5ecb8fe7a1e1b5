"""Writes the goods to the table: what is absent, never over what is there."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from pipeline.contracts.events import to_iso_z
from pipeline.contracts.names import Names
from pipeline.runtime import aws
from pipeline.runtime.batches import write_all
from pipeline.runtime.clock import new_id, now
from storefront_api.catalog import items
from storefront_api.catalog.domain import with_range
from storefront_api.catalog.items import Item
from storefront_api.catalog.seed.sources import Goods

_THREADS = 4
_MARKER = {"pk": "SEED#catalogue", "sk": "STATE"}


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many rows were absent and are now written."""

    products: int
    skus: int


def find_marker(names: Names) -> dict[str, Any] | None:
    """What the last complete seed wrote: {limit, products, at}."""
    answer = aws.batch_client("dynamodb").get_item(
        TableName=names.table("ops"), Key=items.encode(_MARKER), ConsistentRead=True
    )
    return items.decode(answer["Item"]) if "Item" in answer else None


def load(names: Names, goods: list[Goods], limit: int) -> Loaded:
    """Stock rows first, then the products, so that nothing is listed before it can be bought.

    Existing rows are left as they are: their stock may already have been sold from. The marker is
    written last, so a seed that was cut short goes on where it stopped.
    """
    table = names.table("products")
    present = set(_present_keys(table))
    stock = [
        items.from_stock(row, product, "seed")
        for product, rows in goods
        for row in rows
        if f"SKU#{row.sku}" not in present
    ]
    _write(table, stock)
    products = [
        items.from_product(replace(with_range(product, rows), changed_at=new_id()))
        for product, rows in goods
        if f"PRODUCT#{product.product_id}" not in present
    ]
    _write(table, products)
    written = Loaded(len(products), len(stock))
    marker = {"limit": limit, "products": len(goods), "at": to_iso_z(now())}
    aws.batch_client("dynamodb").put_item(
        TableName=names.table("ops"), Item=items.encode({**_MARKER, **marker})
    )
    return written


def _present_keys(table: str) -> Iterator[str]:
    pages = aws.batch_client("dynamodb").get_paginator("scan")
    for page in pages.paginate(TableName=table, ProjectionExpression="pk", ConsistentRead=True):
        for item in page["Items"]:
            yield item["pk"]["S"]


def _write(table: str, rows: Iterable[Item]) -> None:
    puts = ({"PutRequest": {"Item": item}} for item in rows)
    write_all(aws.batch_client("dynamodb"), table, puts, threads=_THREADS)
