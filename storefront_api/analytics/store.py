"""The analytics table as reports read it, and the stream as collecting writes it."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from itertools import groupby
from typing import Any

from pipeline.contracts import keys
from pipeline.contracts.funnel import STEPS
from pipeline.contracts.keys import Grain, Stream
from pipeline.contracts.names import Names
from pipeline.runtime import aws, generations
from pipeline.runtime.kinesis import Outgoing, put_records
from storefront_api.analytics.kept import Kept
from storefront_api.analytics.reports import COUNTERS, Months, Range, SalesItem

_READERS = 8
_NOTHING = {"N": "0"}
# What is kept must not be older than the counters that vouch for it.
_CONSISTENT = {"ConsistentRead": True}
_Customers = list[tuple[str, str, frozenset[str]]]  # day, currency, ids
_Products = Mapping[tuple[str, str], tuple[int, int]]  # (currency, product id): units, gross


class EventStream:
    def __init__(self, names: Names) -> None:
        self._stream = names.events_stream

    def put(self, records: Sequence[Outgoing]) -> None:
        """Bounded to about a second, because a browser waits."""
        put_records(aws.client("kinesis"), self._stream, records, attempts=4, wait_max=0.4)

    def ping(self) -> None:
        aws.client("kinesis").describe_stream_summary(StreamName=self._stream)


class AnalyticsItems:
    """Low-level reads: these items have hundreds of attributes, and Decimals would cost most.

    What was read of a month is kept until something is booked in it, which one query tells.
    """

    def __init__(
        self, names: Names, generation: str = keys.FIRST_GENERATION, kept: Kept | None = None
    ) -> None:
        self._names = names
        self._table = names.table("analytics")
        self._generation = generation
        self._kept = kept or Kept()

    def live(self) -> "AnalyticsItems":
        """The same, of the generation that is to be read at this moment."""
        return AnalyticsItems(self._names, generations.read(self._names).live, self._kept)

    def months(self, stream: Stream, period: Range) -> Months:
        # Not by strftime, which writes years before 1000 with fewer digits.
        since, until = (
            day.isoformat()[:7] for day in (period.since, period.until - timedelta(days=1))
        )
        wanted = {f"#{index}": name for index, name in enumerate((*COUNTERS, "recounted"))}
        projection = {
            "ProjectionExpression": f"sk,{','.join(wanted)}",
            "ExpressionAttributeNames": wanted,
        }
        found: dict[str, set[tuple[str, ...]]] = defaultdict(set)
        partition = keys.sales_partition(stream, "month", "")
        for item in self._query(partition, since, f"{until}~", projection):
            counters = (item.get(name, _NOTHING)["N"] for name in COUNTERS)
            recounted = item.get("recounted", {}).get("S", "")
            found[item["sk"]["S"][:7]].add((item["sk"]["S"], *counters, recounted))
        return {month: frozenset(found[month]) for month in sorted(found)}

    def sales(
        self, stream: Stream, grain: Grain, period: Range, months: Months
    ) -> Iterable[SalesItem]:
        whole, cut = _split(months, period)
        coarse, fine = (whole, cut) if grain == "month" else ({}, months)
        first, after = period.since.isoformat(), period.until.isoformat()
        for items in self._items_of(stream, "month", coarse).values():
            yield from items
        for items in self._items_of(stream, "hour" if grain == "hour" else "day", fine).values():
            yield from (item for item in items if first <= item.bucket < after)

    def customers(self, stream: Stream, period: Range, months: Months) -> Mapping[str, set[str]]:
        def read(missing: Sequence[str]) -> Mapping[str, _Customers]:
            found: dict[str, _Customers] = {month: [] for month in missing}
            for year, span in _by_year(missing):
                for item in self._query(f"CUSTOMERS#{stream}#{year}", *span, _CONSISTENT):
                    day, currency, _ = item["sk"]["S"].split("#")
                    if day[:7] in found:
                        found[day[:7]].append((day, currency, frozenset(item["customers"]["SS"])))
            return found

        first, after = period.since.isoformat(), period.until.isoformat()
        everybody: dict[str, set[str]] = defaultdict(set)
        for days in self._kept.get(months, ("customers", self._generation, stream), read).values():
            for day, currency, ids in days:
                if first <= day < after:
                    everybody[currency] |= ids
        return everybody

    def products(
        self, stream: Stream, period: Range, months: Months
    ) -> Mapping[tuple[str, str], Counter[str]]:
        def read(missing: Sequence[str]) -> Mapping[str, _Products]:
            with ThreadPoolExecutor(_READERS) as pool:
                return dict(
                    zip(missing, pool.map(partial(self._sold, stream), missing), strict=True)
                )

        whole, cut = _split(months, period)
        days = {
            item.bucket: months[item.bucket[:7]] for item in self.sales(stream, "day", period, cut)
        }
        buckets = whole | days
        found: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        for sold in self._kept.get(buckets, ("products", self._generation, stream), read).values():
            for key, (units, gross) in sold.items():
                counted = found[key]
                counted["units"] += units
                counted["gross"] += gross
        return found

    def _items_of(
        self, stream: Stream, grain: Grain, months: Months
    ) -> Mapping[str, list[SalesItem]]:
        """Every item of a grain in these months, with all its counters."""

        def read(missing: Sequence[str]) -> Mapping[str, list[SalesItem]]:
            found: dict[str, list[SalesItem]] = {month: [] for month in missing}
            for partition, span in _partitions(stream, grain, missing):
                for item in self._query(partition, *span, _CONSISTENT):
                    bucket, _, currency = item["sk"]["S"].partition("#")
                    if bucket[:7] in found:
                        counters = {
                            name: int(value["N"]) for name, value in item.items() if "N" in value
                        }
                        found[bucket[:7]].append(SalesItem(bucket, currency, counters))
            return found

        return self._kept.get(months, ("sales", self._generation, stream, grain), read)

    def _sold(self, stream: Stream, bucket: str) -> "_Products":
        grain = "month" if len(bucket) == len("2011-12") else "day"
        found: dict[tuple[str, str], list[int]] = {}
        for item in self._query(f"PRODUCTS#{stream}#{grain}#{bucket}", "A", "~", _CONSISTENT):
            currency = item["sk"]["S"].partition("#")[0]
            for name, value in item.items():
                counter, is_product, product_id = name.partition("|")
                if is_product:
                    place = ("units", "gross").index(counter)
                    found.setdefault((currency, product_id), [0, 0])[place] += int(value["N"])
        return {key: (units, gross) for key, (units, gross) in found.items()}

    def clicks(self, stream: Stream, period: Range) -> Counter[str]:
        counted: Counter[str] = Counter()
        last = (period.until - timedelta(days=1)).isoformat()
        for year in range(period.since.year, period.until.year + 1):
            pk = f"CLICKS#{stream}#{year:04d}"
            for item in self._query(pk, period.since.isoformat(), last):
                for name, value in item.items():
                    kind, is_count, event_type = name.partition("|")
                    if is_count and kind == "events":
                        counted[event_type] += int(value["N"])
        return counted

    def sessions(self, stream: Stream, period: Range) -> Mapping[str, Counter[str]]:
        last = (period.until - timedelta(days=1)).isoformat()
        days = self._query(keys.funnel_partition(stream), period.since.isoformat(), last)
        return {
            item["sk"]["S"]: Counter({step: int(item[step]["N"]) for step in STEPS})
            for item in days
        }

    def searches_without_results(self, stream: Stream, period: Range) -> Counter[str]:
        counted: Counter[str] = Counter()
        # Behind the last day: a term's key goes on after its day.
        since, until = period.since.isoformat(), period.until.isoformat()
        for year in range(period.since.year, period.until.year + 1):
            for item in self._query(f"SEARCHES#{stream}#{year:04d}", since, until):
                if found := int(item.get("without_results", _NOTHING)["N"]):
                    counted[item["sk"]["S"].partition("#")[2]] += found
        return counted

    def titles(self, product_ids: Sequence[str]) -> Mapping[str, str]:
        table = self._names.table("products")
        wanted = [_low(keys.product(product_id)) for product_id in dict.fromkeys(product_ids)]
        found: dict[str, str] = {}
        for start in range(0, len(wanted), 100):
            left = {table: {"Keys": wanted[start : start + 100],
                            "ProjectionExpression": "product_id,title"}}  # fmt: skip
            for _ in range(3):  # a title left unread is shown as the id
                answer = aws.client("dynamodb").batch_get_item(RequestItems=left)
                for item in answer["Responses"].get(table, []):
                    found[item["product_id"]["S"]] = item["title"]["S"]
                left = answer.get("UnprocessedKeys") or {}
                if not left:
                    break
        return found

    def progress(self) -> Mapping[str, str]:
        """Facts of folding's progress item; empty before the first batch."""
        return self._texts(self._table, keys.progress("folding"))

    def compacted_at(self) -> str | None:
        return self._texts(self._names.table("ops"), keys.compaction_state()).get("compacted_at")

    def ping(self) -> None:
        self.progress()

    def _texts(self, table: str, key: keys.Key) -> dict[str, str]:
        found = aws.client("dynamodb").get_item(TableName=table, Key=_low(key))
        return {name: v["S"] for name, v in found.get("Item", {}).items() if "S" in v}

    def _query(
        self, pk: str, first: str, last: str, more: Mapping[str, Any] | None = None
    ) -> Iterator[dict[str, Any]]:
        start: dict[str, Any] = {}
        while True:
            page = aws.client("dynamodb").query(
                TableName=self._table,
                KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
                ExpressionAttributeValues={
                    ":pk": {"S": keys.of_generation(self._generation, pk)},
                    ":first": {"S": first}, ":last": {"S": last}
                },
                **(more or {}),
                **start,
            )  # fmt: skip
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def _split(months: Months, period: Range) -> tuple[dict[str, Hashable], dict[str, Hashable]]:
    """Those that lie in the period as a whole, and those that it cuts."""
    whole = {month: mark for month, mark in months.items() if period.has_whole(month)}
    return whole, {month: mark for month, mark in months.items() if month not in whole}


def _partitions(
    stream: Stream, grain: Grain, months: Sequence[str]
) -> Iterable[tuple[str, tuple[str, str]]]:
    """(partition, first and last sort key) that hold these months, as few as there can be."""
    if grain == "hour":
        return [(keys.sales_partition(stream, grain, one), (one, f"{one}~")) for one in months]
    if grain == "month":
        return [(keys.sales_partition(stream, grain, ""), (min(months), f"{max(months)}~"))]
    return [(keys.sales_partition(stream, grain, year), span) for year, span in _by_year(months)]


def _by_year(months: Sequence[str]) -> Iterable[tuple[str, tuple[str, str]]]:
    for year, group in groupby(sorted(months), key=lambda month: month[:4]):
        mine = list(group)
        yield year, (mine[0], f"{mine[-1]}~")


def _low(key: keys.Key) -> dict[str, Any]:
    return {name: {"S": value} for name, value in key.items()}
