"""All goods as columns, to filter, count and order them in microseconds."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from storefront_api.catalog.cursor import Position
from storefront_api.catalog.domain import PRICE_BANDS, Filters, PriceBand, Product, Sort, prefixes
from storefront_api.catalog.domain import standing as standing_of

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Path = tuple[str, ...]
_MAX_VALUES = 40
_NOBODY = np.empty(0, np.int32)
# Most lists without a text are asked for again and again.
_MAX_KEPT = 64


@dataclass(frozen=True, slots=True)
class Facets:
    """Counts under all filters but the facet's own; what counts none is left out.

    `options`: for each option its values, the most frequent first.
    """

    category: list[tuple[Path, int]]
    price: list[tuple[PriceBand, int]]
    in_stock: int
    options: list[tuple[str, list[tuple[str, int]]]]


@dataclass(frozen=True, slots=True)
class Keys:
    """Two ascending sort keys for each ordinal; the product id breaks ties."""

    first: Ints
    second: Ints


class Choice:
    """Which goods come in which values of one option: their ordinals, value after value."""

    def __init__(self, owners: Mapping[str, list[int]], size: int) -> None:
        self._owners = {value: np.array(found, np.int32) for value, found in owners.items()}
        self._size = size
        self._owner = np.concatenate(list(self._owners.values()))
        lengths = [len(found) for found in self._owners.values()]
        self._starts = np.cumsum([0, *lengths[:-1]])

    def any_of(self, values: Sequence[str]) -> Mask:
        mask = np.zeros(self._size, bool)
        for value in values:
            mask[self._owners.get(value, _NOBODY)] = True
        return mask

    def count(self, mask: Mask) -> list[tuple[str, int]]:
        """The most frequent values first, then as goods first named them."""
        counts = np.add.reduceat(mask[self._owner], self._starts, dtype=np.int64)
        order = np.argsort(-counts, kind="stable")[:_MAX_VALUES]
        values = list(self._owners)
        return [(values[at], int(counts[at])) for at in order if counts[at]]


class Shelf:
    """An immutable view of `products`, which stand under their ordinals."""

    def __init__(self, products: Sequence[Product]) -> None:
        self.products = products
        self._price = _ints([product.price_minor for product in products])
        self._active = np.array([product.is_active for product in products], bool)
        self._in_stock = np.array([product.in_stock for product in products], bool)
        self._featured = np.array([product.featured for product in products], bool)
        by_id = sorted(range(len(products)), key=lambda ordinal: products[ordinal].product_id)
        self._ids = [products[ordinal].product_id for ordinal in by_id]
        self._id_rank = np.empty(len(products), np.int64)
        self._id_rank[by_id] = np.arange(len(products))
        paths = {path: at for at, path in enumerate({p.category: None for p in products})}
        self._paths: list[Path] = list(paths)
        self._path = _ints([paths[product.category] for product in products])
        self._choices = _choices(products)
        self._standing = _ints([standing_of(product) for product in products])
        self._orders: dict[Sort, Ints] = {}
        self._kept: dict[Filters, tuple[Mask, Facets]] = {}

    def matching(self, filters: Filters, text: Mask | None) -> tuple[Mask, Facets]:
        """Which ordinals pass, and the facets; `text` is what was found for the filters' text."""
        if text is not None:  # what a text finds depends on how it was understood, too
            return self._match(filters, text)
        found = self._kept.get(filters)
        if found is None:
            if len(self._kept) >= _MAX_KEPT:
                self._kept.clear()
            found = self._kept[filters] = self._match(filters, None)
        return found

    def _match(self, filters: Filters, text: Mask | None) -> tuple[Mask, Facets]:
        base = self._active if text is None else self._active & text
        if filters.featured is not None:
            base = base & (self._featured == filters.featured)
        category = self._in_category(filters.category)
        price = self._in_price(filters.min_price, filters.max_price)
        stock = (
            np.ones(len(self.products), bool)
            if filters.in_stock is None
            else self._in_stock == filters.in_stock
        )
        chosen = {name: self._in_option(name, values) for name, values in filters.options}
        options = np.logical_and.reduce(list(chosen.values())) if chosen else True
        every = base & category & price & stock & options
        facets = Facets(
            category=self.count_paths(base & price & stock & options),
            price=self._count_bands(base & category & stock & options),
            in_stock=int(np.count_nonzero(base & category & price & options & self._in_stock)),
            options=self._count_options(base & category & price & stock, chosen, every),
        )
        return every, facets

    def ordered(self, mask: Mask, sort: Sort, after: Position | None, limit: int) -> Ints:
        """The first `limit` ordinals of `mask` in a standing order, behind `after`."""
        keys = self._keys[sort]
        if after is not None:
            mask = mask & self._behind(keys, after, np.arange(len(self.products)))
        if sort not in self._orders:
            self._orders[sort] = np.lexsort((self._id_rank, keys.second, keys.first))
        order = self._orders[sort]
        return order[mask[order]][:limit]

    def ranked(self, ordinals: Ints, scores: Ints, after: Position | None, limit: int) -> Ints:
        """Like `ordered`, by score and then by standing."""
        keys = Keys(-scores, -self._standing[ordinals])
        if after is not None:
            behind = self._behind(keys, after, ordinals)
            ordinals, keys = ordinals[behind], Keys(keys.first[behind], keys.second[behind])
        order = np.lexsort((self._id_rank[ordinals], keys.second, keys.first))
        return ordinals[order[:limit]]

    def position(self, ordinal: int, sort: Sort, score: int | None, plan: str) -> Position:
        """The place right after a product."""
        product_id = self.products[ordinal].product_id
        if score is not None:
            return Position(-score, -int(self._standing[ordinal]), product_id, plan)
        keys = self._keys[sort]
        return Position(int(keys.first[ordinal]), int(keys.second[ordinal]), product_id, plan)

    def related(self, ordinal: int, limit: int) -> list[Product]:
        """Goods of the same category, nearest in price; then of the same first level."""
        product = self.products[ordinal]
        near = np.flatnonzero(self._in_category(product.category[:1]) & self._active)
        near = near[near != ordinal]
        is_other = self._path[near] != self._path[ordinal]
        distance = np.abs(self._price[near] - product.price_minor)
        order = np.lexsort((self._id_rank[near], distance, is_other, ~self._in_stock[near]))
        return [self.products[at] for at in near[order[:limit]]]

    def count_paths(self, mask: Mask | None = None) -> list[tuple[Path, int]]:
        """(path, goods in it or below), every level, in the order of the alphabet."""
        chosen = self._path[self._active if mask is None else mask]
        counts: dict[Path, int] = {}
        for path, count in zip(
            self._paths, np.bincount(chosen, minlength=len(self._paths)), strict=True
        ):
            for prefix in prefixes(path) if count else ():
                counts[prefix] = counts.get(prefix, 0) + int(count)
        return sorted(counts.items())

    @cached_property
    def brands(self) -> list[str]:
        """Brands of goods on sale, in the order of the alphabet."""
        return sorted({each.brand for each in self.products if each.brand and each.is_active})

    @cached_property
    def _keys(self) -> dict[Sort, Keys]:
        products = self.products
        rating = _ints([-int((p.rating or 0) * 100) for p in products])
        reviews = _ints([-p.review_count for p in products])
        created = _ints([-_epoch_ms(p.created_at) for p in products])
        return {
            Sort.RELEVANCE: Keys(-self._standing, reviews),
            Sort.PRICE_ASC: Keys(self._price, -self._standing),
            Sort.PRICE_DESC: Keys(-self._price, -self._standing),
            Sort.RATING: Keys(rating, reviews),
            Sort.NEWEST: Keys(created, -self._standing),
        }

    def _behind(self, keys: Keys, after: Position, ordinals: Ints) -> Mask:
        # The product itself may be gone: its place among the ids is what counts.
        rank = bisect_right(self._ids, after.product_id)
        same_first = keys.first == after.first
        same = same_first & (keys.second == after.second)
        behind: Mask = (
            (keys.first > after.first)
            | (same_first & (keys.second > after.second))
            | (same & (self._id_rank[ordinals] >= rank))
        )
        return behind

    def _in_category(self, category: Path) -> Mask:
        allowed = np.array([path[: len(category)] == category for path in self._paths], bool)
        return allowed[self._path] if self._paths else np.zeros(0, bool)

    def _in_option(self, name: str, values: Sequence[str]) -> Mask:
        choice = self._choices.get(name)
        return choice.any_of(values) if choice else np.zeros(len(self.products), bool)

    def _count_options(
        self, base: Mask, chosen: dict[str, Mask], every: Mask
    ) -> list[tuple[str, list[tuple[str, int]]]]:
        counted = []
        for name, choice in self._choices.items():
            mask = every
            if name in chosen:
                mask = base
                for other, allowed in chosen.items():
                    mask = mask & allowed if other != name else mask
            if values := choice.count(mask):
                counted.append((name, values))
        return counted

    def _in_price(self, low: int | None, high: int | None) -> Mask:
        mask: Mask = np.ones(len(self.products), bool)
        if low is not None:
            mask &= self._price >= low
        if high is not None:
            mask &= self._price <= high
        return mask

    def _count_bands(self, mask: Mask) -> list[tuple[PriceBand, int]]:
        starts = [band.from_minor for band in PRICE_BANDS]
        bands = np.searchsorted(starts, self._price[mask], side="right") - 1
        counts = np.bincount(bands, minlength=len(PRICE_BANDS))
        return [(band, int(n)) for band, n in zip(PRICE_BANDS, counts, strict=True) if n]


def _choices(products: Sequence[Product]) -> dict[str, Choice]:
    """By option, in the order of the alphabet."""
    owners: dict[str, dict[str, list[int]]] = {}
    for ordinal, product in enumerate(products):
        for name, values in product.options.items():
            for value in values:
                owners.setdefault(name, {}).setdefault(value, []).append(ordinal)
    return {name: Choice(found, len(products)) for name, found in sorted(owners.items())}


def _ints(values: list[int]) -> Ints:
    return np.array(values, np.int64)


def _epoch_ms(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp() * 1000)
