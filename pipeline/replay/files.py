"""Reads an order log, Parquet or CSV, and says of every row what it is.

A log frame is DataFrame[row: i64, invoice: str, stock_code: str, description: str?, quantity: i64?,
at: datetime us UTC?, minor: f64? (unit price in minor units, maybe fractional), customer_id: str?,
country: str, line_no: i64 (place in its invoice, from 1), fate: str, raw: struct of the cells as
text], in file order. `fate` is `sale`, `refund`, or why the row cannot be booked.
"""

import hashlib
from pathlib import Path

import polars as pl

from pipeline.contracts.money import MAX_MINOR

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
BOOKED = ("sale", "refund")
QUARANTINED = (
    "zero_price", "sub_minor_price", "negative_price", "negative_quantity", "corrupt_row"
)  # fmt: skip
_MAX_QUANTITY = 1_000_000
_DATE_FORMATS = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M",
                 "%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S")  # fmt: skip


class UnusableLog(Exception):
    """The file as a whole cannot be replayed; the message says why."""


def read_log(path: Path, limit: int | None = None) -> pl.DataFrame:
    """The log frame of a file.

    Args: `limit` in rows; the invoice that the last of them belongs to is read to its end, because
    half an order would later pass for the whole one.
    Raises: UnusableLog when the file cannot be read or lacks a column.
    """
    raw = _read(path)
    missing = [name for name in COLUMNS if name not in raw.columns]
    if missing:
        raise UnusableLog(
            f"{path.name} lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}; "
            f"it has {', '.join(raw.columns)}"
        )
    raw = raw.select(pl.col(name).alias(alias) for name, alias in COLUMNS.items())
    if limit is not None and limit < raw.height:
        wanted = raw.head(limit).select("invoice").unique()
        raw = raw.join(wanted, on="invoice", how="semi", nulls_equal=True, maintain_order="left")
    return _with_fate(_typed(raw))


def fingerprint(path: Path) -> str:
    """Of the file's content, so that a renamed copy is known again."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def _read(path: Path) -> pl.DataFrame:
    if not path.is_file():
        raise UnusableLog(f"There is no file {path}")
    try:
        with path.open("rb") as file:
            is_parquet = file.read(4) == b"PAR1"
        if is_parquet:
            return pl.read_parquet(path)
        if path.suffix.lower() == ".parquet":
            raise UnusableLog(f"{path.name} is not a Parquet file")
        return pl.read_csv(
            path, infer_schema=False, encoding="utf8-lossy", truncate_ragged_lines=True
        )
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = str(error).splitlines()[0][:200]
        raise UnusableLog(f"{path.name} cannot be read: {reason}") from None


def _typed(raw: pl.DataFrame) -> pl.DataFrame:
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
            pl.col("quantity").cast(pl.Float64, strict=False),
            _moment(raw.schema["at"]),
            (pl.col("price").cast(pl.Float64, strict=False) * 100).alias("minor"),
            # Some copies of the log write the number as a float.
            customer.str.strip_suffix(".0").replace("", None).alias("customer_id"),
            pl.col("country").cast(pl.String).str.strip_chars().replace("", None)
            .fill_null("Unspecified"),
        )
        .with_columns(pl.int_range(1, pl.len() + 1).over("invoice").alias("line_no"))
        .drop("price")
    )  # fmt: skip


def _moment(dtype: pl.DataType) -> pl.Expr:
    """The log's wall-clock times, taken as UTC (docs/data.md)."""
    column = pl.col("at")
    if dtype == pl.String:
        parsed = [
            column.str.strip_chars().str.to_datetime(form, strict=False, time_unit="us")
            for form in _DATE_FORMATS
        ]
        column = pl.coalesce(parsed)
    return column.cast(pl.Datetime("us"), strict=False).dt.replace_time_zone("UTC").alias("at")


def _with_fate(log: pl.DataFrame) -> pl.DataFrame:
    whole = (pl.col("minor") - pl.col("minor").round()).abs() < 1e-6
    is_refund = pl.col("invoice").str.starts_with("C")
    total = (pl.col("minor") * pl.col("quantity")).abs()
    usable = (
        (pl.col("invoice").str.len_chars().is_between(1, 100))
        & pl.col("stock_code").str.len_chars().is_between(1, 128)
        & (pl.col("country").str.len_chars() <= 512)
        & (pl.col("customer_id").fill_null("").str.len_chars() <= 128)
        & pl.col("at").is_not_null()
        & pl.col("minor").is_finite()
        & (pl.col("quantity").round() == pl.col("quantity"))
        & (pl.col("quantity") != 0)
        & (pl.col("quantity").abs() <= _MAX_QUANTITY)
        & (pl.col("minor").abs() <= MAX_MINOR)
        & (total <= MAX_MINOR)
    )
    return log.with_columns(
        pl.when(~usable.fill_null(False)).then(pl.lit("corrupt_row"))
        .when(pl.col("minor") < 0).then(pl.lit("negative_price"))
        .when(pl.col("minor") == 0).then(pl.lit("zero_price"))
        .when(~whole).then(pl.lit("sub_minor_price"))
        .when(is_refund).then(pl.lit("refund"))
        .when(pl.col("quantity") < 0).then(pl.lit("negative_quantity"))
        .otherwise(pl.lit("sale"))
        .alias("fate"),
        pl.col("quantity").cast(pl.Int64, strict=False),
    )  # fmt: skip
