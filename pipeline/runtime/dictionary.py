"""The data dictionary: every column of every table of the lake, in words.

`make contracts` writes it to `docs/contracts/data-dictionary.md`; compaction gives it to Glue, so
that Athena shows it; the console's Explore page shows it beside the editor. A column without an
entry here stops all three.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from pipeline.runtime.facts import CLICKSTREAM, ORDER_LINES, ORDERS, QUARANTINE, RAW

_MINOR = "minor units of `currency`"
_UTC = "UTC"
_ULID = "01JDKQ0V3M8Y2Z4X6W8V0T2R4P"
_TYPES = {pl.String: "string", pl.Int64: "bigint", pl.Boolean: "boolean", pl.Date: "date"}
_DT: dict[str, Any] = {"dt": pl.Date}

# name -> (one row per …, where, columns)
TABLES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "order_lines": (
        "line sold or given back", "curated/order_lines/, by event date",
        _DT | ORDER_LINES.columns,
    ),
    "orders": (
        "order event: placed, paid, shipped …", "curated/orders/, by event date",
        _DT | ORDERS.columns,
    ),
    "clickstream": (
        "browser event: views, searches, carts", "curated/clickstream/, by event date",
        _DT | CLICKSTREAM.columns,
    ),
    "events": ("record of the stream, every delivery", "raw/, by arrival date and hour", RAW),
    "quarantine": ("refused record, every delivery", "quarantine/, by arrival date", QUARANTINE),
}  # fmt: skip

# column, or table.column -> (unit, meaning, example)
_WORDS: dict[str, tuple[str, str, str]] = {
    "dt": (_UTC, "Date the event is booked on: that of its time; the partition", "2011-12-09"),
    "order_id": ("", "The order; `replay:<invoice>` for the order log", "replay:581587"),
    "clickstream.order_id": ("", "The order that was completed; else null", _ULID),
    "line_no": ("", "Place in the order, from 1", "3"),
    "placed_at": (_UTC, "When the order was placed; for refunds of the order log, when given back",
                  "2011-12-09T12:50:00Z"),
    "orders.placed_at": (_UTC, "When the order was placed", "2011-12-09T12:50:00Z"),
    "customer_id": ("", "Known customer; null for guests", "12680"),
    "country": ("", "Where it is sent, by the name the order log uses", "France"),
    "sku": ("", "Stock-keeping unit: what is counted on the shelf", "22138"),
    "product_id": ("", "Product the SKU belongs to", "22138"),
    "title": ("", "Name of the product when it was ordered", "BAKING SET 9 PIECE RETROSPOT"),
    "category": ("", "Category when it was ordered; derived from the title in the order log",
                 "Kitchen & dining"),
    "quantity": ("pieces", "Pieces, above zero also on refunds", "3"),
    "unit_price_minor": (_MINOR, "List price of a piece, before discounts", "495"),
    "line_total_minor": (_MINOR, "quantity × unit price; at or below zero on refunds", "1485"),
    "currency": ("ISO 4217", "Of every amount in the row; never add different ones", "GBP"),
    "kind": ("", "`sale` or `refund`; both together are net", "sale"),
    "source": ("", "`live` (the shop) or `replay` (a file)", "replay"),
    "clickstream.source": ("", "`browser`, or `replay` for clicks of a file: their days are real, "
                           "their times of day made up", "browser"),
    "events.source": ("", "Who made the event", "checkout"),
    "quarantine.source": ("", "Who made the event, if that is legible", "replay"),
    "synthetic": ("", "True for load tests and game days: leave them out of sales", "false"),
    "event_id": ("", "The event the row is of; `<order_id>:<version>` for orders",
                 "replay:581587:1"),
    "clickstream.event_id": ("", "The event the row is of", _ULID),
    "quarantine.event_id": ("", "Id of the refused event, if it has one",
                            "replay:536414:row-622:1"),
    "event_type": ("", "What happened: `context.fact.vN`", "order.placed.v1"),
    "clickstream.event_type": ("", "What happened: `shopper.fact.v1`", "shopper.product_viewed.v1"),
    "occurred_at": (_UTC, "When it happened", "2011-12-09T12:50:00Z"),
    "version": ("", "Version of the order after the event, from 1", "1"),
    "status": ("", "Status of the order after the event", "placed"),
    "lines": ("lines", "Number of lines", "4"),
    "units": ("pieces", "Pieces of all lines", "18"),
    "subtotal_minor": (_MINOR, "Merchandise at list prices", "4980"),
    "discount_minor": (_MINOR, "What a promotion took off; zero in the order log", "0"),
    "refund_id": ("", "The refund that `order.refunded.v1` tells of; else null", _ULID),
    "shipping_minor": (_MINOR, "Shipping; zero in the order log", "395"),
    "tax_minor": (_MINOR, "Tax on top; zero in the order log", "0"),
    "total_minor": (_MINOR, "subtotal - discount + shipping + tax; at or below zero on refunds",
                    "5375"),
    "session_id": ("", "One visit; null without consent", _ULID),
    "anonymous_id": ("", "One browser; null without consent", _ULID),
    "clickstream.customer_id": ("", "Shopper who was signed in; else null", _ULID),
    "clickstream.product_id": ("", "Product that was viewed or put in the cart", "livostyle-1042"),
    "clickstream.sku": ("", "SKU that was put in the cart", "livostyle-1042-red-m"),
    "clickstream.title": ("", "Name of that product in the catalogue when the click was compacted; "
                          "null in the raw tail and for what the catalogue did not know",
                          "Livostyle floor lamp"),
    "clickstream.category": ("", "Its category at that time, as `order_lines` has it; else null",
                             "Lighting"),
    "brand": ("", "Its brand at that time; null, too, for goods without", "Livostyle"),
    "query": ("", "What was searched for, as typed", "red dress"),
    "results_count": ("products", "How many products the search found", "41"),
    "referrer": ("", "Where the visit came from", "https://www.example.com/"),
    "device": ("", "`desktop` or `phone`", "phone"),
    "path": ("", "Page that was viewed", "/products/livostyle-1042"),
    "correlation_id": ("", "The request or run it belongs to, from browser to lake",
                       _ULID),
    "causation_id": ("", "The event that caused it; else null", f"{_ULID}:1"),
    "partition_key": ("", "What keeps its events in order on the stream", "replay:581587"),
    "payload": ("JSON", "The event's body; schemas in docs/contracts/events", '{"order_id": …}'),
    "extra": ("JSON", "Fields that no schema knew when it landed, and `sent_as` if nobody knew its "
              "version; else null", '{"campaign": "spring"}'),
    "order_lines.extra": ("JSON", "Fields of the line that no schema knew when it landed; else "
                          "null", '{"engraving": "Ann"}'),
    "events.extra": ("JSON", "The same, of the envelope; under `payload` those of the payload; "
                     "else null", '{"trace_header": …, "payload": {"campaign": "spring"}}'),
    "shard": ("", "Shard of the stream", "shardId-000000000000"),
    "sequence_number": ("", "Place on the shard; a decimal of varying length", "4966…0178"),
    "arrived_at": (_UTC, "When the stream took it", "2026-11-26T09:15:02Z"),
    "reason": ("", "Why it was refused", "zero_price"),
    "detail": ("", "The reason in words, naming the field", "line 1, sku 22139"),
    "body": ("", "What was refused, as it came", '{"event_id": …}'),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """One line of the dictionary; `type` is Athena's and Glue's name."""

    table: str
    name: str
    type: str
    unit: str
    meaning: str
    example: str


def sql_type(dtype: Any) -> str:
    return _TYPES.get(dtype, "timestamp")


def columns_of(table: str) -> list[Column]:
    """A table's columns in order. Raises KeyError for a table or column without an entry."""
    return [
        Column(table, name, sql_type(dtype), *_entry(table, name))
        for name, dtype in TABLES[table][2].items()
    ]


def meaning_of(table: str, column: str) -> str:
    return _entry(table, column)[1]


def unused_entries() -> list[str]:
    """Entries that no table has a column for."""
    used = {_key(table, name) for table, (_, _, columns) in TABLES.items() for name in columns}
    return sorted(_WORDS.keys() - used)


def markdown() -> str:
    """The whole dictionary as a document."""
    return "\n".join(_lines()) + "\n"


def _entry(table: str, column: str) -> tuple[str, str, str]:
    return _WORDS[_key(table, column)]


def _key(table: str, column: str) -> str:
    own = f"{table}.{column}"
    return own if own in _WORDS else column


def _lines() -> Iterator[str]:
    yield "# Data dictionary"
    yield "Written by `make contracts` from the schemas; [querying.md](../querying.md) says how to"
    yield "ask. Money is in whole minor units, times are UTC, `dt` is the partition."
    for table, (row, where, _) in TABLES.items():
        folder, _, partitions = where.partition(", ")
        yield f"\n## {table}\nOne row per {row}: `{folder}`, {partitions}.\n"
        yield "| column | type | unit | meaning | example |"
        yield "|---|---|---|---|---|"
        for column in columns_of(table):
            yield (
                f"| {column.name} | {column.type} | {column.unit} | {column.meaning} | "
                f"`{column.example}` |"
            )
