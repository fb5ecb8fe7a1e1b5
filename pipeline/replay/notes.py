"""What is odd about an order log and is booked, or read, all the same: named, with a count."""

from collections.abc import Iterator

import polars as pl

from pipeline.replay.domain import MAX_TITLE
from pipeline.replay.files import BOOKED, OrderLog

Note = tuple[str, int | None]


def notes_of(log: OrderLog) -> list[Note]:
    """(what is so, of how many rows; None where it is of the whole file), without the zeros."""
    return [note for note in [*_of_the_file(log), *_of_the_rows(log.rows)] if note[1] != 0]


def faults_of(log: pl.DataFrame) -> dict[str, int]:
    """What makes rows corrupt -> how many, most frequent first."""
    counted = log["fault"].drop_nulls().value_counts(sort=True)
    return dict(counted.sort(["count", "fault"], descending=[True, False]).iter_rows())


def _of_the_file(log: OrderLog) -> Iterator[Note]:
    if log.is_day_first:
        yield "dates are day/month/year", None
    if log.ignored:
        yield f"columns left out: {', '.join(log.ignored)}", None
    if cells := log.cells:
        if cells.encoding != "utf-8":
            yield f"text is {cells.encoding}", None
        if cells.separator != ",":
            yield f"cells are parted by {cells.separator!r}", None
        yield "more cells than columns; the last ones left out", cells.cut_rows
        yield "a quotation mark that is never closed, taken literally", cells.open_quotes


def _of_the_rows(log: pl.DataFrame) -> Iterator[Note]:
    booked = log.filter(pl.col("fate").is_in(BOOKED))
    facts = ["invoice", "stock_code", "description", "quantity", "at", "minor", "customer_id",
             "country"]  # fmt: skip
    yield (
        "equal to an earlier row of their invoice: lines of it, too",
        (booked.height - booked.select(facts).n_unique()),
    )
    refunds = booked.filter(pl.col("fate") == "refund")
    sales = booked.filter(pl.col("fate") == "sale")
    goods = ["customer_id", "stock_code"]
    yield (
        "refund lines of goods that this customer bought nowhere in the file",
        (refunds.join(sales, on=goods, how="anti", nulls_equal=True).height),
    )
    yield "refund lines with a quantity above zero", refunds.filter(pl.col("quantity") > 0).height
    yield "rows of an invoice with several customers or countries", _of_mixed_invoices(booked)
    yield (
        "titles cut to their first 200 characters",
        (booked.filter(pl.col("description").str.len_chars() > MAX_TITLE).height),
    )
    yield "without a customer: guests", booked.filter(pl.col("customer_id").is_null()).height


def _of_mixed_invoices(booked: pl.DataFrame) -> int:
    owners = booked.select("invoice", "customer_id", "country").unique()
    mixed = owners.group_by("invoice").len().filter(pl.col("len") > 1)
    return booked.join(mixed, on="invoice", how="semi").height
