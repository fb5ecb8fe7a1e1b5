"""What the use cases need of a store; `store.py` gives it with DynamoDB."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from pipeline.contracts.audit import Audit
from storefront_api.checkout.domain import Cart, StockRow
from storefront_api.checkout.promotion import Offer, Promotion, PromotionState

Order = dict[str, Any]
# In a list of orders (placed_at, order_id); in one of promotion codes (version, code).
Place = tuple[str, str]


class Snapshot(Protocol):
    """Rows read at one moment; what was not asked for is None."""

    @property
    def cart(self) -> Cart: ...
    @property
    def guest(self) -> Cart | None: ...
    @property
    def idempotency(self) -> Mapping[str, Any] | None: ...
    @property
    def stock(self) -> StockRow | None: ...
    @property
    def offer(self) -> Offer | None: ...


class Current(Protocol):
    """Stock rows and a promotion as they are now; what does not exist is missing."""

    @property
    def stock(self) -> Mapping[str, StockRow]: ...
    @property
    def offer(self) -> Offer | None: ...


class Refusal(Protocol):
    """Why nothing of a placement was written; `stock` has the rows whose condition failed, and
    `terms` those of the promotion where they changed."""

    @property
    def idempotency(self) -> Mapping[str, Any] | None: ...
    @property
    def cart_changed(self) -> bool: ...
    @property
    def stock(self) -> Mapping[str, StockRow | None]: ...
    @property
    def promotion(self) -> PromotionState | None: ...
    @property
    def terms(self) -> Promotion | None: ...


class CartStore(Protocol):
    """Carts are written at the version read; None is returned if somebody was faster."""

    def read(
        self,
        owner: str,
        *,
        guest: str | None = None,
        idempotency_key: str | None = None,
        sku: str | None = None,
        code: str | None = None,
        now_epoch_s: int,
    ) -> Snapshot: ...
    def read_current(self, skus: Iterable[str], owner: str, code: str | None) -> Current: ...
    def put_cart(self, cart: Cart, now_epoch_s: int) -> Cart | None: ...
    def merge_carts(self, cart: Cart, guest: Cart, now_epoch_s: int) -> Cart | None: ...


class PlacementStore(CartStore, Protocol):
    def place(
        self,
        order: Order,
        cart: Cart,
        guest: Cart | None,
        idempotency_key: str,
        body_hash: str,
        answer: str,
        now_epoch_s: int,
    ) -> Refusal | None: ...
    def list_orders(
        self, owner: str, page_size: int, after: Place | None
    ) -> tuple[list[Order], Place | None]: ...


class PromotionTerms(Protocol):
    """Terms are written over the version read; False if somebody was faster."""

    def find(self, code: str) -> Offer | None: ...
    def list_offers(
        self, page_size: int, after: Place | None
    ) -> tuple[list[Offer], Place | None]: ...
    def put(self, promotion: Promotion, over: str | None, audit: Audit) -> bool: ...
    def delete(self, code: str, version: str, audit: Audit) -> bool: ...


class Answer(Protocol):
    def __call__(self, order: Order) -> str:
        """The JSON a placed order is answered with."""
