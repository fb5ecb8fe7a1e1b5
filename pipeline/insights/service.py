"""Reads the lake, learns, and leaves the result where the catalogue looks for it."""

from datetime import timedelta

import polars as pl
import stamina

from pipeline.contracts.names import Names
from pipeline.insights.domain import learn
from pipeline.runtime.clock import Clock
from pipeline.runtime.facts import CLICKSTREAM, ORDER_LINES
from pipeline.runtime.insights import InsightFile
from pipeline.runtime.logs import get_logger
from pipeline.runtime.packs import PackedTables

log = get_logger()
_SEARCHES_OF = timedelta(days=30)


@stamina.retry(on=pl.exceptions.PolarsError, attempts=3, wait_initial=0.5)
def refresh(names: Names, clock: Clock) -> None:
    """Raises when the lake cannot be read or written; what was learnt before stays."""
    tables, now = PackedTables(names), clock()
    is_real = ~pl.col("synthetic")
    found = learn(
        tables.scan(ORDER_LINES).filter(is_real),
        tables.scan(CLICKSTREAM, (now - _SEARCHES_OF).date()).filter(is_real),
    )
    InsightFile(names).write(found, now)
    log.info("insights.written", products=len(found.bought_with), queries=len(found.queries))
