"""Products and stock rows as DynamoDB items and back; shapes are in docs/architecture.md."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pipeline.contracts import keys
from storefront_api.catalog.domain import Product, StockRow

Item = dict[str, dict[str, Any]]


def from_product(product: Product) -> Item:
    """The META item; attributes that have no value are left out."""
    return encode(
        {
            **keys.product(product.product_id),
            "product_id": product.product_id,
            "title": product.title,
            "description": product.description,
            "category": list(product.category),
            "brand": product.brand,
            "image_url": product.image_url,
            "images": list(product.images),
            "tags": list(product.tags),
            "price_minor": product.price_minor,
            "currency": product.currency,
            "rating": None if product.rating is None else str(product.rating),
            "review_count": product.review_count,
            "created_at": product.created_at,
            "changed_at": product.changed_at,
            "version": product.version,
            "status": product.status,
            "featured": product.featured,
            "variant_count": product.variant_count,
            "in_stock": product.in_stock,
            "options": {name: list(values) for name, values in product.options.items()},
            "content": product.content,
            "imported": product.imported,
            "listing": keys.listing(product.changed_at),
        }
    )


def to_product(item: Item) -> Product:
    plain = decode(item)
    rating = plain.get("rating")
    return Product(
        product_id=plain["product_id"],
        title=plain["title"],
        description=plain.get("description", ""),
        category=tuple(plain.get("category", ())),
        price_minor=plain.get("price_minor", 0),
        currency=plain.get("currency", ""),
        created_at=plain.get("created_at", ""),
        changed_at=plain.get("changed_at", ""),
        brand=plain.get("brand"),
        image_url=plain.get("image_url"),
        images=tuple(plain.get("images", ())),
        tags=tuple(plain.get("tags", ())),
        rating=None if rating is None else Decimal(str(rating)),
        review_count=plain.get("review_count", 0),
        version=plain.get("version", 1),
        status=plain.get("status", "active"),
        featured=plain.get("featured", False),
        variant_count=plain.get("variant_count", 0),
        in_stock=plain.get("in_stock", False),
        options={name: tuple(values) for name, values in plain.get("options", {}).items()},
        content=plain.get("content"),
        imported=plain.get("imported"),
    )


def from_stock(row: StockRow, product: Product, entered: str = "operator") -> Item:
    """The STOCK item; it repeats of its product what a cart and an order line show.

    `entered` is who put the goods on the shelf: of a `seed` no event tells.
    """
    return encode(
        {
            **keys.stock(row.sku),
            "product_id": row.product_id,
            "sku": row.sku,
            "position": row.position,
            "options": dict(row.options),
            "title": product.title,
            "category": list(product.category),
            "image_url": product.image_url,
            "price_minor": row.price_minor,
            "currency": row.currency,
            "received": row.received,
            "available": row.available,
            "held": row.held,
            "sold": row.sold,
            "status": product.status,
            "entered": entered,
        }
    )


def to_stock(item: Item) -> StockRow:
    """What it repeats of its product is left unread: a page has dozens of rows."""
    return StockRow(
        product_id=item["product_id"]["S"],
        sku=item["sku"]["S"],
        position=int(item["position"]["N"]) if "position" in item else 0,
        options=decode(item["options"]["M"]) if "options" in item else {},
        price_minor=int(item["price_minor"]["N"]),
        currency=item["currency"]["S"],
        received=int(item["received"]["N"]),
        available=int(item["available"]["N"]),
        held=int(item["held"]["N"]),
        sold=int(item["sold"]["N"]),
    )


def encode(plain: Mapping[str, Any]) -> Item:
    """Plain values to attribute values. boto3's own serialiser takes four times as long, which
    a seed of 100,000 rows feels; whole numbers are int here, never Decimal."""
    return {name: _encoded(value) for name, value in plain.items() if value is not None}


def _encoded(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, int):
        return {"N": str(value)}
    if isinstance(value, dict):
        return {"M": encode(value)}
    if isinstance(value, list):
        return {"L": [_encoded(part) for part in value]}
    raise TypeError(f"cannot store a {type(value).__name__}")


def decode(item: Item) -> dict[str, Any]:
    return {name: _decoded(value) for name, value in item.items()}


def _decoded(attribute: dict[str, Any]) -> Any:
    ((kind, value),) = attribute.items()
    if kind == "N":
        return int(value) if value.lstrip("-").isdigit() else Decimal(value)
    if kind == "M":
        return decode(value)
    if kind == "L":
        return [_decoded(part) for part in value]
    return None if kind == "NULL" else value
