"""How large a table is and what its rows look like, found out in the background."""

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from time import monotonic

import polars as pl

from console.periods import Period
from console.queries.explore import Outcome, Request, Run

_FRESH_S = 60.0
_MAX_KNOWN = 40
_SAMPLE_ROWS = 5


@dataclass(frozen=True, slots=True)
class TableFacts:
    """Of a range; `bytes` are the lake's, compressed; `problem` says why nothing is known."""

    rows: int = 0
    files: int = 0
    bytes: int = 0
    sample: pl.DataFrame | None = None
    problem: str = ""


@dataclass(slots=True)
class _Known:
    asked_at: float
    coming: "Future[TableFacts]"
    last: TableFacts | None = None


_known: dict[tuple[str, Period], _Known] = {}
_lock = Lock()
# One at a time, beside what people run themselves.
_counter = ThreadPoolExecutor(1, thread_name_prefix="explore-facts")


def find(name: str, period: Period) -> TableFacts | None:
    """None until they are first found out; later the latest, while newer ones come."""
    with _lock:
        known = _known.get((name, period))
        if known is None:
            known = _known[name, period] = _Known(
                monotonic(), _counter.submit(_facts, name, period)
            )
            while len(_known) > _MAX_KNOWN:
                del _known[next(iter(_known))]
        if known.coming.done():
            known.last = known.coming.result()
            if monotonic() - known.asked_at > _FRESH_S:
                known.asked_at = monotonic()
                known.coming = _counter.submit(_facts, name, period)
        return known.last


def _facts(name: str, period: Period) -> TableFacts:
    """Reading the sample leaves the table's rows on this machine for the person's first query."""
    sql = f"SELECT * FROM {name} LIMIT {_SAMPLE_ROWS}"
    outcome: Outcome = Run(Request(sql, period.first, period.until)).execute()
    if outcome.frame is None:
        return TableFacts(problem=outcome.message or "the lake does not answer")
    facts = outcome.facts
    return TableFacts(
        outcome.considered[name], int(facts["files"]), int(facts["lake_bytes"]), outcome.frame
    )
