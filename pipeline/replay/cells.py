"""The cells of a text file, whoever wrote it: encoding, separator, line ends and quotes differ.

A log from a spreadsheet may begin with a byte order mark, be UTF-16 or Windows-1252, end its lines
in `\\r`, be parted by semicolons, or have a quotation mark that nobody closed. None of that may
cost a row.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

_SEPARATORS = ",;\t|"
# A quoted cell may hold line ends; one that is longer than this was never closed.
_MAX_LINES_OF_A_ROW = 20
_MAX_CELL = 10_000_000
_BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cells:
    """`frame` has a String column per name of the first line; short rows end in nulls.

    `encoding` and `separator` are what was found; `cut_rows` had more cells than the first line,
    and lost those; `open_quotes` counts the lines in which a quotation mark was taken literally.
    """

    frame: pl.DataFrame
    encoding: str
    separator: str
    cut_rows: int = 0
    open_quotes: int = 0


def read_cells(content: bytes) -> Cells:
    """Every line after the first as a row, but for blank ones.

    Raises: ValueError when there is no first line, or two of its names are the same.
    """
    text, encoding = _decoded(content)
    lines = [line for line in re.split(r"\r\n|\n|\r", text) if line.strip()]
    if not lines:
        raise ValueError("it is empty")
    separator = max(_SEPARATORS, key=lines[0].count)
    names = [name.strip() for name in next(csv.reader([lines[0]], delimiter=separator))]
    if len(set(names)) < len(names):
        raise ValueError(f"a column is there twice: {', '.join(names)}")
    fast = _fast(lines[1:], names, separator, has_quotes='"' in text)
    if fast is not None:
        return Cells(fast, encoding, separator)
    rows, open_quotes = _rows(lines[1:], len(names), separator)
    cut = sum(len(row) > len(names) for row in rows)
    return Cells(_frame(rows, names), encoding, separator, cut, open_quotes)


def _decoded(content: bytes) -> tuple[str, str]:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, "replace"), encoding
    try:
        return content.decode(), "utf-8"
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace"), "windows-1252"


def _fast(
    lines: list[str], names: list[str], separator: str, *, has_quotes: bool
) -> pl.DataFrame | None:
    """One row a line, or None where a line is not one: too many cells, or a mark left open."""
    schema = dict.fromkeys(names, pl.String)
    if not lines:
        return pl.DataFrame(schema=schema)
    try:
        frame = pl.read_csv(
            "\n".join(lines).encode("utf-8", "replace"), separator=separator, has_header=False,
            quote_char='"' if has_quotes else None, schema=schema, missing_columns="insert",
        )  # fmt: skip
    except pl.exceptions.PolarsError:
        return None
    return frame if frame.height == len(lines) else None


def _frame(rows: list[list[str]], names: list[str]) -> pl.DataFrame:
    width = len(names)
    columns = [[row[place] if place < len(row) else None for row in rows] for place in range(width)]
    frame = pl.DataFrame(columns, schema=dict.fromkeys(names, pl.String), orient="col")
    # An empty cell is null, as the fast way has it.
    return frame.with_columns(pl.all().replace("", None))


def _rows(lines: list[str], width: int, separator: str) -> tuple[list[list[str]], int]:
    """(rows, lines whose quotation mark is literal): one that is never closed ends with its line.

    Otherwise a single stray mark would swallow every row to the next one.
    """
    csv.field_size_limit(_MAX_CELL)
    rows: list[list[str]] = []
    literal = place = 0
    while place < len(lines):
        window = _Window(lines, place)
        for row in csv.reader(window, delimiter=separator):
            used = window.place - place
            is_open = used > 1 or row[-1].endswith("\n")
            if is_open and not _is_one(lines[place : place + used], width, separator):
                rows.append(lines[place].split(separator))
                literal += 1
                place += 1
                break
            rows.append(row)
            place = window.turn()
    return rows, literal


def _is_one(lines: list[str], width: int, separator: str) -> bool:
    """Whether these lines are one well-formed row, and not several with a stray mark each."""
    try:
        found = list(csv.reader([f"{line}\n" for line in lines], delimiter=separator, strict=True))
    except csv.Error:
        return False
    return len(found) == 1 and len(found[0]) == width


class _Window:
    """The lines from a place on, for a reader that gets no more than a row may have."""

    def __init__(self, lines: list[str], place: int) -> None:
        self._lines, self.place = lines, place
        self._end = place + _MAX_LINES_OF_A_ROW

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.place == min(self._end, len(self._lines)):
            raise StopIteration
        self.place += 1
        return self._lines[self.place - 1] + "\n"

    def turn(self) -> int:
        """The row is over: the next one has as many lines again. Returns where it begins."""
        self._end = self.place + _MAX_LINES_OF_A_ROW
        return self.place
