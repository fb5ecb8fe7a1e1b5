"""Are the clicks in the lake the data's own? Data = raw events = curated table = aggregates."""

from datetime import date

import polars as pl
from boto3.dynamodb.conditions import Key

from pipeline.contracts.names import Names
from pipeline.replay.check import Check, compare
from pipeline.replay.clicks import AFTER_LAST_DAY, FIRST_DAY, PREFIX, PRODUCT_VIEWED, with_event_ids
from pipeline.runtime import aws
from pipeline.runtime.lake import Lake

_SAID = pl.Struct({"page": pl.Int64, "category": pl.String, "country": pl.String})


def curated_clicks(lake: Lake) -> pl.DataFrame:
    """The clicks in the lake: the clickstream frame, the raw tail included."""
    rows = lake.clickstream(FIRST_DAY, AFTER_LAST_DAY)
    return rows.filter(pl.col("event_id").str.starts_with(PREFIX))


def check_clicks(names: Names, clicks: pl.DataFrame, since: date) -> list[Check]:
    """Every comparison of a click frame that was replayed.

    Args: `since`, the arrival date of the first of its events.
    """
    lake = Lake(names)
    mine = with_event_ids(clicks)
    raw = _said(lake.events(PRODUCT_VIEWED, since=since), mine)
    curated = curated_clicks(lake)
    rows = curated.join(mine.select("event_id"), on="event_id", how="semi")
    by_path = rows.group_by("path").len()
    own_paths = mine.group_by(pl.format("/{}?page={}", "category", "page").alias("path")).len()
    return [
        compare("data = lake: clicks", mine.height, rows.height),
        compare("data = lake: sessions", mine["session_id"].n_unique(),
                rows["session_id"].n_unique()),
        compare("data = lake: products", mine["model"].n_unique(), rows["product_id"].n_unique()),
        *(check for name in ("page", "category") for check in _each(name, mine, raw)),
        compare("data = lake: clicks of each country", _totals(mine, "country"),
                _totals(raw, "country")),
        compare("data = lake: clicks of each day", _totals(mine, "date"),
                _totals(rows.rename({"dt": "date"}), "date")),
        compare("data = curated: clicks of each category's page", dict(own_paths.iter_rows()),
                dict(by_path.iter_rows())),
        _aggregates(names, lake),
    ]  # fmt: skip


def _said(events: pl.DataFrame, mine: pl.DataFrame) -> pl.DataFrame:
    """DataFrame[page, category, country], what the raw events of these clicks say."""
    own = events.join(mine.select("event_id"), on="event_id", how="semi")
    return own["payload"].str.json_decode(_SAID).struct.unnest()


def _each(name: str, mine: pl.DataFrame, raw: pl.DataFrame) -> list[Check]:
    own, found = _totals(mine, name), _totals(raw, name)
    return [
        compare(f"data = lake: {name} {value}", own.get(value, 0), found.get(value, 0))
        for value in sorted(own.keys() | found.keys())
    ]


def _totals(rows: pl.DataFrame, name: str) -> dict[str, int]:
    return dict(rows.group_by(pl.col(name).cast(pl.String)).len().iter_rows())


def _aggregates(names: Names, lake: Lake) -> Check:
    """Of all product views in that time: a click that was sent twice would be counted twice."""
    views = lake.clickstream(FIRST_DAY, AFTER_LAST_DAY).filter(
        ~pl.col("synthetic"), pl.col("event_type") == PRODUCT_VIEWED
    )
    items = aws.table(names.table("analytics")).query(
        KeyConditionExpression=Key("pk").eq(f"CLICKS#real#{FIRST_DAY.year}")
    )["Items"]
    name = f"events|{PRODUCT_VIEWED}"
    found = {item["sk"]: int(item[name]) for item in items if name in item}
    return compare("lake = aggregates: product views of each day", _totals(views, "dt"), found)
