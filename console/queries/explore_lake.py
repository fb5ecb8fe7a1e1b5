"""A table's rows for a range of dates, as Parquet files on this machine that DuckDB may read.

Curated files change once an hour, so what was read is kept and used by everybody's next query;
the raw tail behind them is read anew each time. Runs in the query's own process.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from time import time
from uuid import uuid4

import polars as pl

from console.queries.explore_tables import CURATED, QueryTable
from pipeline.runtime.facts import RAW, rows_of
from pipeline.runtime.lake import Lake
from pipeline.runtime.packs import digest

MAX_BYTES = 500_000_000
_KEEP_FILES = 16
_KEEP_BYTES = 2_000_000_000
_IN_USE_S = 900
_TAIL = {**RAW, "file": pl.String}


class TooMuch(Exception):
    """The range holds more than one query may read; the text is for the person."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`tail` holds what compaction has not merged yet, or None. Bytes are the lake's own."""

    table: QueryTable
    settled: Path
    tail: Path | None
    files: int
    bytes: int
    is_cached: bool


def take(
    lake: Lake, table: QueryTable, since: date, until: date, cache: Path, folder: Path
) -> Snapshot:
    """Args: `since` inclusive, `until` exclusive; `folder` is the query's own and short-lived.

    Raises TooMuch, and what boto3 and polars raise when the lake does not answer.
    """
    # The tail first: what compaction moves meanwhile is then in both, and counted once.
    tail = _tail(lake, table, since, until, cache, folder)
    found = [
        one for one in lake.list_objects(table.prefix, since) if one.dt < until.isoformat()
    ]  # fmt: skip
    size = sum(one.size for one in found)
    if size > MAX_BYTES:
        raise TooMuch(
            f"{table.name} holds {size / 1e6:,.0f} MB between {since} and {until}; one query reads "
            f"at most {MAX_BYTES / 1e6:,.0f} MB. Choose a shorter range."
        )
    # Without the dates of the range: the same files are the same rows.
    path = cache / f"{table.name}-{digest(table.columns, found)}.parquet"
    is_cached = path.exists()
    if is_cached:
        path.touch()
    else:
        _keep(_reader(lake, table)(since, until), path)
    return Snapshot(table, path, tail, len(found), size, is_cached)


def _reader(lake: Lake, table: QueryTable) -> Callable[[date, date], pl.DataFrame]:
    readers: dict[str, Callable[[date, date], pl.DataFrame]] = {
        "order_lines": lambda since, until: lake.order_lines(since, until, fresh=False),
        "orders": lambda since, until: lake.orders(since, until, fresh=False),
        "clickstream": lambda since, until: lake.clickstream(since, until, fresh=False),
        "quarantine": lake.quarantined,
        "events": lambda since, until: lake.events(since=since, until=until),
    }
    return readers[table.name]


def _tail(
    lake: Lake, table: QueryTable, since: date, until: date, cache: Path, folder: Path
) -> Path | None:
    if table.name not in CURATED:
        return None
    curated = CURATED[table.name]
    rows = rows_of(curated, _pending(lake, cache / "tail.parquet"))
    wanted = (pl.col("dt") >= since) & (pl.col("dt") < until)
    rows = rows.filter(wanted).unique(list(curated.identity), maintain_order=True)
    if rows.is_empty():
        return None
    path = folder / f"tail-{table.name}.parquet"
    rows.write_parquet(path)
    return path


def _pending(lake: Lake, path: Path) -> pl.DataFrame:
    """The raw frame of what compaction has not merged; only files that are new are fetched.

    In a busy hour these are hundreds of small files. Two queries may keep different ones at the
    same time: the later wins, and what it lacks is fetched again.
    """
    found = {f"{one.key} {one.etag}": one for one in lake.pending()}
    if sum(one.size for one in found.values()) > MAX_BYTES:
        raise TooMuch("Compaction is far behind: the raw tail is larger than a query may read.")
    kept = pl.read_parquet(path) if path.exists() else pl.DataFrame(schema=_TAIL)
    kept = kept.filter(pl.col("file").is_in(list(found)))
    known = set(kept["file"].unique())
    new = [name for name in found if name not in known]
    frames = lake.read_objects([found[name] for name in new])
    named = [
        frame.with_columns(pl.lit(name).alias("file"))
        for name, frame in zip(new, frames, strict=True)
    ]
    tail = pl.concat([kept, *named])
    if new:
        _replace(tail, path)
    return tail.drop("file")


def _keep(rows: pl.DataFrame, path: Path) -> None:
    _replace(rows, path)
    _forget_old(path.parent)


def _replace(rows: pl.DataFrame, path: Path) -> None:
    """In one step: who reads it meanwhile has the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    half = path.with_suffix(f".{uuid4().hex}")
    rows.write_parquet(half, compression="zstd", row_group_size=60_000)
    half.replace(path)


def _forget_old(cache: Path) -> None:
    """Bounded in number and size; what a running query may be reading stays."""
    found: list[tuple[float, int, Path]] = []
    for one in cache.iterdir():
        with suppress(FileNotFoundError):  # another query tidies up, too
            facts = one.stat()
            found.append((facts.st_mtime, facts.st_size, one))
    kept, size = 0, 0
    for used_at, bytes_, one in sorted(found, reverse=True):
        kept, size = kept + 1, size + bytes_
        is_old = used_at < time() - _IN_USE_S
        if is_old and (kept > _KEEP_FILES or size > _KEEP_BYTES or one.suffix != ".parquet"):
            one.unlink(missing_ok=True)
