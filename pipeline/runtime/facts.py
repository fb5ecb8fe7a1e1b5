"""From raw events to the typed rows that people query: the columns of every file of the lake.

A raw frame has the columns RAW, one row per accepted record of the stream: `payload` and `extra`
(fields that no schema knew when it landed: of the envelope, and under `payload` those of the
payload) are JSON, times are UTC. A quarantine frame has the columns QUARANTINE, one row per refused
record. Curated tables have the columns of their `Table`; the last, `extra`, is JSON again.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl
from pydantic import BaseModel
from pydantic_core import to_json

from pipeline.contracts.events import CLICK_TYPES, ORDER_PLACED, ORDER_TYPES, REVERSALS, OrderFact
from pipeline.contracts.events import Click as ClickPayload

_TIME = pl.Datetime("us", "UTC")
_I64 = pl.Int64
_INT64_LIMIT = 2**63

RAW: dict[str, Any] = {
    "event_id": pl.String, "event_type": pl.String, "occurred_at": _TIME, "source": pl.String,
    "correlation_id": pl.String, "causation_id": pl.String, "partition_key": pl.String,
    "synthetic": pl.Boolean, "payload": pl.String, "extra": pl.String, "shard": pl.String,
    "sequence_number": pl.String, "arrived_at": _TIME,
}  # fmt: skip
# What `rows_of` reads of it.
SOURCES = ("event_id", "event_type", "occurred_at", "source", "synthetic", "payload", "extra")
QUARANTINE: dict[str, Any] = {
    "event_id": pl.String, "reason": pl.String, "detail": pl.String, "body": pl.String,
    "source": pl.String, "arrived_at": _TIME, "shard": pl.String, "sequence_number": pl.String,
}  # fmt: skip
_LINE: dict[str, Any] = {
    "line_no": _I64, "sku": pl.String, "product_id": pl.String, "title": pl.String,
    "category": pl.String, "quantity": _I64, "unit_price_minor": _I64, "line_total_minor": _I64,
}  # fmt: skip
_FACT: dict[str, Any] = {
    "order_id": pl.String, "version": _I64, "status": pl.String, "placed_at": pl.String,
    "customer_id": pl.String, "country": pl.String, "currency": pl.String,
    "subtotal_minor": _I64, "discount_minor": _I64, "shipping_minor": _I64, "tax_minor": _I64,
    "total_minor": _I64, "refund_id": pl.String, "lines": pl.List(pl.Struct(_LINE)),
}  # fmt: skip
_CLICK: dict[str, Any] = {
    "session_id": pl.String, "anonymous_id": pl.String, "customer_id": pl.String,
    "product_id": pl.String, "sku": pl.String, "query": pl.String, "results_count": _I64,
    "referrer": pl.String, "device": pl.String, "path": pl.String, "order_id": pl.String,
}  # fmt: skip
# What compaction takes from the catalogue for a click that names a product; null before.
OF_PRODUCT: dict[str, Any] = {"title": pl.String, "category": pl.String, "brand": pl.String}


@dataclass(frozen=True, slots=True)
class Table:
    """A curated table: its columns in order, what makes a row unique, and how files are sorted."""

    name: str
    columns: dict[str, Any]
    identity: tuple[str, ...]
    order: tuple[str, ...]


ORDER_LINES = Table(
    "order_lines",
    {
        "order_id": pl.String, "line_no": _I64, "placed_at": _TIME, "customer_id": pl.String,
        "country": pl.String, "sku": pl.String, "product_id": pl.String, "title": pl.String,
        "category": pl.String, "quantity": _I64, "unit_price_minor": _I64,
        "line_total_minor": _I64, "currency": pl.String, "kind": pl.String, "source": pl.String,
        "synthetic": pl.Boolean, "event_id": pl.String, "extra": pl.String,
    },
    ("event_id", "line_no"),
    ("placed_at", "order_id", "event_id", "line_no"),
)  # fmt: skip
ORDERS = Table(
    "orders",
    {
        "event_id": pl.String, "event_type": pl.String, "occurred_at": _TIME,
        "order_id": pl.String, "version": _I64, "status": pl.String, "placed_at": _TIME,
        "customer_id": pl.String, "country": pl.String, "currency": pl.String, "lines": _I64,
        "units": _I64, "subtotal_minor": _I64, "discount_minor": _I64, "shipping_minor": _I64,
        "tax_minor": _I64, "total_minor": _I64, "refund_id": pl.String, "source": pl.String,
        "synthetic": pl.Boolean, "extra": pl.String,
    },
    ("event_id",),
    ("occurred_at", "order_id", "version", "event_id"),
)  # fmt: skip
CLICKSTREAM = Table(
    "clickstream",
    {
        "event_id": pl.String, "event_type": pl.String, "occurred_at": _TIME, **_CLICK,
        **OF_PRODUCT, "source": pl.String, "synthetic": pl.Boolean, "extra": pl.String,
    },
    ("event_id",),
    ("occurred_at", "event_id"),
)  # fmt: skip
TABLES = (ORDER_LINES, ORDERS, CLICKSTREAM)


def rows_of(table: Table, events: pl.DataFrame) -> pl.DataFrame:
    """The rows that raw events add to a table, with `dt: Date` (of `occurred_at`, UTC) in front.

    Every delivery of an event gives its rows again; `deduplicated` keeps one of each.
    """
    makers = {"order_lines": _order_lines, "orders": _orders, "clickstream": _clicks}
    return makers[table.name](events).select(
        pl.col("occurred_at").dt.date().alias("dt"),
        *(pl.col(name).cast(dtype) for name, dtype in table.columns.items()),
    )


def conformed(table: Table, rows: pl.DataFrame) -> pl.DataFrame:
    """With the table's columns: a file has those that its table had when it was written."""
    known = rows.match_to_schema(table.columns, missing_columns="insert", extra_columns="ignore")
    return known.select(list(table.columns))


def deduplicated(table: Table, rows: pl.DataFrame) -> pl.DataFrame:
    """One row per fact, sorted as the table's files are."""
    return rows.unique(list(table.identity), keep="first").sort(table.order)


def _order_lines(events: pl.DataFrame) -> pl.DataFrame:
    moved = events.filter(pl.col("event_type").is_in([ORDER_PLACED, *REVERSALS]))
    is_sale = pl.col("event_type") == ORDER_PLACED
    total = pl.col("line_total_minor")
    lines = (
        _with_payload(moved, _FACT, OrderFact)
        .with_row_index("place")
        .explode("lines", empty_as_null=False)
        .unnest("lines")
    )
    return _with_extras(lines, _line_extras(moved)).with_columns(
        pl.when(is_sale).then(pl.lit("sale")).otherwise(pl.lit("refund")).alias("kind"),
        # One rule for every reversal: its lines take back what they name, whatever their sign.
        pl.when(is_sale).then(total).otherwise(-total.abs()).alias("line_total_minor"),
        _origin(),
    )


def _with_extras(lines: pl.DataFrame, extras: pl.DataFrame) -> pl.DataFrame:
    if extras.is_empty():
        return lines.with_columns(pl.lit(None, pl.String).alias("extra"))
    numbered = lines.with_columns(pl.int_range(pl.len()).over("place").alias("line"))
    return numbered.join(extras, on=["place", "line"], how="left", maintain_order="left")


def _line_extras(events: pl.DataFrame) -> pl.DataFrame:
    """DataFrame[place, line, extra]: of the event at a place, the lines with unknown fields."""
    found = [
        (place, int(line), to_json(fields).decode())
        for place, _, payload in _extras(events)
        for line, fields in payload.get("lines", {}).items()
    ]
    return pl.DataFrame(
        found, {"place": pl.get_index_type(), "line": _I64, "extra": pl.String}, orient="row"
    )


def _event_extras(events: pl.DataFrame, *without: str) -> pl.Series:
    """Per event the JSON of what its schema did not know, less some fields; null for most."""
    found: list[str | None] = [None] * events.height
    for place, sent_as, payload in _extras(events):
        said = {name: value for name, value in payload.items() if name not in without}
        said |= {"sent_as": sent_as} if sent_as else {}
        found[place] = to_json(said).decode() if said else None
    return pl.Series("extra", found, pl.String)


def _extras(events: pl.DataFrame) -> Iterator[tuple[int, str | None, dict[str, Any]]]:
    """(place, the version it was sent as, unknown fields of its payload) of those that have any."""
    if "extra" not in events.columns:
        return
    is_of_payload = pl.col("extra").str.contains_any(['"payload":', '"sent_as":'])
    some = events.select(pl.col("extra").cast(pl.String)).with_row_index("place")
    for place, text in some.filter(is_of_payload).iter_rows():
        extra = json.loads(text)
        yield place, extra.get("sent_as"), extra.get("payload", {})


def _orders(events: pl.DataFrame) -> pl.DataFrame:
    facts = events.filter(pl.col("event_type").is_in(ORDER_TYPES))
    quantity = pl.element().struct.field("quantity")
    return _with_payload(facts, _FACT, OrderFact).with_columns(
        pl.col("lines").list.eval(quantity).list.sum().alias("units"),
        pl.col("lines").list.len().alias("lines"),
        pl.col("discount_minor", "shipping_minor", "tax_minor").fill_null(0),
        _event_extras(facts, "lines"),
        _origin(),
    )


def _clicks(events: pl.DataFrame) -> pl.DataFrame:
    clicks = events.filter(pl.col("event_type").is_in(CLICK_TYPES))
    return _with_payload(clicks, _CLICK, ClickPayload).with_columns(
        _event_extras(clicks),
        *(pl.lit(None, dtype).alias(name) for name, dtype in OF_PRODUCT.items()),
    )


def _origin() -> pl.Expr:
    is_replay = pl.col("source") == "replay"
    return pl.when(is_replay).then(pl.lit("replay")).otherwise(pl.lit("live")).alias("source")


def _with_payload(
    events: pl.DataFrame, fields: dict[str, Any], model: type[BaseModel]
) -> pl.DataFrame:
    """The events with the payload's fields as columns; `placed_at`, if among them, as a time."""
    head = events.select("event_id", "event_type", "occurred_at", "source", "synthetic")
    payloads = events["payload"]
    try:
        decoded = _decode(payloads, fields)
    except (pl.exceptions.PolarsError, _Unusual):
        decoded = _decode(_canonical(payloads, fields, model), fields)
    return pl.concat([head, decoded], how="horizontal")


class _Unusual(Exception):
    """A payload is valid by its schema, but not written the way its fields are typed."""


def _decode(payloads: pl.Series, fields: dict[str, Any]) -> pl.DataFrame:
    decoded = payloads.str.json_decode(pl.Struct(fields)).struct.unnest()
    if "placed_at" in fields:
        text = decoded["placed_at"]
        moments = text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us", strict=False)
        if moments.null_count() or decoded["version"].null_count():
            raise _Unusual
        decoded = decoded.with_columns(moments.dt.replace_time_zone("UTC").alias("placed_at"))
    return decoded


def _canonical(payloads: pl.Series, fields: dict[str, Any], model: type[BaseModel]) -> pl.Series:
    """Each payload through its schema again: `"1"` becomes 1, any time becomes UTC with a Z."""
    return pl.Series(
        [to_json(_known(model.model_validate_json(text), fields)).decode() for text in payloads],
        dtype=pl.String,
    )


def _known(value: BaseModel, fields: dict[str, Any]) -> dict[str, Any]:
    known: dict[str, Any] = {}
    for name, content in value.model_dump(mode="json", include=set(fields)).items():
        is_beyond = isinstance(content, int) and abs(content) >= _INT64_LIMIT
        known[name] = None if is_beyond else content
    if isinstance(value, OrderFact):
        known["lines"] = [_known(line, _LINE) for line in value.lines]
    return known
