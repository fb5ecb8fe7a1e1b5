"""Which orders and visits are in a sample, and how persons are taken out of it.

What is drawn depends on the ids and the seed alone, not on the order of rows or files: the same
lake and seed give the same sample.
"""

from hashlib import blake2b

import polars as pl

from pipeline.runtime.facts import CLICKSTREAM, ORDER_LINES, ORDERS

# Paths below these name goods, not persons or orders.
_PUBLIC_PATHS = ("products", "search", "categories")
_IDS = {"order_id": "order", "customer_id": "customer", "session_id": "session",
        "anonymous_id": "browser"}  # fmt: skip
WITHOUT = {
    "customer_id, order_id, session_id, anonymous_id": "numbered anew, the same in every table",
    "event_id": "numbered anew; `<order_id>:<version>` for orders",
    "query": "left out: people type anything; results_count stays",
    "referrer": "its host only",
    "extra": "left out: it may hold anything",
    "path": "without what follows a `?`, and its first part only unless it names goods",
}


Tables = dict[str, pl.DataFrame]  # frames of order_lines, orders and clickstream, by name


def draw(lake: Tables, rows: int, seed: int) -> Tables:
    """A sample of the lake's tables, less what load tests left there.

    Whole orders until there are `rows` order lines, whole visits until there are as many clicks.

    Every line, event and refund of a drawn order is in it, and so is every visit that ended in one.
    """
    lines, orders, clicks = (
        lake[name].filter(~pl.col("synthetic")) for name in ("order_lines", "orders", "clickstream")
    )
    chosen = _until(lines, "order_id", rows, seed)
    lines = lines.filter(pl.col("order_id").is_in(chosen))
    orders = orders.filter(pl.col("order_id").is_in(chosen))
    buying = clicks.filter(pl.col("order_id").is_in(chosen))["session_id"].drop_nulls().unique()
    visits = {*buying, *_until(clicks, "session_id", rows, seed)}
    clicks = clicks.filter(pl.col("session_id").is_in(sorted(visits)))
    # An order outside the sample would be a link that leads nowhere.
    clicks = clicks.with_columns(
        pl.when(pl.col("order_id").is_in(chosen)).then("order_id").alias("order_id")
    )
    drawn = {"order_lines": lines, "orders": orders, "clickstream": clicks}
    return _without_persons(drawn, seed)


def _until(rows: pl.DataFrame, name: str, wanted: int, seed: int) -> list[str]:
    """Ids in drawn order, until their rows are at least as many as wanted."""
    counted = dict(rows.drop_nulls(name).group_by(name).len().iter_rows())
    chosen: list[str] = []
    have = 0
    for one in sorted(counted, key=lambda one: _draw(one, seed)):
        if have >= wanted:
            break
        chosen.append(one)
        have += counted[one]
    return chosen


def _draw(text: str, seed: int) -> bytes:
    return blake2b(text.encode(), key=str(seed).encode(), digest_size=16).digest()


def _without_persons(tables: Tables, seed: int) -> Tables:
    nothing = pl.lit(None, pl.String).alias("extra")
    tables = {name: frame.with_columns(nothing) for name, frame in tables.items()}
    for name, word in _IDS.items():
        tables = _renumbered(tables, name, word, seed)
    clicks = _renumbered({"clickstream": tables["clickstream"]}, "event_id", "click", seed)
    version = pl.col("event_id").str.extract(r":(\d+)$")
    event_id = pl.format("{}:{}", "order_id", version).alias("event_id")
    return {
        "order_lines": tables["order_lines"].with_columns(event_id).sort(ORDER_LINES.order),
        "orders": tables["orders"].with_columns(event_id).sort(ORDERS.order),
        "clickstream": _impersonal(clicks["clickstream"]).sort(CLICKSTREAM.order),
    }


def _impersonal(clicks: pl.DataFrame) -> pl.DataFrame:
    path = pl.col("path").str.extract(r"^([^?#]*)")
    first = path.str.extract(r"^/([^/]*)")
    return clicks.with_columns(
        pl.lit(None, pl.String).alias("query"),
        pl.col("referrer").str.extract(r"^(https?://[^/?#]+)"),
        pl.when(first.is_in(_PUBLIC_PATHS)).then(path).otherwise("/" + first).alias("path"),
    )


def _renumbered(tables: Tables, name: str, word: str, seed: int) -> Tables:
    """New names by drawn order: without the lake nothing leads from one back to the id."""
    having = {table: frame for table, frame in tables.items() if name in frame.columns}
    ids = {one for frame in having.values() for one in frame[name].drop_nulls().unique()}
    new = {
        one: f"{word}-{number:06d}"
        for number, one in enumerate(sorted(ids, key=lambda one: _draw(one, seed)), 1)
    }
    renamed = {
        table: frame.with_columns(
            pl.col(name).replace_strict(new, default=None, return_dtype=pl.String)
        )
        for table, frame in having.items()
    }
    return tables | renamed
