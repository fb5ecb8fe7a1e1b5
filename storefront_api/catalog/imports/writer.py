"""Puts the products of an import on the shelf: each whole or not at all, and each once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import stamina

from pipeline.contracts.errors import ShopError, Unavailable
from pipeline.contracts.events import to_iso_z
from pipeline.runtime.clock import Clock, NewId
from storefront_api.catalog.domain import Product, Refused, StockRow, with_range
from storefront_api.catalog.imports.domain import LineError
from storefront_api.catalog.service import CatalogService

# A transaction takes 100 items and 4 MB.
MAX_ACTIONS = 100
MAX_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Goods:
    """One product of the file and the line it begins at."""

    line: int
    product: Product
    rows: list[StockRow]


@dataclass(frozen=True, slots=True)
class Present:
    """What the table knows of a product: a digest of what was said, and which import said it."""

    content: str | None
    imported: str | None


class Shelf(Protocol):
    def find_present(self, product_ids: Sequence[str]) -> Mapping[str, Present]: ...
    def find_taken(self, skus: Sequence[str]) -> Mapping[str, str]:
        """SKUs that exist, each with its product."""

    def create_all(self, goods: Sequence[tuple[Product, Sequence[StockRow]]]) -> None:
        """All or none; raises Refused, whose `at` counts products and rows in their order."""


Outcome = str | LineError  # created, updated, unchanged


class Writer:
    """`write` may be asked again for the same goods: what is done is seen and counted as it was."""

    def __init__(
        self, shelf: Shelf, service: CatalogService, job_id: str, actor: str,
        clock: Clock, new_id: NewId, *, dry_run: bool,
    ) -> None:  # fmt: skip
        self._shelf = shelf
        self._service = service
        self._job_id = job_id
        self._actor = actor
        self._clock = clock
        self._new_id = new_id
        self._dry_run = dry_run

    def write(self, chunk: Sequence[Goods]) -> list[Outcome]:
        """One outcome each, in any order. Raises Unavailable and boto3's errors."""
        present = self._shelf.find_present([goods.product.product_id for goods in chunk])
        outcomes: list[Outcome] = []
        fresh: list[Goods] = []
        for goods in chunk:
            known = present.get(goods.product.product_id)
            product = with_range(goods.product, goods.rows)
            if known is None:
                fresh.append(replace(goods, product=product))
            elif known.content == product.content:
                outcomes.append(self._as_before(known))
            else:
                outcomes.append(self._update(goods))
        return outcomes + (self._try(fresh) if self._dry_run else self._create(fresh))

    def _as_before(self, known: Present) -> str:
        job_id, _, did = (known.imported or "").partition(":")
        return did if job_id == self._job_id else "unchanged"

    def _create(self, fresh: list[Goods]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        while fresh:
            try:
                self._shelf.create_all([(self._made(each.product), each.rows) for each in fresh])
            except Refused as refused:
                at, row = _find(fresh, refused.at)
                goods = fresh.pop(at)
                if row is None:  # somebody made the product in this very moment
                    outcomes.append(self._update(goods))
                else:
                    outcomes.append(_taken(goods, row))
            else:
                return outcomes + ["created"] * len(fresh)
        return outcomes

    def _made(self, product: Product) -> Product:
        return replace(
            product,
            created_at=to_iso_z(self._clock()),
            changed_at=self._new_id(),
            imported=f"{self._job_id}:created",
        )

    def _update(self, goods: Goods) -> Outcome:
        if self._dry_run:
            return "updated"
        edited = replace(goods.product, imported=f"{self._job_id}:updated")
        try:
            for attempt in stamina.retry_context(on=Unavailable, attempts=4, wait_initial=0.2):
                with attempt:  # the index of a product's SKUs may be a moment behind
                    self._service.replace_product(edited, goods.rows, None, self._actor)
        except Unavailable:
            raise
        except ShopError as error:
            details = [(each["field"], each["message"]) for each in error.errors]
            named = tuple(details or [("product_id", error.detail)])
            return LineError(goods.line, goods.product.product_id, named)
        return "updated"

    def _try(self, fresh: list[Goods]) -> list[Outcome]:
        taken = self._shelf.find_taken([row.sku for goods in fresh for row in goods.rows])
        outcomes: list[Outcome] = []
        for goods in fresh:
            row = next((row for row in goods.rows if row.sku in taken), None)
            outcomes.append(_taken(goods, row) if row else "created")
        return outcomes


def _find(fresh: Sequence[Goods], at: int) -> tuple[int, StockRow | None]:
    """Whose action it was: the product itself (None), or one of its rows."""
    for index, goods in enumerate(fresh):
        if at <= len(goods.rows):
            return index, goods.rows[at - 1] if at else None
        at -= 1 + len(goods.rows)
    raise AssertionError("a refused action is one of those sent")


def _taken(goods: Goods, row: StockRow) -> LineError:
    field = f"variants.{row.position - 1}.sku"
    return LineError(goods.line, goods.product.product_id, ((field, f"SKU {row.sku} exists"),))
