"""Does everything that was sent come out again? Log = lake = aggregates = API.

Every reading is made on its own: the log from the file, the lake from Parquet, the aggregates from
the table's items, the API over HTTP. Nothing expected is written down anywhere but in the file.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import httpx
import polars as pl
import stamina
from boto3.dynamodb.conditions import Key

from pipeline.contracts import keys
from pipeline.contracts.names import Names
from pipeline.replay.files import QUARANTINED
from pipeline.runtime import aws, generations
from pipeline.runtime.lake import Lake

Figures = dict[str, Any]
_API_PAGE = "/api/analytics/sales"


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison; `is_ok` is None when it could not be made, and `detail` says why."""

    name: str
    left: Any
    right: Any
    is_ok: bool | None
    detail: str = ""


def log_figures(log: pl.DataFrame) -> Figures:
    """What the file says. `log` is a log frame of `pipeline.replay.files`."""
    total = pl.col("minor").round().cast(pl.Int64) * pl.col("quantity").abs()
    sales = log.filter(pl.col("fate") == "sale").with_columns(total.alias("total"))
    refunds = log.filter(pl.col("fate") == "refund").with_columns((-total).alias("total"))
    return {
        "sale lines": sales.height,
        "orders": _orders(sales),
        "gross": int(sales["total"].sum()),
        "countries": sales["country"].n_unique(),
        "customers": sales["customer_id"].drop_nulls().n_unique(),
        "refund lines": refunds.height,
        "credit notes": _orders(refunds),
        "refunds": int(refunds["total"].sum()),
    }


def _orders(rows: pl.DataFrame) -> int:
    return rows.select("invoice", "customer_id", "country").n_unique() if rows.height else 0


def lake_figures(lines: pl.DataFrame) -> Figures:
    """The same figures from order lines of the lake."""
    sales = lines.filter(pl.col("kind") == "sale")
    refunds = lines.filter(pl.col("kind") == "refund")
    return {
        "sale lines": sales.height,
        "orders": sales["order_id"].n_unique(),
        "gross": int(sales["line_total_minor"].sum()),
        "countries": sales["country"].n_unique(),
        "customers": sales["customer_id"].drop_nulls().n_unique(),
        "refund lines": refunds.height,
        "credit notes": refunds["order_id"].n_unique(),
        "refunds": int(refunds["line_total_minor"].sum()),
    }


def quarantine_figures(log: pl.DataFrame, refused: pl.DataFrame) -> tuple[Figures, Figures]:
    """(rows by reason in the log, the same in the quarantine): a corrupt row fails its schema."""
    fates = log.filter(pl.col("fate").is_in(QUARANTINED))["fate"]
    reasons = refused.filter(pl.col("event_id").is_not_null()).unique("event_id")["reason"]
    found = Counter(reason if reason in QUARANTINED else "corrupt_row" for reason in reasons)
    return dict(Counter(fates.to_list())), dict(found)


def sales_by_day(lines: pl.DataFrame, currency: str) -> dict[str, Figures]:
    """`day` -> figures of the aggregates' day item, by the lake's order lines of all sources."""
    real = lines.filter(~pl.col("synthetic") & (pl.col("currency") == currency))
    sale, total = pl.col("kind") == "sale", pl.col("line_total_minor")
    days = real.group_by(pl.col("dt").cast(pl.String).alias("day")).agg(
        pl.col("order_id").filter(sale).n_unique().alias("orders"),
        pl.col("quantity").filter(sale).sum().alias("units"),
        total.filter(sale).sum().alias("gross"),
        total.filter(~sale).sum().alias("refunds"),
    )
    return {row.pop("day"): row for row in days.iter_rows(named=True)}


class Aggregates:
    """The day items of the analytics table, read whole."""

    def __init__(self, names: Names, since: date, until: date, currency: str) -> None:
        self.by_day: dict[str, Figures] = {}
        self.groups: Counter[str] = Counter()
        self.customers: set[str] = set()
        table, live = aws.table(names.table("analytics")), generations.read(names).live
        for year in range(since.year, until.year + 1):
            first, last = str(since), str(until - timedelta(days=1)) + "~"
            within = Key("sk").between(first, last)
            days = keys.of_generation(live, keys.sales_partition("real", "day", str(year)))
            for item in _query(table, days, within):
                day, item_currency = item["sk"].split("#")
                if item_currency == currency:
                    self._add_day(day, item)
            customers = keys.of_generation(live, f"CUSTOMERS#real#{year}")
            for item in _query(table, customers, within):
                if item["sk"].split("#")[1] == currency:
                    self.customers |= item["customers"]

    def _add_day(self, day: str, item: Mapping[str, Any]) -> None:
        names = ("orders", "units", "gross", "refunds")
        self.by_day[day] = {name: int(item.get(name, 0)) for name in names}
        for name, value in item.items():
            if "|country|" in name:
                self.groups[name.replace("|country|", "|")] += int(value)


def _query(table: Any, pk: str, within: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    start: dict[str, Any] = {}
    while True:
        page = table.query(KeyConditionExpression=Key("pk").eq(pk) & within, **start)
        items += page["Items"]
        if "LastEvaluatedKey" not in page:
            return items
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


@stamina.retry(on=httpx.TransportError, attempts=4, wait_initial=0.2, wait_max=2)
def _api(edge_url: str, since: date, until: date, **more: str) -> dict[str, Any]:
    params = {"from": str(since), "to": str(until), "grain": "month", **more}
    answer = httpx.get(f"{edge_url}{_API_PAGE}", params=params, timeout=30)
    answer.raise_for_status()
    document: dict[str, Any] = answer.json()
    return document


def api_figures(edge_url: str, since: date, until: date, currency: str) -> Figures:
    """Totals and gross by country, as the API answers. Raises httpx.HTTPError."""
    totals = _api(edge_url, since, until)["totals"]
    total: Figures = next((one for one in totals if one["currency"] == currency), {})
    figures: Figures = {
        name: total.get(name, 0) for name in ("orders", "units", "gross", "refunds", "customers")
    }
    gross: Counter[str] = Counter()
    for row in _api(edge_url, since, until, group_by="country")["series"]:
        if row["currency"] == currency:
            gross[row["group"]] += row["gross"]
    figures["gross by country"] = {name: value for name, value in gross.items() if value}
    return figures


def check_all(
    names: Names, log: pl.DataFrame, ids: Sequence[str], currency: str, edge_url: str | None
) -> list[Check]:
    """Every comparison of one replayed log frame (already shifted); `ids` are its event ids."""
    lake = Lake(names)
    good = log.filter(pl.col("fate").is_in(["sale", "refund"]))
    checks = _quarantine_checks(log, ids, lake)
    if not good.height:
        return checks
    # An order is booked on the day of its first row.
    since, last = good["at"].min(), good["at"].max()
    assert since is not None and last is not None
    first_day, until = since.date(), last.date() + timedelta(days=1)  # type: ignore[union-attr]
    lines = lake.order_lines(first_day, until)
    mine = lines.filter(pl.col("event_id").is_in(list(ids)))
    expected, found = log_figures(log), lake_figures(mine)
    checks += [
        compare(f"log = lake: {name}", value, found[name]) for name, value in expected.items()
    ]
    aggregates = Aggregates(names, first_day, until, currency)
    checks += _aggregate_checks(lines, aggregates, currency)
    return checks + _api_checks(aggregates, edge_url, first_day, until, currency)


def _quarantine_checks(log: pl.DataFrame, ids: Sequence[str], lake: Lake) -> list[Check]:
    found = lake.quarantined().filter(pl.col("event_id").is_in(list(ids)))
    # At other dates, a row that is replayed again has another body.
    refused = found.unique("event_id", keep="first", maintain_order=True)
    expected, counted = quarantine_figures(log, refused)
    reasons = [name for name in QUARANTINED if name in expected or name in counted]
    return [
        compare(f"log = quarantine: {name}", expected.get(name, 0), counted.get(name, 0))
        for name in reasons
    ]


def _aggregate_checks(lines: pl.DataFrame, found: Aggregates, currency: str) -> list[Check]:
    expected = sales_by_day(lines, currency)
    real = lines.filter(~pl.col("synthetic") & (pl.col("currency") == currency))
    sales = real.filter(pl.col("kind") == "sale")
    by_country = sales.group_by("country").agg(pl.col("line_total_minor").sum())
    wrong = [day for day in expected.keys() | found.by_day.keys()
             if expected.get(day) != found.by_day.get(day)]  # fmt: skip
    checks = [
        compare(f"lake = aggregates: {name}", _sum(expected, name), _sum(found.by_day, name))
        for name in ("orders", "units", "gross", "refunds")
    ]
    return [
        *checks,
        Check("lake = aggregates: each day", len(expected), len(found.by_day), not wrong,
              f"differs on {', '.join(sorted(wrong)[:5])}" if wrong else ""),
        compare("lake = aggregates: gross by country", dict(by_country.iter_rows()),
                 _gross_by_country(found)),
        compare("lake = aggregates: customers",
                 sales["customer_id"].drop_nulls().n_unique(), len(found.customers)),
    ]  # fmt: skip


def _api_checks(
    found: Aggregates, edge_url: str | None, since: date, until: date, currency: str
) -> list[Check]:
    name = "aggregates = API"
    if not edge_url:
        return [Check(name, None, None, None, "not checked: HAS_EDGE_URL is not set")]
    try:
        answered = api_figures(edge_url, since, until, currency)
    except httpx.HTTPError as error:
        return [Check(name, None, None, False, f"{type(error).__name__}: {error}")]
    expected: Figures = {
        counter: _sum(found.by_day, counter) for counter in ("orders", "units", "gross", "refunds")
    }
    expected["customers"] = len(found.customers)
    expected["gross by country"] = _gross_by_country(found)
    return [compare(f"{name}: {what}", expected[what], answered[what]) for what in expected]


def _gross_by_country(found: Aggregates) -> dict[str, int]:
    prefix = "gross|"
    return {
        name.removeprefix(prefix): value
        for name, value in found.groups.items()
        if name.startswith(prefix) and value
    }


def _sum(days: Mapping[str, Figures], name: str) -> int:
    return sum(day[name] for day in days.values())


def compare(name: str, left: Any, right: Any) -> Check:
    """Two readings of one thing; of two dicts the sizes are shown, and the keys that differ."""
    if isinstance(left, dict) and isinstance(right, dict):
        keys_ = left.keys() | right.keys()
        wrong = sorted(key for key in keys_ if left.get(key) != right.get(key))
        detail = f"differs for {', '.join(wrong[:5])}" if wrong else ""
        return Check(name, len(left), len(right), not wrong, detail)
    return Check(name, left, right, left == right)
