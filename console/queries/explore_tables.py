"""What can be queried on the Explore page: the lake's tables, their columns and what they mean."""

from dataclasses import dataclass
from typing import Any

import polars as pl

from pipeline.runtime import facts

# Money is in minor units of `currency`; every time is UTC.
_MEANING = {
    "dt": "UTC date the event is booked on; the range filters by it",
    "order_id": "The order; replay:<invoice> for the order log",
    "line_no": "Position within the order",
    "placed_at": "When the order was placed",
    "customer_id": "Known customer; null for guests",
    "country": "Country it was shipped to",
    "sku": "Stock-keeping unit",
    "product_id": "Product the SKU belongs to",
    "title": "Name of the product",
    "category": "Category; derived for goods of the order log",
    "quantity": "Pieces; negative on some refunds",
    "unit_price_minor": "Price of a piece, minor units",
    "line_total_minor": "Amount of the line, minor units; refunds are negative",
    "currency": "ISO 4217; never add different ones",
    "kind": "sale or refund",
    "source": "live (the shop) or replay (the order log)",
    "synthetic": "True for load tests: leave them out of sales",
    "event_id": "The event the row came from; order_id:version for orders",
    "event_type": "What happened, e.g. order.placed.v1",
    "occurred_at": "When it happened",
    "version": "Version of the order after the event",
    "status": "Status of the order after the event",
    "lines": "Number of lines",
    "units": "Number of pieces",
    "subtotal_minor": "Merchandise, minor units",
    "shipping_minor": "Shipping, minor units",
    "tax_minor": "Tax, minor units",
    "total_minor": "Subtotal, shipping and tax, minor units",
    "session_id": "One visit",
    "anonymous_id": "One browser",
    "query": "What was searched for",
    "results_count": "How many products the search found",
    "referrer": "Where the visit came from",
    "device": "desktop, phone, tablet",
    "path": "Page that was viewed",
    "correlation_id": "The request or run it belongs to",
    "causation_id": "The event that caused it",
    "partition_key": "Key on the stream",
    "payload": "The event's body, JSON",
    "extra": "Unknown fields of the envelope, JSON",
    "shard": "Shard of the stream",
    "sequence_number": "Place on the shard",
    "arrived_at": "When landing received it",
    "reason": "Why it was refused, e.g. zero_price",
    "detail": "The reason in words",
    "body": "What was refused, as it came",
}
_TYPES = {pl.String: "VARCHAR", pl.Int64: "BIGINT", pl.Boolean: "BOOLEAN", pl.Date: "DATE"}


@dataclass(frozen=True, slots=True)
class QueryTable:
    """`prefix` is its place in the lake; `columns` map a name to its polars type."""

    name: str
    prefix: str
    about: str
    columns: dict[str, Any]

    @property
    def ddl(self) -> str:
        """An empty table of the same shape."""
        body = ", ".join(f'"{name}" {sql_type(kind)}' for name, kind in self.columns.items())
        return f"CREATE TABLE {self.name} ({body})"

    def described(self) -> list[dict[str, str]]:
        return [
            {"Column": name, "Type": sql_type(kind), "Meaning": _MEANING.get(name, "")}
            for name, kind in self.columns.items()
        ]


def sql_type(kind: Any) -> str:
    return _TYPES.get(kind, "TIMESTAMPTZ")


def _curated(table: facts.Table, about: str) -> QueryTable:
    columns = {"dt": pl.Date, **table.columns}
    return QueryTable(table.name, f"curated/{table.name}/", about, columns)


TABLES = {
    table.name: table
    for table in (
        _curated(facts.ORDER_LINES, "One row per line sold or given back: the sales"),
        _curated(facts.ORDERS, "One row per order event: placed, paid, shipped, refunded …"),
        _curated(facts.CLICKSTREAM, "One row per browser event: views, searches, carts"),
        QueryTable(
            "quarantine",
            "quarantine/",
            "Events that were refused, with the reason; dates by arrival",
            facts.QUARANTINE,
        ),
        QueryTable("events", "raw/", "Every event as it came; dates by arrival", facts.RAW),
    )
}
CURATED = {table.name: table for table in facts.TABLES}
