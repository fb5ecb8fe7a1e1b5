"""Domain values as the JSON of `models`, without validating on every read what was validated on
the way in; a test holds the two together."""

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from pipeline.contracts.categories import to_text
from storefront_api.catalog.domain import Product, StockRow
from storefront_api.catalog.search import Page, Suggestion

Plain = dict[str, Any]


def money(amount_minor: int, currency: str) -> Plain:
    return {"amount_minor": amount_minor, "currency": currency}


def card(product: Product) -> Plain:
    return {
        "product_id": product.product_id,
        "title": product.title,
        "price": money(product.price_minor, product.currency),
        "image_url": product.image_url,
        "rating": None if product.rating is None else float(product.rating),
        "review_count": product.review_count,
        "in_stock": product.in_stock,
        "category": list(product.category),
    }


def suggestions(found: Sequence[Suggestion]) -> list[Plain]:
    return [
        {"text": text, "kind": kind, "product_id": product_id} for text, kind, product_id in found
    ]


def page(found: Page, instead: Sequence[Suggestion], took_ms: float) -> Plain:
    return {
        "items": [card(product) for product in found.products],
        "facets": {
            "category": [
                {"value": to_text(path), "count": count} for path, count in found.facets.category
            ],
            "price": [
                {
                    "value": band.value,
                    "from_minor": band.from_minor,
                    "to_minor": band.to_minor,
                    "count": count,
                }
                for band, count in found.facets.price
            ],
            "in_stock": found.facets.in_stock,
            "options": [
                {
                    "name": name,
                    "values": [{"value": value, "count": count} for value, count in values],
                }
                for name, values in found.facets.options
            ],
        },
        "suggestions": suggestions(instead),
        "total": found.total,
        "next_cursor": found.next_cursor,
        "took_ms": took_ms,
    }


def detail(product: Product, rows: Sequence[StockRow]) -> Plain:
    """`in_stock` is what the variants say, which is newer than what the product remembers."""
    return {
        **card(product),
        "in_stock": product.is_active and any(row.available for row in rows),
        "description": product.description,
        "images": list(product.images),
        "brand": product.brand,
        "featured": product.featured,
        "status": product.status,
        "version": product.version,
        "variants": [
            {
                "sku": row.sku,
                "options": dict(row.options),
                "price": money(row.price_minor, row.currency),
                "available": row.available if product.is_active else 0,
            }
            for row in rows
        ],
    }


def as_listed(product: Product) -> Plain:
    """A page of what lists know of a product, which is not its variants."""
    return {**detail(product, []), "in_stock": product.is_active and product.in_stock}


def stock(row: StockRow) -> Plain:
    return {
        "sku": row.sku,
        "product_id": row.product_id,
        "received": row.received,
        "available": row.available,
        "held": row.held,
        "sold": row.sold,
    }


def tree(counts: Sequence[tuple[tuple[str, ...], int]]) -> list[Plain]:
    """Paths with their counts, parents before children, as nested nodes."""
    nodes: dict[tuple[str, ...], Plain] = {(): {"children": []}}
    for path, count in counts:
        node = {"value": to_text(path), "name": path[-1], "count": count, "children": []}
        nodes[path] = node
        nodes[path[:-1]]["children"].append(node)
    roots: list[Plain] = nodes[()]["children"]
    return roots


def to_json(body: Plain) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def body_etag(body: bytes) -> str:
    return f'W/"{_digest(body)}"'


def detail_etag(product: Product, body: bytes) -> str:
    """`"<version>-<digest>"`: edits compare the version, caches the whole."""
    return f'"{product.version}-{_digest(body)}"'


def _digest(body: bytes) -> str:
    return sha256(body).hexdigest()[:12]
