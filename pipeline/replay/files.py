"""Reads an order log, Parquet or text, and says of every row what it is.

A log frame is DataFrame[row: i64, invoice: str, stock_code: str, description: str?, quantity: i64?,
at: datetime us UTC?, minor: f64? (unit price in minor units, maybe fractional), customer_id: str?,
country: str, line_no: i64 (place in its invoice, from 1), fate: str, fault: str? (what makes a row
corrupt), raw: struct of the cells as text], in file order. `fate` is `sale`, `refund`, or why the
row cannot be booked.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipeline.contracts.money import MAX_MINOR
from pipeline.replay.cells import Cells, read_cells
from pipeline.replay.moments import moments

COLUMNS = {
    "InvoiceNo": "invoice",
    "StockCode": "stock_code",
    "Description": "description",
    "Quantity": "quantity",
    "InvoiceDate": "at",
    "UnitPrice": "price",
    "CustomerID": "customer_id",
    "Country": "country",
}
# How the second edition of the log names three of them.
_ALSO = {"invoice": "InvoiceNo", "price": "UnitPrice"}
_CURRENCY = "currency"
BOOKED = ("sale", "refund")
QUARANTINED = (
    "zero_price", "sub_minor_price", "negative_price", "negative_quantity", "corrupt_row"
)  # fmt: skip
_MAX_QUANTITY = 1_000_000


class UnusableLog(Exception):
    """The file as a whole cannot be replayed; the message says why."""


@dataclass(frozen=True, slots=True)
class OrderLog:
    """`rows` is a log frame; the rest is how the file had to be read.

    `cells` is None for Parquet, `ignored` are columns that nobody asked for.
    """

    rows: pl.DataFrame
    cells: Cells | None
    is_day_first: bool
    ignored: tuple[str, ...]


def read_log(path: Path, limit: int | None = None) -> pl.DataFrame:
    """The log frame of a file; see `open_log`."""
    return open_log(path, limit).rows


def open_log(path: Path, limit: int | None = None, currency: str | None = None) -> OrderLog:
    """A file's log frame, and how it was read.

    Args: `limit` in rows; the invoice that the last of them belongs to is read to its end, because
    half an order would later pass for the whole one. `currency` is the shop's: the log names none,
    and a file that names another is refused.
    Raises: UnusableLog when the file cannot be read, lacks a column or is in another currency.
    """
    raw, cells = _read(path)
    names = _names_of(raw.columns)
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise UnusableLog(
            f"{path.name} lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}; "
            f"it has {', '.join(raw.columns)}"
        )
    ignored = tuple(name for name in raw.columns if name not in names.values())
    _check_currency(path, raw, ignored, currency)
    raw = raw.select(pl.col(names[name]).alias(alias) for name, alias in COLUMNS.items())
    if limit is not None and limit < raw.height:
        wanted = raw.head(limit).select("invoice").unique()
        raw = raw.join(wanted, on="invoice", how="semi", nulls_equal=True, maintain_order="left")
    at, is_day_first = moments(raw["at"])
    has_decimal_comma = cells is not None and cells.separator != ","
    log = _with_fate(_typed(raw, at, has_decimal_comma=has_decimal_comma))
    return OrderLog(log, cells, is_day_first, ignored)


def _names_of(columns: list[str]) -> dict[str, str]:
    """Our name of a column -> the file's, whatever its case and blanks."""
    known = {name.lower(): name for name in COLUMNS} | _ALSO
    found: dict[str, str] = {}
    for column in columns:
        folded = "".join(filter(str.isalnum, column)).lower()
        if name := known.get(folded):
            found.setdefault(name, column)
    return found


def _check_currency(
    path: Path, raw: pl.DataFrame, ignored: tuple[str, ...], currency: str | None
) -> None:
    column = next((name for name in ignored if name.strip().lower() == _CURRENCY), None)
    if column is None or currency is None:
        return
    found = raw[column].drop_nulls().cast(pl.String).str.strip_chars().str.to_uppercase().unique()
    others = sorted(set(found) - {currency})
    if others:
        raise UnusableLog(
            f"{path.name} has prices in {', '.join(others[:5])}; this shop's are in {currency}, "
            "and amounts of different currencies are never added"
        )


def fingerprint(path: Path) -> str:
    """Of the file's content, so that a renamed copy is known again."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def _read(path: Path) -> tuple[pl.DataFrame, Cells | None]:
    if not path.is_file():
        raise UnusableLog(f"There is no file {path}")
    try:
        with path.open("rb") as file:
            is_parquet = file.read(4) == b"PAR1"
        if is_parquet:
            return pl.read_parquet(path), None
        if path.suffix.lower() == ".parquet":
            raise UnusableLog(f"{path.name} is not a Parquet file")
        cells = read_cells(path.read_bytes())
        return cells.frame, cells
    except (OSError, ValueError, pl.exceptions.PolarsError) as error:
        reason = str(error).splitlines()[0][:200]
        raise UnusableLog(f"{path.name} cannot be read: {reason}") from None


def _typed(raw: pl.DataFrame, at: pl.Series, *, has_decimal_comma: bool) -> pl.DataFrame:
    text = pl.struct(pl.all().cast(pl.String)).alias("raw")
    customer = pl.col("customer_id").cast(pl.String).str.strip_chars()
    return (
        raw.with_columns(text)
        .with_row_index("row")
        .with_columns(
            pl.col("row").cast(pl.Int64),
            pl.col("invoice").cast(pl.String).str.strip_chars(),
            pl.col("stock_code").cast(pl.String).str.strip_chars(),
            pl.col("description").cast(pl.String).str.strip_chars(),
            _number(raw, "quantity", has_decimal_comma),
            at.alias("at"),
            (_number(raw, "price", has_decimal_comma) * 100).alias("minor"),
            # Some copies of the log write the number as a float.
            customer.str.strip_suffix(".0").replace("", None).alias("customer_id"),
            pl.col("country").cast(pl.String).str.strip_chars().replace("", None)
            .fill_null("Unspecified"),
        )
        .with_columns(pl.int_range(1, pl.len() + 1).over("invoice").alias("line_no"))
        .drop("price")
    )  # fmt: skip


def _number(raw: pl.DataFrame, name: str, has_decimal_comma: bool) -> pl.Expr:
    """Where commas do not part the cells, `2,55` is how such programs write two and a half."""
    column = pl.col(name)
    if raw.schema[name] == pl.String:
        column = column.str.strip_chars()
        if has_decimal_comma:
            column = column.str.replace(r"^(-?\d+),(\d+)$", "$1.$2")
    return column.cast(pl.Float64, strict=False)


def _faults() -> dict[str, pl.Expr]:
    """What makes a row corrupt -> whether it does; the first that holds is the one named."""
    quantity, minor = pl.col("quantity"), pl.col("minor")

    def length(name: str) -> pl.Expr:
        return pl.col(name).str.len_chars().fill_null(0)

    def is_no_number(value: pl.Expr) -> pl.Expr:
        return ~value.is_finite().fill_null(False)

    return {
        "InvoiceNo: none": length("invoice") == 0,
        "InvoiceNo: over 100 characters": length("invoice") > 100,
        "StockCode: none": length("stock_code") == 0,
        "StockCode: over 128 characters": length("stock_code") > 128,
        "Country: over 512 characters": length("country") > 512,
        "CustomerID: over 128 characters": length("customer_id") > 128,
        "InvoiceDate: none, or not legible": pl.col("at").is_null(),
        "UnitPrice: no number": is_no_number(minor),
        "Quantity: no number": is_no_number(quantity),
        "Quantity: zero": quantity == 0,
        "Quantity: not whole": quantity.round() != quantity,
        "Quantity: over a million": quantity.abs() > _MAX_QUANTITY,
        "amount: over the largest": (minor.abs() > MAX_MINOR)
        | ((minor * quantity).abs() > MAX_MINOR),
    }


def _with_fate(log: pl.DataFrame) -> pl.DataFrame:
    whole = (pl.col("minor") - pl.col("minor").round()).abs() < 1e-6
    named = [pl.when(is_so).then(pl.lit(fault)) for fault, is_so in _faults().items()]
    return log.with_columns(pl.coalesce(named).alias("fault")).with_columns(
        pl.when(pl.col("fault").is_not_null()).then(pl.lit("corrupt_row"))
        .when(pl.col("minor") < 0).then(pl.lit("negative_price"))
        .when(pl.col("minor") == 0).then(pl.lit("zero_price"))
        .when(~whole).then(pl.lit("sub_minor_price"))
        .when(pl.col("invoice").str.starts_with("C")).then(pl.lit("refund"))
        .when(pl.col("quantity") < 0).then(pl.lit("negative_quantity"))
        .otherwise(pl.lit("sale"))
        .alias("fate"),
        pl.col("quantity").cast(pl.Int64, strict=False),
    )  # fmt: skip
