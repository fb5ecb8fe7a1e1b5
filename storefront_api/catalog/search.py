"""The search index of a replica: what may be found, and the one state requests read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import islice

import numpy as np

from pipeline.contracts.categories import to_text
from pipeline.contracts.errors import Unavailable
from pipeline.runtime.insights import Insights
from storefront_api.catalog import cursor as cursors
from storefront_api.catalog.domain import Filters, Product, Sort
from storefront_api.catalog.shelf import Facets, Shelf
from storefront_api.catalog.text_index import Reader, TextIndex

MAX_RELATED = 8
MAX_SUGGESTIONS = 8
_MAX_SUGGESTED_NAMES = 2
_MAX_QUERIES, _LOOKED_AT = 3, 6
_MAX_NEAR, _MAX_DEPARTMENTS = 3, 5


@dataclass(frozen=True, slots=True)
class Page:
    products: list[Product]
    facets: Facets
    total: int
    next_cursor: str | None


Suggestion = tuple[str, str, str | None]


@dataclass(frozen=True, slots=True)
class View:
    """Shelf and text of one moment; `generation` is equal on replicas that hold equal goods."""

    shelf: Shelf
    reader: Reader
    ordinal_of: dict[str, int]
    generation: str
    insights: Insights = field(default_factory=Insights)

    def list_page(self, filters: Filters, sort: Sort, size: int, cursor: str | None) -> Page:
        """One page; raises Unprocessable for a cursor that is not of this list."""
        after = cursors.decode(cursor, filters, sort) if cursor else None
        plan, found, text = "", None, None
        if filters.text:
            plan = after.plan if after else self.reader.plan(filters.text)
            found = self.reader.find(filters.text, plan)
            text = np.zeros(len(self.shelf.products), bool)
            text[found.ordinals] = True
        mask, facets = self.shelf.matching(filters, text)
        ranking = found if sort is Sort.RELEVANCE else None
        if ranking is not None:
            kept = mask[ranking.ordinals]
            ordinals = self.shelf.ranked(
                ranking.ordinals[kept], ranking.scores[kept], after, size + 1
            )
        else:
            ordinals = self.shelf.ordered(mask, sort, after, size + 1)
        following = None
        if len(ordinals) > size:  # one more than the page was asked for
            last = int(ordinals[size - 1])
            score = None if ranking is None else ranking.score_of(last)
            position = self.shelf.position(last, sort, score, plan)
            following = cursors.encode(position, filters, sort)
        products = [self.shelf.products[ordinal] for ordinal in ordinals[:size]]
        return Page(products, facets, int(np.count_nonzero(mask)), following)

    def find_product(self, product_id: str) -> Product | None:
        """The product as lists know it, archived or not."""
        ordinal = self.ordinal_of.get(product_id)
        return None if ordinal is None else self.shelf.products[ordinal]

    def instead(self, text: str) -> list[Suggestion]:
        """What to look for when a text finds nothing: goods of nearly that name, and what the shop
        has most of. (text, kind, product id of a product.)"""
        near = (self.shelf.products[at] for at in self.reader.find_near(text, _MAX_NEAR))
        found: list[Suggestion] = [(each.title, "product", each.product_id) for each in near]
        largest = sorted(self.shelf.count_paths(), key=lambda counted: -counted[1])
        found += [(to_text(path), "category", None) for path, _ in largest[:_MAX_DEPARTMENTS]]
        return found

    def suggest(self, text: str) -> list[Suggestion]:
        """(text, kind, product id of a product) of at most 8: what others look for, categories,
        brands, and then goods."""
        wanted = text.casefold()
        if not wanted:
            return []
        asked = (q for q in self.insights.queries if q.startswith(wanted) and q != wanted)
        popular = filter(self.reader.has, islice(asked, _LOOKED_AT))
        found: list[Suggestion] = [(q, "query", None) for q in islice(popular, _MAX_QUERIES)]
        paths = (path for path, _ in self.shelf.count_paths() if _begins_a_word(path[-1], wanted))
        found += [(to_text(path), "category", None) for path in islice(paths, _MAX_SUGGESTED_NAMES)]
        brands = (brand for brand in self.shelf.brands if _begins_a_word(brand, wanted))
        found += [(brand, "brand", None) for brand in islice(brands, _MAX_SUGGESTED_NAMES)]
        rest = MAX_SUGGESTIONS - len(found)
        page = self.list_page(Filters(text=text), Sort.RELEVANCE, rest, None)
        found += [(product.title, "product", product.product_id) for product in page.products]
        return found

    def related(self, product_id: str) -> list[Product] | None:
        """What is bought with it, then its neighbours; None for one that was never on sale."""
        ordinal = self.ordinal_of.get(product_id)
        if ordinal is None:
            return None
        others = map(self.find_product, self.insights.bought_with.get(product_id, ()))
        bought = [each for each in others if each and each.is_active and each.in_stock]
        known = {each.product_id for each in bought}
        near = self.shelf.related(ordinal, MAX_RELATED)
        return (bought + [each for each in near if each.product_id not in known])[:MAX_RELATED]


class SearchIndex:
    """Applies changes from one thread; requests read `view`, which is replaced whole."""

    def __init__(self) -> None:
        self._text = TextIndex()
        self._products: list[Product] = []
        self._ordinal_of: dict[str, int] = {}
        self._fingerprint = 0
        self._insights = Insights()
        self._view: View | None = None

    @property
    def is_built(self) -> bool:
        return self._view is not None

    @property
    def view(self) -> View:
        if self._view is None:
            raise Unavailable("The search index is being built", headers={"Retry-After": "1"})
        return self._view

    def apply(self, changed: Iterable[Product]) -> int:
        """Take in products, in any order and repeatedly; returns how many were news."""
        news = [
            product for product in changed if self.is_news(product.product_id, product.changed_at)
        ]
        if not news and self._view is not None:
            return 0
        texts = [(self._place(product), product) for product in news if self._is_new_text(product)]
        for product in news:
            ordinal = self._place(product)
            self._fingerprint ^= _mark(self._products[ordinal]) ^ _mark(product)
            self._products[ordinal] = product
        if texts:
            self._text.replace(texts)
        self._view = View(
            Shelf(tuple(self._products)),
            self._text.reader(),
            dict(self._ordinal_of),
            f"{self._fingerprint:016x}",
            self._insights,
        )
        return len(news)

    def learn(self, insights: Insights) -> None:
        """Take in what shoppers buy together and look for."""
        self._insights = insights
        if self._view is not None:
            self._view = replace(self._view, insights=insights)

    def is_news(self, product_id: str, changed_at: str) -> bool:
        known = self._find(product_id)
        return known is None or changed_at > known.changed_at

    def _is_new_text(self, product: Product) -> bool:
        known = self._find(product.product_id)
        return known is None or _text_of(known) != _text_of(product)

    def _find(self, product_id: str) -> Product | None:
        ordinal = self._ordinal_of.get(product_id)
        return None if ordinal is None else self._products[ordinal]

    def _place(self, product: Product) -> int:
        """The product's ordinal, given out at first sight and kept."""
        ordinal = self._ordinal_of.setdefault(product.product_id, len(self._products))
        if ordinal == len(self._products):
            self._products.append(product)
            self._fingerprint ^= _mark(product)
        return ordinal


def _text_of(product: Product) -> Sequence[object]:
    return (
        product.is_active,
        product.title,
        product.description,
        product.category,
        product.brand,
        product.tags,
    )


def _mark(product: Product) -> int:
    """A number for one state of one product; xor-ed together they stand for the whole index."""
    text = f"{product.product_id}\n{product.changed_at}".encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big")


def _begins_a_word(name: str, wanted: str) -> bool:
    folded = name.casefold()
    return folded.startswith(wanted) or f" {wanted}" in folded
