"""Use cases: every movement of stock is an event, and a product is in stock exactly if one of its
SKUs is."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import stamina

from pipeline.contracts.events import STOCK_LOW, Envelope
from pipeline.runtime.clock import NewId
from pipeline.runtime.logs import get_logger
from pipeline.runtime.metrics import metrics
from pipeline.stock.domain import StockChange, is_listed, to_events

log = get_logger()


class Products(Protocol):
    def find_product(self, product_id: str) -> dict[str, Any] | None: ...
    def is_available(self, product_id: str) -> bool: ...
    def set_in_stock(
        self, product_id: str, seen: dict[str, Any], is_in_stock: bool, change_id: str
    ) -> bool: ...


class Outlet(Protocol):
    def send(self, events: Sequence[Envelope]) -> None:
        """All, or raises; what was sent before the failure may be sent again."""


class LowStock(Protocol):
    """The list of SKUs of which few units are left."""

    def put(self, change: StockChange, threshold: int) -> None: ...
    def remove(self, sku: str) -> None: ...


class Moved(Exception):
    """The product changed while its stock was being read."""


def tell(changes: Iterable[StockChange], outlet: Outlet, threshold: int) -> None:
    """Send what moved, at least once and with ids that tell a repeat; raises when it cannot."""
    events = [event for change in changes for event in to_events(change, threshold)]
    outlet.send(events)
    for event in events:
        if event.event_type == STOCK_LOW:
            log.warning("stock.low", **event.payload)
            metrics.add("StockLow", 1)


def list_low(changes: Iterable[StockChange], low: LowStock, threshold: int) -> None:
    """Keep the list as the last change of each SKU has it; the same again does no harm."""
    last = {
        change.row["sku"]: (change, listed)
        for change in changes
        if (listed := is_listed(change, threshold)) is not None
    }
    for sku, (change, listed) in last.items():
        if listed:
            low.put(change, threshold)
        else:
            low.remove(sku)


def ran_out_or_came_back(changes: Iterable[StockChange]) -> list[str]:
    """Products one of whose SKUs went to nought, or left it."""
    return [
        change.new["product_id"]
        for change in changes
        if change.old is not None
        and change.new is not None
        and 0 in (change.old["available"], change.new["available"])
    ]


def check_stock(product_ids: Iterable[str], products: Products, new_id: NewId) -> None:
    """Raises Moved when a product does not hold still for one moment in ten attempts."""
    for product_id in dict.fromkeys(product_ids):
        for attempt in stamina.retry_context(
            on=Moved, attempts=10, wait_initial=0.02, wait_max=0.5, wait_jitter=0.1
        ):
            with attempt:
                _check(product_id, products, new_id)


def _check(product_id: str, products: Products, new_id: NewId) -> None:
    product = products.find_product(product_id)
    if product is None or product.get("status") == "archived":
        return
    is_in_stock = products.is_available(product_id)
    if not products.set_in_stock(product_id, product, is_in_stock, new_id()):
        raise Moved(product_id)
    if is_in_stock != product.get("in_stock"):
        log.info("product.in_stock", product_id=product_id, in_stock=is_in_stock)
