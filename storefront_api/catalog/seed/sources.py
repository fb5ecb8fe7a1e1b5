"""The two source catalogues as products with their stock rows."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zlib import crc32

import polars as pl

from pipeline.contracts.events import to_iso_z
from pipeline.contracts.money import to_minor
from storefront_api.catalog.domain import Product, StockRow, lowest_price
from storefront_api.catalog.seed import categories

Goods = tuple[Product, list[StockRow]]
HERE = Path(__file__).parent

# Tags that say something of the supplier or of its shop's housekeeping, not of the goods.
_NOT_TAGS = {"issues", "ship from overseas", "ship from usa"}
_MAX_TAGS = 20
_OUTDOOR_LISTED_AT = datetime(2026, 5, 1, 9, 0, tzinfo=UTC)
_SHOE_SIZES = tuple(f"UK {size}" for size in range(4, 13))
_CLOTHING_SIZES = ("XS", "S", "M", "L", "XL", "XXL")
_FITTED_SIZES = ("S", "M", "L")


def livostyle(currency: str, limit: int | None = None) -> Iterator[Goods]:
    """Real goods with synthetic variants; `limit` picks that many, evenly, always the same."""
    products = pl.read_parquet(HERE / "livostyle" / "products.parquet").sort("product_id")
    if limit is not None and limit < products.height:
        products = products[[index * products.height // limit for index in range(limit)]]
    variants = pl.read_parquet(HERE / "livostyle" / "variants_synthetic.parquet").sort("sku")
    rows_of = variants.partition_by("product_id", as_dict=True)
    for source in products.iter_rows(named=True):
        product_id = f"LV-{source['product_id']}"
        rows = [
            _livostyle_row(product_id, position, row, currency)
            for position, row in enumerate(
                rows_of[(source["product_id"],)].iter_rows(named=True), start=1
            )
        ]
        yield _livostyle_product(product_id, source, rows, currency), rows


def _livostyle_product(
    product_id: str, source: dict[str, Any], rows: list[StockRow], currency: str
) -> Product:
    image = f"/images/livostyle/{source['image']}"
    rating = source["review_rating"]
    tags = [tag.strip().lower() for tag in source["tags"] or ()]
    return Product(
        product_id=product_id,
        title=source["title"].strip(),
        description=source["description"].strip(),
        category=categories.fashion(source["category_path"]),
        price_minor=lowest_price(rows),
        currency=currency,
        created_at=to_iso_z(source["created_at"].replace(tzinfo=UTC)),
        changed_at="",
        brand="Livostyle",
        image_url=image,
        images=(image,),
        tags=tuple(dict.fromkeys(tag for tag in tags if tag and tag not in _NOT_TAGS))[:_MAX_TAGS],
        rating=None if rating is None else Decimal(str(rating)),
        review_count=source["review_count"] or 0,
        variant_count=len(rows),
        in_stock=any(row.available for row in rows),
    )


def _livostyle_row(
    product_id: str, position: int, source: dict[str, Any], currency: str
) -> StockRow:
    options = {}
    for axis in ("option1", "option2"):
        name, value = source[f"{axis}_name"], source[f"{axis}_value"]
        if name == "size_us":
            name, value = "size", f"US {value}"
        options[name] = value
    return StockRow.new(
        product_id,
        source["sku"],
        position,
        options,
        source["price_cents"],
        currency,
        source["stock"],
    )


def outdoor(currency: str) -> Iterator[Goods]:
    """The featured goods; sizes, stock and the day they were listed are synthetic."""
    products = pl.read_parquet(HERE / "outdoor" / "products.parquet")
    for number, source in enumerate(products.iter_rows(named=True)):
        product_id = f"OD-{int(source['product_id'].removeprefix('eshop:')):03d}"
        price_minor = int(to_minor(str(source["price"])))
        rows = list(_outdoor_rows(product_id, source, price_minor, currency))
        image = f"/images/outdoor/{source['primary_image']}"
        yield (
            Product(
                product_id=product_id,
                title=source["name"].strip(),
                description=source["description"].strip(),
                category=categories.outdoor(source["category"]),
                price_minor=price_minor,
                currency=currency,
                created_at=to_iso_z(_OUTDOOR_LISTED_AT + timedelta(minutes=number)),
                changed_at="",
                brand=source["brand"],
                image_url=image,
                images=(image,),
                featured=True,
                variant_count=len(rows),
                in_stock=any(row.available for row in rows),
            ),
            rows,
        )


def _outdoor_rows(
    product_id: str, source: dict[str, Any], price_minor: int, currency: str
) -> Iterator[StockRow]:
    sizes = _sizes(source["category"], source["name"])
    if not sizes:
        stock = 5 + crc32(product_id.encode()) % 96
        yield StockRow.new(product_id, product_id, 1, {}, price_minor, currency, stock)
    for position, size in enumerate(sizes, start=1):
        sku = f"{product_id}-{size.replace('UK ', '')}"
        stock = crc32(sku.encode()) % 60
        yield StockRow.new(product_id, sku, position, {"size": size}, price_minor, currency, stock)


def _sizes(category: str, name: str) -> tuple[str, ...]:
    words = name.lower()
    if category == "Footwear" or "shoes" in words or "boots" in words:
        return _SHOE_SIZES
    if category == "Jackets" or "jersey" in words:
        return _CLOTHING_SIZES
    if "helmet" in words or "harness" in words:
        return _FITTED_SIZES
    return ()
