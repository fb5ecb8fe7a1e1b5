"""The log's products as archived goods of the catalogue, so that their names resolve."""

from pathlib import Path
from typing import Any

import polars as pl

from pipeline.contracts import keys
from pipeline.replay.categories import ROOT, category_of

DATA = Path(__file__).parent / "data"
# When the first of them was sold: they are not news.
_CREATED_AT = "2010-12-01T00:00:00.000Z"


def log_products(currency: str) -> list[dict[str, Any]]:
    """3,922 items of the products table, one per stock code of the log that was ever sold.

    The title is the log's most frequent description, the price the median of those paid, the
    category derived. They have no stock row and no `listing`, so no list and no search shows them.
    """
    frame = pl.read_parquet(DATA / "products_from_log.parquet")
    return [_item(row, currency) for row in frame.iter_rows(named=True)]


def _item(row: dict[str, Any], currency: str) -> dict[str, Any]:
    code, title = row["StockCode"], row["name"] or row["StockCode"]
    return {
        **keys.product(code),
        "product_id": code,
        "title": title,
        "description": "",
        "category": [ROOT, category_of(code, title)],
        "price_minor": max(1, round(row["median_price_gbp"] * 100)),
        "currency": currency,
        "review_count": 0,
        "created_at": _CREATED_AT,
        "changed_at": _CREATED_AT,
        "version": 1,
        "status": "archived",
        "featured": False,
        "variant_count": 0,
        "in_stock": False,
    }
