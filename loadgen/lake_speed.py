"""How fast a developer's query over the lake is, in polars through the S3 API."""

from collections.abc import Callable
from pathlib import Path

import polars as pl

from pipeline.runtime.query import Query


def revenue_query(stage: str, keep: Path | None = None) -> Callable[[], bool]:
    """Net revenue by country and month over all curated order lines; False when there are none.

    Without `keep` every file is read from S3 each time; with it only those that changed.
    """
    query = Query(stage, keep)

    def call() -> bool:
        month = pl.col("placed_at").dt.truncate("1mo").alias("month")
        found = (
            query.scan("order_lines")
            .filter(~pl.col("synthetic"))
            .group_by("country", month, "currency")
            .agg(pl.col("line_total_minor").sum())
            .collect()
        )
        return found.height > 0

    return call
