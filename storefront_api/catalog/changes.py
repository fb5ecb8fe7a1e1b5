"""What an edit changed, in words for the audit trail."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline.contracts.categories import to_text
from pipeline.contracts.money import to_major
from storefront_api.catalog.domain import Product, StockRow

_LONGEST = 60  # characters of one value
_MOST = 1_000  # of all: an entry is to be read, not to be restored from
Goods = tuple[Product, Sequence[StockRow]]


def told(before: Goods, after: Goods) -> str:
    """`title "A" -> "B"; SKU-1 price 19.99 GBP -> 17.99 GBP`; `nothing` where all is the same."""
    text = "; ".join([*_of_product(before[0], after[0]), *_of_rows(before[1], after[1])])
    return f"{text[:_MOST]} …" if len(text) > _MOST else text or "nothing"


def _of_product(before: Product, after: Product) -> Iterator[str]:
    old, new = _facts(before), _facts(after)
    yield from (_change(name, old[name], new[name]) for name in old if old[name] != new[name])


def _facts(product: Product) -> Mapping[str, Any]:
    return {
        "title": product.title,
        "description": product.description,
        "category": to_text(product.category),
        "brand": product.brand,
        "picture": product.image_url,
        "tags": ", ".join(product.tags),
        "featured": product.featured,
    }


def _of_rows(before: Sequence[StockRow], after: Sequence[StockRow]) -> Iterator[str]:
    old, new = {row.sku: row for row in before}, {row.sku: row for row in after}
    yield from (f"{sku} gone" for sku in old if sku not in new)
    for sku, row in new.items():
        if sku not in old:
            yield f"{sku} new at {_price(row)}"
            continue
        if _price(old[sku]) != _price(row):
            yield f"{sku} price {_price(old[sku])} -> {_price(row)}"
        if old[sku].options != row.options:
            yield _change(f"{sku} options", _options(old[sku]), _options(row))


def _change(name: str, old: Any, new: Any) -> str:
    return f"{name} {_shown(old)} -> {_shown(new)}"


def _shown(value: Any) -> str:
    if not isinstance(value, str):
        return "none" if value is None else "yes" if value else "no"
    return f'"{value[:_LONGEST]}…"' if len(value) > _LONGEST else f'"{value}"'


def _price(row: StockRow) -> str:
    return f"{to_major(row.price_minor)} {row.currency}"


def _options(row: StockRow) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(row.options.items()))
