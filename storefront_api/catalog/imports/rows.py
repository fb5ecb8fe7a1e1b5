"""From the bytes of a file to products, line by line; what cannot be read is named, not fatal."""

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from pipeline.contracts.categories import SEPARATOR
from pipeline.contracts.errors import Unprocessable
from storefront_api.catalog.bodies import to_goods
from storefront_api.catalog.domain import Product, StockRow
from storefront_api.catalog.imports.domain import Format, LineError
from storefront_api.catalog.models import ProductBody

MAX_LINE_BYTES = 1_048_576
_PRODUCT = ("product_id", "title", "description", "category", "brand", "image_url", "tags",
            "featured")  # fmt: skip
_VARIANT = ("sku", "price_minor", "currency", "stock")
_REQUIRED = frozenset({"product_id", "title", "category", "sku", "price_minor"})
_OPTION = "option."


class WrongHeader(Exception):
    """The first line of a CSV file does not name the columns; the message says which."""


@dataclass(frozen=True, slots=True)
class Read:
    """A product as a file gives it, from line `first` to `last`, or what is wrong with it."""

    first: int
    last: int
    product_id: str | None
    body: dict[str, Any] | None
    error: LineError | None = None


def read(lines: Iterable[bytes], format: Format, currency: str) -> Iterator[Read]:
    """Every product in the order of the file. Raises WrongHeader."""
    return _read_jsonl(lines) if format is Format.JSONL else _read_csv(lines, currency)


def to_checked(found: Read, currency: str) -> tuple[Product, list[StockRow]] | LineError:
    """What an operator might have sent alone, checked in the same way."""
    if found.error is not None or found.body is None:
        return found.error or _wrong(found.first, None, "line", "is empty")
    try:
        body = ProductBody.model_validate(found.body)
        if body.product_id is None:  # without one, doing it again would make it again
            return _wrong(found.first, None, "product_id", "is required in an import")
        return to_goods(body.product_id, body, currency)
    except ValidationError as error:
        details = [
            (".".join(str(part) for part in detail["loc"]) or "line", detail["msg"])
            for detail in error.errors(
                include_url=False, include_input=False, include_context=False
            )
        ]
        return _named(found, details[:10])
    except Unprocessable as error:
        details = [(each["field"], each["message"]) for each in error.errors]
        return _named(found, details)


def _named(found: Read, details: list[tuple[str, str]]) -> LineError:
    """What a file says may be anything, half a character even: made fit to be stored."""
    plain = [(_storable(field), _storable(message)) for field, message in details]
    return LineError(found.first, found.product_id and _storable(found.product_id), tuple(plain))


def _storable(text: str) -> str:
    return text[:200].encode("utf-8", "replace").decode()


def _wrong(line: int, product_id: str | None, field: str, message: str) -> LineError:
    return LineError(line, product_id, ((field, message),))


def _read_jsonl(lines: Iterable[bytes]) -> Iterator[Read]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        if len(line) > MAX_LINE_BYTES:
            fault = _wrong(number, None, "line", f"is longer than {MAX_LINE_BYTES} bytes")
            yield Read(number, number, None, None, fault)
            continue
        try:
            body = json.loads(line)
            if not isinstance(body, dict):
                raise ValueError("is not a JSON object")
        except (ValueError, RecursionError) as error:
            message = str(error) if str(error) == "is not a JSON object" else "is not valid JSON"
            yield Read(number, number, None, None, _wrong(number, None, "line", message))
            continue
        product_id = body.get("product_id")
        yield Read(number, number, product_id if isinstance(product_id, str) else None, body)


def _read_csv(lines: Iterable[bytes], currency: str) -> Iterator[Read]:
    """One line a SKU; lines of one product follow each other, its own columns in the first."""
    # A byte that is not UTF-8 becomes a character that no text may have: the line is refused.
    text = (line.decode("utf-8", "surrogateescape") for line in lines)
    reader = csv.reader(text, strict=True)
    try:
        header = [name.strip().removeprefix("\ufeff") for name in next(reader, [])]
    except csv.Error as error:
        raise WrongHeader(f"The header cannot be read: {error}") from None
    _check_header(header)
    group: list[dict[str, str]] = []
    first, last = 0, reader.line_num
    while True:
        begin = last + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            last = reader.line_num
            yield Read(begin, last, None, None, _wrong(begin, None, "line", str(error)))
            continue
        if cells is not None and not any(cells):
            last = reader.line_num
            continue
        row = None if cells is None else dict(zip(header, cells, strict=False))
        if group and (
            row is None or row.get("product_id", "").strip() != group[0]["product_id"].strip()
        ):
            yield _grouped(first, last, group, currency)
            group = []
        if row is None:
            return
        last = reader.line_num
        if cells is not None and len(cells) != len(header):
            message = f"has {len(cells)} cells instead of {len(header)}"
            fault = _wrong(begin, row.get("product_id") or None, "line", message)
            yield Read(begin, last, None, None, fault)
            continue
        first = first if group else begin
        group.append(row)


def _check_header(header: list[str]) -> None:
    known = {*_PRODUCT, *_VARIANT}
    unknown = [name for name in header if name not in known and not name.startswith(_OPTION)]
    missing = sorted(_REQUIRED - set(header))
    if missing:
        raise WrongHeader(f"Columns are missing: {', '.join(missing)}")
    if unknown:
        raise WrongHeader(f"Columns nobody knows: {', '.join(unknown)[:200]}")
    if len(set(header)) != len(header):
        raise WrongHeader("A column is named twice")


def _grouped(first: int, last: int, group: list[dict[str, str]], currency: str) -> Read:
    """Cells as the body of a product; what is not a number stays text, and is refused by name."""
    head = group[0]
    body: dict[str, Any] = {
        "product_id": head["product_id"].strip(),
        "title": head["title"],
        "category": [level.strip() for level in head["category"].split(SEPARATOR.strip())],
        "variants": [_variant(row, currency) for row in group],
    }
    for name in ("description", "brand", "image_url"):
        if head.get(name):
            body[name] = head[name]
    if head.get("tags"):
        body["tags"] = [tag.strip() for tag in head["tags"].split("|")]
    if head.get("featured"):
        body["featured"] = head["featured"].strip().lower()
    return Read(first, last, body["product_id"], body)


def _variant(row: dict[str, str], currency: str) -> dict[str, Any]:
    options = {
        name.removeprefix(_OPTION): cell
        for name, cell in row.items()
        if name.startswith(_OPTION) and cell
    }
    price = {
        "amount_minor": _whole(row["price_minor"]),
        "currency": row.get("currency") or currency,
    }
    stock = {"stock": _whole(row["stock"])} if row.get("stock") else {}
    return {"sku": row["sku"].strip(), "options": options, "price": price, **stock}


def _whole(cell: str) -> int | str:
    text = cell.strip()
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) < 19 else cell
