"""How fast a query of a developer is: polars over the lake through the S3 API, nothing cached."""

from collections.abc import Callable

import polars as pl

from pipeline.contracts.names import Names
from pipeline.runtime.facts import ORDER_LINES
from pipeline.runtime.lake import Lake


def revenue_query(names: Names) -> Callable[[], bool]:
    """Net revenue by country and month over all curated order lines; False when there are none."""
    lake = Lake(names)

    def call() -> bool:
        month = pl.col("placed_at").dt.truncate("1mo").alias("month")
        found = (
            lake.scan(ORDER_LINES)
            .filter(~pl.col("synthetic"))
            .group_by("country", month, "currency")
            .agg(pl.col("line_total_minor").sum())
            .collect()
        )
        return found.height > 0

    return call
