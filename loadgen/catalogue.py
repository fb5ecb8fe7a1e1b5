"""What shoppers look for and buy: real words and goods, read from the shop's own catalogue."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx

from loadgen.scenarios import correlation_prefix

_PAGES = 8
_TERMS = 60
_SHORTEST_WORD = 4
_TYPO_SHARE = 0.08


@dataclass(frozen=True, slots=True)
class Catalogue:
    """`terms` and `products` by falling popularity; `requests` is what it cost to read them."""

    terms: tuple[str, ...]
    categories: tuple[str, ...]
    products: tuple[str, ...]
    requests: int

    def term(self, rng: random.Random) -> str:
        """A word of a product's title, mistyped now and then."""
        word = _popular(self.terms, rng)
        if len(word) > _SHORTEST_WORD and rng.random() < _TYPO_SHARE:
            place = rng.randrange(1, len(word) - 1)
            word = word[:place] + word[place + 1 :]
        return word

    def product(self, rng: random.Random) -> str:
        return _popular(self.products, rng)

    def category(self, rng: random.Random) -> str:
        return _popular(self.categories, rng)


class EmptyShop(Exception):
    """There is nothing to look for: the catalogue is not seeded, or nothing is in stock."""


def read_catalogue(edge_url: str, run_id: str, *, one_product: bool) -> Catalogue:
    """About ten requests through the edge. Raises EmptyShop; httpx.HTTPError when it fails."""
    numbers = count()

    def get(path: str, **params: str) -> dict[str, Any]:
        marks = {
            "X-Synthetic": "1",
            "X-Correlation-Id": f"{correlation_prefix(run_id)}setup-{next(numbers)}",
        }
        answer = client.get(f"/api/catalog{path}", params=params, headers=marks)
        body: dict[str, Any] = answer.raise_for_status().json()
        return body

    with httpx.Client(base_url=edge_url, timeout=10, trust_env=False) as client:
        roots = get("/categories")["items"]
        largest = sorted(roots, key=lambda root: -int(root["count"]))[: _PAGES - 1]
        goods = get("/products", in_stock="true", page_size="48")["items"]
        for root in largest:
            goods += get(
                "/products", category=root["value"], in_stock="true", page_size="48", sort="rating"
            )["items"]
    products = tuple(dict.fromkeys(str(item["product_id"]) for item in goods))
    if not products:
        raise EmptyShop("The catalogue has nothing in stock to look for.")
    words = Counter(
        word
        for item in goods
        for word in str(item["title"]).lower().split()
        if len(word) >= _SHORTEST_WORD and word.isalpha()
    )
    terms = tuple(word for word, _ in words.most_common(_TERMS)) or ("gift",)
    categories = tuple(str(root["value"]) for root in largest) or ("",)
    if one_product:
        products = products[:1]
    return Catalogue(terms, categories, products, next(numbers))


def _popular(choices: Sequence[str], rng: random.Random) -> str:
    """Few are asked for often and many seldom: by the square of an even draw."""
    return choices[int(len(choices) * rng.random() ** 2)]
