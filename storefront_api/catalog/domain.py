"""Goods, their stock, and what may be asked of the list; pure values and rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from pipeline.contracts.categories import to_text
from pipeline.contracts.money import to_major

ACTIVE = "active"
ARCHIVED = "archived"

# META and every variant change in one transaction, which takes 100 items; one more is the audit.
MAX_VARIANTS = 98
MAX_LEVELS = 3

# Bayesian mean: a product starts with this many reviews of the shop's average.
_PRIOR_REVIEWS = 5
_PRIOR_RATING = Decimal("4.5")


class Sort(StrEnum):
    RELEVANCE = "relevance"
    PRICE_ASC = "price_asc"
    PRICE_DESC = "price_desc"
    RATING = "rating"
    NEWEST = "newest"


@dataclass(frozen=True, slots=True)
class Product:
    """What a product is, without its stock; `price_minor` is its cheapest variant's.

    `changed_at` is a ULID, unique per change; `created_at` is ISO 8601 in UTC. `options` are the
    values its variants come in, by option; `content` stands for all an operator says of it, so that
    an import can tell news from what is there; `imported` is `<job>:<created|updated>`.
    """

    product_id: str
    title: str
    description: str
    category: tuple[str, ...]
    price_minor: int
    currency: str
    created_at: str
    changed_at: str
    brand: str | None = None
    image_url: str | None = None
    images: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    rating: Decimal | None = None
    review_count: int = 0
    version: int = 1
    status: str = ACTIVE
    featured: bool = False
    variant_count: int = 0
    in_stock: bool = False
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    content: str | None = None
    imported: str | None = None

    @property
    def is_active(self) -> bool:
        return self.status == ACTIVE


@dataclass(frozen=True, slots=True)
class StockRow:
    """One SKU of a product and its stock: `received = available + held + sold`, always."""

    product_id: str
    sku: str
    position: int
    options: Mapping[str, str]
    price_minor: int
    currency: str
    received: int
    available: int
    held: int = 0
    sold: int = 0

    @classmethod
    def new(
        cls,
        product_id: str,
        sku: str,
        position: int,
        options: Mapping[str, str],
        price_minor: int,
        currency: str,
        stock: int,
    ) -> "StockRow":
        """A row as it is first put on the shelf: all that was received is available."""
        return cls(product_id, sku, position, options, price_minor, currency, stock, stock)


@dataclass(frozen=True, slots=True)
class Filters:
    """What a shopper narrows the list by; prices are inclusive, in minor units.

    `options` are values by option, each option once: any value of each of them.
    """

    text: str = ""
    category: tuple[str, ...] = ()
    min_price: int | None = None
    max_price: int | None = None
    in_stock: bool | None = None
    featured: bool | None = None
    options: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class PriceBand:
    """Both ends inclusive, so that its count is what the filter of the same bounds returns."""

    from_minor: int
    to_minor: int | None

    @property
    def value(self) -> str:
        return f"{self.from_minor}-{'' if self.to_minor is None else self.to_minor}"


class Refused(Exception):
    """A condition of a transaction did not hold; `at` counts its actions from 0."""

    def __init__(self, at: int) -> None:
        super().__init__(f"action {at}")
        self.at = at


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A correction of one SKU's stock by `delta` units, or a delivery (kind `received`)."""

    adjustment_id: str
    delta: int
    reason: str
    by: str
    at: str
    kind: str = "adjusted"

    def to_note(self) -> dict[str, Any]:
        return {
            "id": self.adjustment_id,
            "kind": self.kind,
            "delta": self.delta,
            "reason": self.reason,
            "by": self.by,
            "at": self.at,
        }


PRICE_BANDS = (
    PriceBand(0, 2_500),
    PriceBand(2_501, 5_000),
    PriceBand(5_001, 10_000),
    PriceBand(10_001, 20_000),
    PriceBand(20_001, None),
)


def standing(product: Product) -> int:
    """Where a product stands when nothing else tells two apart; higher comes first.

    Featured goods stand above all others, then the mean rating, drawn towards the shop's average
    where there are few reviews: 5.0 from one person does not beat 4.9 from a hundred.
    """
    reviews = product.review_count if product.rating is not None else 0
    return _mean(product.rating, reviews) + (100_000 if product.featured else 0)


@lru_cache(maxsize=65_536)
def _mean(rating: Decimal | None, reviews: int) -> int:
    """The drawn mean in thousandths."""
    own = reviews * (_PRIOR_RATING if rating is None else rating)
    return int((_PRIOR_REVIEWS * _PRIOR_RATING + own) / (_PRIOR_REVIEWS + reviews) * 1_000)


def prefixes(category: Sequence[str]) -> list[tuple[str, ...]]:
    """("Clothing", "Dresses") -> [("Clothing",), ("Clothing", "Dresses")]."""
    return [tuple(category[: level + 1]) for level in range(len(category))]


def with_range(product: Product, rows: Sequence[StockRow]) -> Product:
    """The product as its variants make it: price from, in stock, and what there is to choose."""
    values: dict[str, dict[str, None]] = {}
    for row in rows:
        for name, value in row.options.items():
            values.setdefault(name, {})[value] = None
    return replace(
        product,
        variant_count=len(rows),
        price_minor=lowest_price(rows),
        in_stock=any(row.available for row in rows),
        options={name: tuple(found) for name, found in values.items()},
        content=content_of(product, rows),
    )


def content_of(product: Product, rows: Sequence[StockRow]) -> str:
    """A digest of what an operator says of a product; stock is not said, it is counted."""
    said = (
        product.title, product.description, product.category, product.brand, product.image_url,
        product.tags, product.featured,
        [(row.sku, sorted(row.options.items()), row.price_minor, row.currency) for row in rows],
    )  # fmt: skip
    return blake2b(repr(said).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def facts_of(product: Product, rows: Sequence[StockRow]) -> dict[str, object]:
    """The same for people to read, by names that tell what an edit changed."""
    return {
        "title": product.title,
        "description": product.description,
        "category": to_text(product.category),
        "brand": product.brand,
        "picture": product.image_url,
        "tags": ", ".join(product.tags),
        "featured": product.featured,
        **{row.sku: _offer(row) for row in rows},
    }


def _offer(row: StockRow) -> str:
    options = (f"{name} {value}" for name, value in sorted(row.options.items()))
    return ", ".join([f"{to_major(row.price_minor)} {row.currency}", *options])


def lowest_price(rows: Sequence[StockRow]) -> int:
    return min(row.price_minor for row in rows)
