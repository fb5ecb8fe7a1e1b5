"""One query in a process of its own, which nothing but itself can slow down or bring down.

`python -m console.queries.explore_worker` reads a request (JSON) from stdin, writes the result as
an Arrow stream to `<folder>/result.arrow` and a JSON line per step to stdout:
`{"phase": …}` while it goes on, then `{"kind": "done", …}` or `{"kind": …, "message": …}`.

A timer of the kernel ends the process when its time is up, whatever it is doing, and also when
the console that started it is gone. DuckDB may read the files of this query and nothing else.
"""

import json
import os
import re
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from time import monotonic
from typing import Any

import duckdb
import polars as pl
import psutil
from botocore.exceptions import BotoCoreError, ClientError

from console.queries.explore_lake import Snapshot, TooMuch, take
from console.queries.explore_rows import BrokeOff, write_rows
from console.queries.explore_tables import TABLES
from console.settings import settings
from pipeline.runtime import lake_sql
from pipeline.runtime.lake import Lake

LOAD_LIMIT_S = 60.0
_LIMITS = {
    "threads": 1,
    "python_enable_replacements": False,
    "autoload_known_extensions": False,
    "autoinstall_known_extensions": False,
    "temp_directory": "",
}
_READS = (
    duckdb.StatementType.SELECT,
    duckdb.StatementType.EXPLAIN,
    duckdb.StatementType.MULTI,  # PIVOT
)


class Refused(Exception):
    """The query may not run; the text is for the person."""


def tables_of(sql: str) -> list[str]:
    """The lake's tables that a query reads.

    Raises Refused for anything but one reading statement; duckdb.Error, with the position, when
    it cannot be parsed or names what does not exist. Nothing is read from the lake for this.
    """
    with _memory_only() as empty:
        statements = empty.extract_statements(sql)
        if len(statements) != 1:
            what = "Several queries at once" if statements else "There is no query in this"
            raise Refused(f"{what}: write one SELECT, without anything after it.")
        kind = statements[0].type
        if kind not in _READS:
            raise Refused(
                f"Only reading is allowed here: SELECT, WITH, DESCRIBE, SUMMARIZE, EXPLAIN. "
                f"This is {_article(kind.name)}."
            )
        for table in TABLES.values():
            empty.execute(table.ddl)
        if kind == duckdb.StatementType.SELECT:
            _check(empty, sql)
        return _named(empty, sql)


def _named(empty: duckdb.DuckDBPyConnection, sql: str) -> list[str]:
    mentioned = [name for name in TABLES if re.search(rf"\b{name}\b", sql, re.I)]
    try:
        exact = {name.rpartition(".")[2].strip('"').lower() for name in empty.get_table_names(sql)}
    except duckdb.Error:  # it does not see through every join, nor PIVOT
        return mentioned
    hides = re.search(r"\bquery(_table)?\s*\(", sql, re.I)
    return mentioned if hides else [name for name in mentioned if name in exact]


@contextmanager
def _memory_only(memory_mb: int = 128) -> Iterator[duckdb.DuckDBPyConnection]:
    config: dict[str, Any] = {**_LIMITS, "memory_limit": f"{memory_mb}MB"}
    with duckdb.connect(config=config) as connection:
        connection.execute(lake_sql.SETTINGS)
        yield connection


def _check(empty: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Binds the query without running it. DuckDB counts the line that we put before it."""
    try:
        empty.execute(f"EXPLAIN\n{sql}")
    except duckdb.Error as error:
        lowered = re.sub(r"^LINE (\d+):", _line_before, str(error), flags=re.M)
        raise type(error)(lowered) from None


def _line_before(found: re.Match[str]) -> str:
    # The caret below stays in place as long as the number keeps its digits.
    return f"LINE {int(found[1]) - 1}:".ljust(len(found[0]))


def _article(name: str) -> str:
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"


def run(request: dict[str, Any], say: Any) -> dict[str, Any]:
    """The last line of the protocol. Raises as `main` knows how to tell."""
    sql, folder = str(request["sql"]), Path(request["folder"])
    since, until = date.fromisoformat(request["since"]), date.fromisoformat(request["until"])
    signal.setitimer(signal.ITIMER_REAL, LOAD_LIMIT_S)
    names = tables_of(sql)
    lake, began = Lake(settings().names), monotonic()
    snapshots = []
    for name in names:
        say(phase=f"Reading {name} from the lake")
        snapshots.append(take(lake, TABLES[name], since, until, Path(request["cache"]), folder))
    loading_s = monotonic() - began
    with _memory_only(int(request["memory_mb"])) as connection:
        considered = _register(connection, snapshots, folder)
        _bound_memory(int(request["memory_mb"]))
        say(phase="Running")
        signal.setitimer(signal.ITIMER_REAL, float(request["time_limit_s"]))
        began = monotonic()
        rows, is_cut = write_rows(
            connection.sql(sql), folder / "result.arrow", int(request["row_limit"])
        )
        query_s = monotonic() - began
        signal.setitimer(signal.ITIMER_REAL, 0)
    return {
        "kind": "done",
        "rows": rows,
        "is_cut": is_cut,
        "loading_s": loading_s,
        "query_s": query_s,
        "considered": considered,
        "files": sum(one.files for one in snapshots),
        "lake_bytes": sum(one.bytes for one in snapshots),
        "loaded_bytes": sum(one.bytes for one in snapshots if not one.is_cached),
        "bytes_read": _bytes_read(folder),
    }


def _register(
    connection: duckdb.DuckDBPyConnection, snapshots: list[Snapshot], folder: Path
) -> dict[str, int]:
    """Views on the files, then no way to any other; the rows each table has in the range."""
    counts = {}
    for one in snapshots:
        name, settled = one.table.name, f"read_parquet({_quoted(one.settled)})"
        source = f"SELECT * FROM {settled}"
        if one.tail:
            tail = f"read_parquet({_quoted(one.tail)})"
            connection.execute(
                f"CREATE TABLE tail_{name} AS SELECT * FROM {tail} WHERE event_id NOT IN "
                f"(SELECT event_id FROM {settled} WHERE event_id IN (SELECT event_id FROM {tail}))"
            )
            source += f" UNION ALL SELECT * FROM tail_{name}"
        connection.execute(f"CREATE VIEW {name} AS {source}")
        (counts[name],) = connection.execute(f"SELECT count(*) FROM {name}").fetchone() or (0,)
    profile = folder / "profile.json"
    allowed = [str(one.settled) for one in snapshots] + [str(profile)]
    for setting in (
        "enable_profiling = 'json'",
        f"profile_output = {_quoted(profile)}",
        f"allowed_paths = [{', '.join(map(_quoted, allowed))}]",
        "enable_external_access = false",
        "lock_configuration = true",
    ):
        connection.execute(f"SET {setting}")
    return counts


def _quoted(path: Path | str) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _bound_memory(memory_mb: int) -> None:
    """The net below DuckDB's own limit, which does not count what a result holds."""
    ceiling = psutil.Process().memory_info().vms + 2 * memory_mb * 1_000_000
    try:
        resource.setrlimit(resource.RLIMIT_AS, (ceiling, ceiling))
    except (ValueError, OSError):  # macOS knows no such limit
        return


def _bytes_read(folder: Path) -> int | None:
    """From DuckDB's own profile; None when it wrote none."""
    try:
        profile = json.loads((folder / "profile.json").read_text())
        return int(profile["io"]["total_bytes_read"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def main() -> None:
    def say(**line: Any) -> None:
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()

    os.nice(5)  # the shop's own work comes first
    request = json.load(sys.stdin)
    try:
        answer = run(request, say)
    except (Refused, TooMuch) as refusal:
        answer = {"kind": "refused", "message": str(refusal)}
    except (duckdb.OutOfMemoryException, MemoryError):
        answer = {"kind": "memory", "message": ""}
    except (duckdb.Error, BrokeOff) as error:
        is_memory = str(error).startswith("Out of Memory")
        answer = {"kind": "memory" if is_memory else "sql", "message": str(error)}
    except (BotoCoreError, ClientError, OSError, pl.exceptions.PolarsError) as error:
        answer = {"kind": "lake", "message": type(error).__name__}
    say(**answer)


if __name__ == "__main__":
    main()
