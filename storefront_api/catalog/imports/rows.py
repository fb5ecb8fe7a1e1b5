"""From the bytes of a file to products, line by line; what cannot be read is named, not fatal."""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
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


@dataclass(slots=True)
class _Group:
    """Lines `first` to `last` of one product; with a fault in one of them none is taken."""

    first: int
    last: int
    product_id: str
    rows: list[dict[str, str]]
    faults: list[tuple[str, str]]  # (`line 7`, what is wrong with it)

    def to_read(self, currency: str) -> Read:
        if not self.faults:
            return _grouped(self.first, self.last, self.rows, currency)
        fault = LineError(self.first, self.product_id or None, tuple(self.faults[:10]))
        return Read(self.first, self.last, self.product_id, None, fault)


def _read_csv(lines: Iterable[bytes], currency: str) -> Iterator[Read]:
    """One line a SKU; lines of one product follow each other, its own columns in the first.

    A product with a line that cannot be read is not taken: without that SKU it would be another.
    """
    # A byte that is not UTF-8 becomes a character that no text may have: the line is refused.
    text = (line.decode("utf-8", "surrogateescape") for line in lines)
    reader = csv.reader(text, strict=True)
    try:
        header = [name.strip().removeprefix("\ufeff") for name in next(reader, [])]
    except csv.Error as error:
        raise WrongHeader(f"The header cannot be read: {error}") from None
    _check_header(header)
    group: _Group | None = None
    beside: list[tuple[str, str]] = []  # of whose product nobody knows: maybe the next line's
    last = reader.line_num
    while True:
        begin = last + 1
        cells, fault = _cells(reader, header)
        last = reader.line_num
        if cells is not None and not any(cells):
            continue
        row = dict(zip(header, cells or (), strict=False))
        product_id = row.get("product_id", "").strip()
        # From the fault on the cells may be shifted; the first one is sound.
        is_anybodys = bool(fault) and (cells is None or header[0] != "product_id")
        if group and (cells is None or is_anybodys or product_id != group.product_id):
            if is_anybodys:
                group.faults.append((f"line {begin}", f"may be of this product, and {fault}"))
            yield group.to_read(currency)
            group = None
        if is_anybodys:
            yield Read(begin, last, None, None, _wrong(begin, None, "line", fault))
            beside = [(f"line {begin}", f"may be of this product, and {fault}")]
            continue
        if cells is None:
            return
        if group is None:
            group = _Group(begin, last, product_id, [], beside)
            beside = []
        group.last = last
        if fault:
            group.faults.append((f"line {begin}", fault))
        else:
            group.rows.append(row)


def _cells(reader: Iterator[list[str]], header: Sequence[str]) -> tuple[list[str] | None, str]:
    """(the next line's cells, what is wrong with them); no cells at the end, or where no line can
    be told from the next."""
    try:
        cells = next(reader, None)
    except csv.Error as error:
        return None, str(error) or "cannot be read"
    if cells is None or not any(cells) or len(cells) == len(header):
        return cells, ""
    return cells, f"has {len(cells)} cells instead of {len(header)}"


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
