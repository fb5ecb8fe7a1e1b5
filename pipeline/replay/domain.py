"""An order log as events: one invoice is one order, one credit note one refund.

A row that cannot be booked goes as an event of its own, so that the pipeline itself refuses it and
keeps it in quarantine with the reason.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import polars as pl

from pipeline.contracts.events import ORDER_PLACED, ORDER_REFUNDED, to_iso_z
from pipeline.contracts.ids import order_event_id
from pipeline.replay.categories import category_of
from pipeline.replay.files import BOOKED

SOURCE = "replay"
MAX_LINES = 2_000  # of one order event
MAX_TITLE = 200
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LogEvent:
    """An event, the rows of the log it stands for, and when it happened, if that is legible."""

    event: dict[str, Any]
    rows: int
    at: datetime | None


def order_id_of(invoice: str) -> str:
    return f"{SOURCE}:{invoice}"


def event_ids(log: pl.DataFrame, currency: str) -> list[str]:
    """The ids of every event of a log frame, in the order they are sent."""
    return [one.event["event_id"] for one in events(log, currency)]


def weeks_to_now(log: pl.DataFrame, now: datetime) -> int:
    """How many whole weeks later the last row may lie without being in the future."""
    last = log["at"].max()
    return (now - last) // timedelta(weeks=1) if isinstance(last, datetime) else 0


def shifted(log: pl.DataFrame, weeks: int) -> pl.DataFrame:
    return log.with_columns(pl.col("at").dt.offset_by(f"{weeks}w"))


def events(log: pl.DataFrame, currency: str) -> Iterator[LogEvent]:
    """The events of a log frame, by the first row of each.

    Rows of one invoice with another customer or country, and more than MAX_LINES, make orders of
    their own (`<invoice>/2` …): no rule of the log forbids them, and no row is dropped.
    """
    booked = log.filter(pl.col("fate").is_in(BOOKED))
    groups = booked.group_by(
        "invoice", "customer_id", "country", "fate",
        pl.col("line_no") // (MAX_LINES + 1), maintain_order=True,
    )  # fmt: skip
    faulty = log.filter(~pl.col("fate").is_in(BOOKED)).iter_rows(named=True)
    waiting = next(faulty, None)
    parts: Counter[str] = Counter()
    for rows in _rows_of(groups):
        while waiting and waiting["row"] < rows[0]["row"]:
            yield _faulty_event(waiting, currency)
            waiting = next(faulty, None)
        invoice = rows[0]["invoice"]
        parts[invoice] += 1
        suffix = f"/{parts[invoice]}" if parts[invoice] > 1 else ""
        yield _order_event(order_id_of(invoice) + suffix, rows, currency)
    while waiting:
        yield _faulty_event(waiting, currency)
        waiting = next(faulty, None)


def _rows_of(groups: Any) -> Iterator[list[Row]]:
    """The rows of each group, as dicts; made from column lists, far cheaper than from frames."""
    varying = ("row", "stock_code", "description", "quantity", "at", "minor", "number")
    grouped = groups.agg(pl.col(varying[:-1]), pl.col("line_no").alias("number"))
    for group in grouped.iter_rows(named=True):
        same = {name: group[name] for name in ("invoice", "customer_id", "country", "fate")}
        for_each = zip(*(group[name] for name in varying), strict=True)
        yield [same | dict(zip(varying, cells, strict=True)) for cells in for_each]


def _order_event(order_id: str, rows: list[Row], currency: str) -> LogEvent:
    first = rows[0]
    is_sale = first["fate"] == "sale"
    lines = [_line(row, 1 if is_sale else -1) for row in rows]
    total = sum(line["line_total_minor"] for line in lines)
    event = _envelope(
        ORDER_PLACED if is_sale else ORDER_REFUNDED,
        order_id,
        to_iso_z(first["at"]),
        {
            "status": "placed" if is_sale else "refunded",
            "customer_id": first["customer_id"],
            "country": first["country"],
            "currency": currency,
            "lines": lines,
            "subtotal_minor": total,
            "total_minor": total,
        },
    )
    return LogEvent(event, len(rows), first["at"])


def _line(row: Row, sign: int) -> dict[str, Any]:
    title = (row["description"] or row["stock_code"])[:MAX_TITLE]
    quantity, price = abs(row["quantity"]), round(row["minor"])
    return {
        "line_no": row["number"],
        "sku": row["stock_code"],
        "product_id": row["stock_code"],
        "title": title,
        "category": category_of(row["stock_code"], title),
        "quantity": quantity,
        "unit_price_minor": price,
        "line_total_minor": sign * quantity * price,
    }


def _faulty_event(row: Row, currency: str) -> LogEvent:
    """A row as it stands, numbers that are none included: the pipeline names what is wrong."""
    raw = row["raw"]
    price = row["minor"]
    number = round(price) if price is not None and abs(price - round(price)) < 1e-6 else price
    line = {
        "line_no": row["line_no"],
        "sku": raw["stock_code"],
        "product_id": raw["stock_code"],
        "title": raw["description"] or raw["stock_code"],
        "category": "",
        "quantity": row["quantity"] if row["quantity"] is not None else raw["quantity"],
        "unit_price_minor": number if price is not None else raw["price"],
        "line_total_minor": None,
    }
    event = _envelope(
        ORDER_PLACED,
        order_id_of(_name_of_faulty(row)),
        to_iso_z(row["at"]) if row["at"] else (raw["at"] or ""),
        {"status": "placed", "country": row["country"], "currency": currency, "lines": [line]},
    )
    return LogEvent(event, 1, row["at"])


def _name_of_faulty(row: Row) -> str:
    """By invoice and place; where the invoice does not tell files apart, by what the row says."""
    invoice = row["invoice"] or ""
    place = f"{invoice[:100]}:row-{row['row']}"
    if 1 <= len(invoice) <= 100:
        return place
    content = json.dumps(row["raw"], sort_keys=True, ensure_ascii=False)
    return f"{place[:80]}-{sha256(content.encode()).hexdigest()[:12]}"


def _envelope(kind: str, order_id: str, at: str, payload: dict[str, Any]) -> dict[str, Any]:
    return {
        "event_id": order_event_id(order_id, 1),
        "event_type": kind,
        "occurred_at": at,
        "source": SOURCE,
        "correlation_id": order_id,
        "causation_id": None,
        "partition_key": order_id,
        "synthetic": False,
        "payload": {"order_id": order_id, "version": 1, "placed_at": at, **payload},
    }
