"""What goes together and what is asked for, as counted; nothing of it names a person."""

import polars as pl

from pipeline.runtime.insights import Insights

# An order of a wholesaler holds half the shop and says little about what goes together.
_LARGEST_BASKET = 60
# Fewer are chance.
_LEAST_TOGETHER = 3
_MOST_RELATED = 8
# What few asked for may be somebody's name, and is nobody else's business.
_LEAST_VISITS = 5
_MOST_QUERIES = 2_000
_LONGEST_QUERY = 60


def learn(order_lines: pl.LazyFrame, clicks: pl.LazyFrame) -> Insights:
    """From (some of) the columns of the curated tables."""
    return Insights(bought_with(order_lines), popular_queries(clicks))


def bought_with(order_lines: pl.LazyFrame) -> dict[str, tuple[str, ...]]:
    """For each product those most often in one order with it, best first, at most 8.

    Ranked by cosine similarity (orders of both / sqrt(orders of one * orders of the other);
    Linden, Smith, York: "Amazon.com recommendations", IEEE Internet Computing 7(1), 2003).
    """
    is_sale = pl.col("kind") == "sale"
    goods = order_lines.filter(is_sale).select("order_id", "product_id").unique()
    size = pl.len().over("order_id")
    baskets = (
        goods.collect(engine="streaming")
        .filter((size > 1) & (size <= _LARGEST_BASKET))
        .with_columns(pl.len().over("product_id").alias("orders"))
    )
    together = (
        baskets.lazy()
        .join(baskets.lazy(), on="order_id", suffix="_other")
        .filter(pl.col("product_id") != pl.col("product_id_other"))
        .group_by("product_id", "product_id_other")
        .agg(pl.len().alias("both"), pl.first("orders"), pl.first("orders_other"))
        .filter(pl.col("both") >= _LEAST_TOGETHER)
        .with_columns(
            (pl.col("both") / (pl.col("orders") * pl.col("orders_other")).sqrt()).alias("likeness")
        )
        .sort("product_id", "likeness", "product_id_other", descending=[False, True, False])
        .group_by("product_id", maintain_order=True)
        .agg(pl.col("product_id_other").head(_MOST_RELATED))
        .collect()
    )
    return {product_id: tuple(others) for product_id, others in together.iter_rows()}


def popular_queries(clicks: pl.LazyFrame) -> tuple[str, ...]:
    """Texts that found goods in the searches of at least 5 visits, the most asked for first."""
    text = pl.col("query").str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()
    asked = (
        clicks.filter(
            (pl.col("event_type") == "shopper.searched.v1") & (pl.col("results_count") > 0)
        )
        .select(text, "session_id")
        .filter(pl.col("query").str.len_chars().is_between(2, _LONGEST_QUERY))
        .group_by("query")
        .agg(pl.col("session_id").n_unique().alias("visits"))
        .filter(pl.col("visits") >= _LEAST_VISITS)
        .sort("visits", "query", descending=[True, False])
        .head(_MOST_QUERIES)
        .collect(engine="streaming")
    )
    return tuple(asked["query"])
