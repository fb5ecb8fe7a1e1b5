"""A query's rows, as they come, to a file: bounded in number and in bytes, and of plain types."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa

_MAX_RESULT_BYTES = 64_000_000
_BATCH_ROWS = 2_000
_PLAIN = (
    *(pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_string),
    *(pa.types.is_large_string, pa.types.is_date, pa.types.is_timestamp, pa.types.is_time),
    pa.types.is_decimal,
)


class BrokeOff(Exception):
    """The query failed while its rows came; the text is DuckDB's."""


def write_rows(relation: duckdb.DuckDBPyRelation, path: Path, row_limit: int) -> tuple[int, bool]:
    """Writes rows as they come and stops at the limit, so that no result is ever held whole.

    Returns: (rows written, whether there are more). Raises BrokeOff.
    """
    rows, is_cut = 0, False
    reader = relation.to_arrow_reader(_BATCH_ROWS)
    schema = _plain(pa.RecordBatch.from_pylist([], schema=reader.schema)).schema
    with pa.ipc.new_stream(path, schema) as sink:
        for batch in _batches(reader):
            kept = _plain(batch).cast(schema).slice(0, row_limit - rows)
            sink.write_batch(kept)
            rows += kept.num_rows
            is_cut = kept.num_rows < batch.num_rows or path.stat().st_size > _MAX_RESULT_BYTES
            if is_cut:
                break
    reader.close()
    return rows, is_cut


def read_rows(path: Path) -> pl.DataFrame:
    """What `write_rows` wrote. Sums, of 38 digits, become integers where they fit, else floats."""
    frame = pl.read_ipc_stream(path)
    for name, kind in frame.schema.items():
        if isinstance(kind, pl.Decimal):
            column = frame[name]
            try:
                whole = column.cast(pl.Int64) if kind.scale == 0 else column.cast(pl.Float64)
            except pl.exceptions.PolarsError:
                whole = column.cast(pl.Float64)
            frame = frame.with_columns(whole)
    return frame


def _batches(reader: Any) -> Iterator[Any]:
    while True:
        try:
            yield reader.read_next_batch()
        except StopIteration:
            return
        except (OSError, pa.ArrowException) as error:  # DuckDB's own, as Arrow hands it on
            raise BrokeOff(str(error)) from None


def _plain(batch: Any) -> Any:
    """Distinct names, and only types that a table, a CSV file and a chart can hold."""
    names: list[str] = []
    for name in batch.schema.names:
        twins = sum(
            1 for one in names if one == name or re.fullmatch(rf"{re.escape(name)}_\d+", one)
        )
        names.append(f"{name}_{twins}" if twins else name)
    return pa.RecordBatch.from_arrays([_simple(column) for column in batch.columns], names=names)


def _simple(column: Any) -> Any:
    if any(is_plain(column.type) for is_plain in _PLAIN):
        return column
    return pa.array([None if v is None else _text(v) for v in column.to_pylist()], pa.string())


def _text(value: Any) -> str:
    is_nested = isinstance(value, list | dict | tuple) and not hasattr(value, "_fields")
    return json.dumps(value, default=str, ensure_ascii=False) if is_nested else str(value)
