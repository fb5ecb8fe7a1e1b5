"""What shoppers read and operators change, apart from lists, which come from memory."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import stamina

from pipeline.contracts.audit import Audit
from pipeline.contracts.errors import (
    Conflict,
    NotFound,
    PreconditionFailed,
    Unavailable,
    Unprocessable,
)
from pipeline.contracts.events import to_iso_z
from pipeline.runtime.clock import Clock, NewId
from storefront_api.catalog.domain import (
    ARCHIVED,
    MAX_VARIANTS,
    Adjustment,
    Product,
    Refused,
    StockRow,
    facts_of,
    with_range,
)
from storefront_api.changes import told

Detail = tuple[Product, list[StockRow]]


class Store(Protocol):
    def ask(self, product_id: str) -> bytes: ...
    def read(self, told: bytes) -> Detail | None: ...
    def find_current(self, product_id: str) -> Product | None: ...
    def find_stock(self, sku: str) -> StockRow | None: ...
    def create(self, product: Product, rows: Sequence[StockRow], audit: Audit) -> None: ...
    def replace(
        self,
        product: Product,
        kept: Sequence[StockRow],
        added: Sequence[StockRow],
        dropped: Sequence[StockRow],
        audit: Audit,
    ) -> None: ...
    def archive(self, product: Product, rows: Sequence[StockRow], audit: Audit) -> None: ...
    def adjust(self, row: StockRow, adjustment: Adjustment, change: str, audit: Audit) -> None: ...


class CatalogService:
    """The use cases; `actor` is the id of the operator who asks."""

    def __init__(self, store: Store, clock: Clock, new_id: NewId) -> None:
        self._store = store
        self._clock = clock
        self._new_id = new_id

    def get_product(self, product_id: str) -> Detail:
        """A product, archived ones too, with its variants. Raises NotFound."""
        return self.read_product(product_id, self.ask_for_product(product_id))

    def ask_for_product(self, product_id: str) -> bytes:
        """What `read_product` reads: the same bytes are the same product."""
        return self._store.ask(product_id)

    def read_product(self, product_id: str, told: bytes) -> Detail:
        """As `get_product` does."""
        found = self._store.read(told)
        if found is None:
            raise NotFound(f"No product {product_id}")
        return found

    def create_product(self, product: Product, rows: list[StockRow], actor: str) -> Detail:
        """All of it or nothing. Raises Conflict naming the id or SKU that is taken."""
        product = replace(
            with_range(product, rows), created_at=self._now(), changed_at=self._new_id()
        )
        audit = self._audit(actor, "product.created", product.product_id, f"{len(rows)} variants")
        try:
            self._store.create(product, rows, audit)
        except Refused as refused:
            raise _taken(product, rows, refused.at) from None
        return product, rows

    def replace_product(
        self, edited: Product, rows: list[StockRow], expected_version: int | None, actor: str
    ) -> Detail:
        """Edit what a product is; the stock of a SKU that stays is left alone.

        Args: `expected_version` as If-Match says, None for whatever is current.
        Raises: NotFound; PreconditionFailed when stale; Conflict for a taken SKU, for one that is
        dropped though orders hold it, and for an archived product.
        """
        current, present = self._current(edited.product_id, expected_version)
        if not current.is_active:
            raise Conflict(f"Product {current.product_id} is archived")
        stock = {row.sku: row for row in present}
        wanted = {row.sku for row in rows}
        kept = [_with_stock_of(stock[row.sku], row) for row in rows if row.sku in stock]
        added = [row for row in rows if row.sku not in stock]
        dropped = [row for row in present if row.sku not in wanted]
        if len(rows) + len(dropped) > MAX_VARIANTS:
            message = f"At most {MAX_VARIANTS} SKUs may be written or dropped at once"
            raise Unprocessable(message, errors=[{"field": "variants", "message": message}])
        product = replace(
            with_range(edited, rows),
            created_at=current.created_at,
            changed_at=self._new_id(),
            version=current.version + 1,
            rating=current.rating,
            review_count=current.review_count,
            in_stock=any(row.available for row in (*kept, *added)),
        )
        changes = told(facts_of(current, present), facts_of(product, rows))
        changes = f"v{product.version}: {changes}"
        audit = self._audit(actor, "product.edited", product.product_id, changes)
        try:
            self._store.replace(product, kept, added, dropped, audit)
        except Refused as refused:
            raise _not_replaced(refused.at, kept, added, dropped) from None
        return product, sorted((*kept, *added), key=lambda row: row.position)

    def archive_product(self, product_id: str, expected_version: int | None, actor: str) -> None:
        """Off sale, for good: hidden from lists, its page stays, its free stock is withdrawn.

        Doing it again changes nothing. Raises NotFound, PreconditionFailed.
        """
        try:
            for attempt in stamina.retry_context(
                on=Refused, attempts=5, timeout=5.0, wait_initial=0.02, wait_max=0.5
            ):
                with attempt:  # an order may take stock in between: then read again
                    self._archive(product_id, expected_version, actor)
        except Refused:
            raise Unavailable(headers={"Retry-After": "1"}) from None

    def _archive(self, product_id: str, expected_version: int | None, actor: str) -> None:
        current, rows = self._current(product_id, expected_version)
        if not current.is_active:
            return
        product = replace(
            current,
            status=ARCHIVED,
            in_stock=False,
            changed_at=self._new_id(),
            version=current.version + 1,
        )
        audit = self._audit(actor, "product.archived", product_id, f"v{product.version}")
        self._store.archive(product, rows, audit)

    def adjust_stock(
        self, sku: str, delta: int, reason: str, actor: str, kind: str = "adjusted"
    ) -> StockRow:
        """Returns the row as it is afterwards. Raises NotFound; Conflict with `available` when it
        would fall below zero; Conflict for an archived product."""
        row = self._store.find_stock(sku)
        if row is None:
            raise NotFound(f"No SKU {sku}")
        adjustment = Adjustment(self._new_id(), delta, reason, actor, self._now(), kind)
        audit = self._audit(actor, f"stock.{kind}", sku, f"{delta:+d}: {reason}")
        try:
            self._store.adjust(row, adjustment, self._new_id(), audit)
        except Refused as refused:
            if refused.at == 1:
                raise Conflict(f"Product {row.product_id} is archived") from None
            current = self._store.find_stock(sku) or row
            raise Conflict(
                f"Only {current.available} of {sku} are available",
                errors=[{"field": "delta", "message": "Stock cannot fall below zero"}],
                available=current.available,
            ) from None
        return self._store.find_stock(sku) or row

    def _current(self, product_id: str, expected_version: int | None) -> Detail:
        current = self._store.find_current(product_id)
        if current is None:
            raise NotFound(f"No product {product_id}")
        if expected_version is not None and current.version != expected_version:
            raise PreconditionFailed(f"Product {product_id} is at version {current.version}")
        found = self._store.read(self._store.ask(product_id))
        rows = found[1] if found else []
        if len(rows) != current.variant_count:  # the index lags behind the table for a moment
            raise Unavailable(headers={"Retry-After": "1"})
        return current, rows

    def _audit(self, actor: str, action: str, target: str, detail: str) -> Audit:
        return Audit(self._new_id(), self._now(), actor, action, target, detail)

    def _now(self) -> str:
        return to_iso_z(self._clock())


def _with_stock_of(present: StockRow, edited: StockRow) -> StockRow:
    return replace(
        edited,
        received=present.received,
        available=present.available,
        held=present.held,
        sold=present.sold,
    )


def _taken(product: Product, rows: Sequence[StockRow], at: int) -> Conflict:
    if at == 0:
        message = f"A product {product.product_id} exists"
        return Conflict(message, errors=[{"field": "product_id", "message": message}])
    return _sku_taken(rows[at - 1])


def _sku_taken(row: StockRow) -> Conflict:
    message = f"SKU {row.sku} exists"
    field = f"variants.{row.position - 1}.sku"
    return Conflict(message, errors=[{"field": field, "message": message}], sku=row.sku)


def _not_replaced(
    at: int, kept: Sequence[StockRow], added: Sequence[StockRow], dropped: Sequence[StockRow]
) -> Exception:
    if at <= len(kept):
        return PreconditionFailed()
    if at <= len(kept) + len(added):
        return _sku_taken(added[at - 1 - len(kept)])
    row = dropped[at - 1 - len(kept) - len(added)]
    message = f"SKU {row.sku} is part of orders and cannot be dropped"
    return Conflict(message, errors=[{"field": "variants", "message": message}], sku=row.sku)
