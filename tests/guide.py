"""The tables of `docs/querying.md`, so that tests can hold them to what the queries answer."""

import re
from pathlib import Path

import polars as pl

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs/querying.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```", TEXT, re.M | re.S)
QUERIES = {path.stem: path.read_text() for path in sorted((ROOT / "docs/queries").glob("*.sql"))}


def documented(name: str) -> list[list[str]]:
    """The lines of the table below a query's heading, names of the columns first."""
    section = TEXT.partition(f"(queries/{name}.sql)")[2].partition("\n#")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line[:1] == "|"]
    return [rows[0], *rows[2:]]


def beginning_of(answer: pl.DataFrame, rows: int) -> list[list[str]]:
    """What the table should say: names, then the first rows."""
    return [answer.columns, *([str(cell) for cell in row] for row in answer.head(rows).rows())]
