"""What shoppers type finds what they mean, on the whole seeded catalogue (`data/search_golden`)."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from storefront_api.catalog.domain import Filters, Product, Sort
from storefront_api.catalog.search import SearchIndex, View
from storefront_api.catalog.seed.sources import livostyle, outdoor

GOLDEN = tomllib.loads(Path(__file__).with_name("data").joinpath("search_golden.toml").read_text())
LEAST_MEAN_RECIPROCAL_RANK = 0.85


@pytest.fixture(scope="module")
def view() -> View:
    index = SearchIndex()
    index.apply(product for source in (livostyle, outdoor) for product, _ in source("GBP"))
    return index.view


def test_the_first_good_answer_is_near_the_top(view: View) -> None:
    """Mean reciprocal rank over all queries, and of no kind far below the rest."""
    ranks = {
        kind: {query: reciprocal_rank(view, query, wanted) for query, wanted in queries.items()}
        for kind, queries in GOLDEN.items()
    }
    every = [rank for of_kind in ranks.values() for rank in of_kind.values()]
    means = {kind: sum(of_kind.values()) / len(of_kind) for kind, of_kind in ranks.items()}
    poor = {q: round(r, 2) for of_kind in ranks.values() for q, r in of_kind.items() if r < 0.5}
    assert len(every) >= 60
    assert sum(every) / len(every) >= LEAST_MEAN_RECIPROCAL_RANK, (means, poor)
    assert min(means.values()) >= 0.7, (means, poor)


def reciprocal_rank(view: View, query: str, wanted: dict[str, Any]) -> float:
    """One over the place of the first product meant among the first page's; 0 without one."""
    page = view.list_page(Filters(text=query), Sort.RELEVANCE, 24, None)
    if wanted.get("none"):
        return float(page.total == 0)
    places = (at for at, product in enumerate(page.products, start=1) if is_meant(product, wanted))
    return 1 / next(places, float("inf"))


def is_meant(product: Product, wanted: dict[str, Any]) -> bool:
    if "ids" in wanted:
        return product.product_id in wanted["ids"]
    if "category" in wanted:
        path = tuple(wanted["category"].split(" > "))
        return product.category[: len(path)] == path
    return re.search(wanted["title"], product.title, re.IGNORECASE) is not None
