"""The analytics table as reports read it, and the stream as collecting writes it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from pipeline.contracts import keys
from pipeline.contracts.keys import Grain, Stream
from pipeline.contracts.names import Names
from pipeline.runtime import aws
from pipeline.runtime.kinesis import Outgoing, put_records
from storefront_api.analytics.reports import COUNTERS, GroupBy, Range, SalesItem

_READERS = 8


class EventStream:
    def __init__(self, names: Names) -> None:
        self._stream = names.events_stream

    def put(self, records: Sequence[Outgoing]) -> None:
        """Bounded to about a second, because a browser waits."""
        put_records(aws.client("kinesis"), self._stream, records, attempts=4, wait_max=0.4)

    def ping(self) -> None:
        aws.client("kinesis").describe_stream_summary(StreamName=self._stream)


class AnalyticsItems:
    """Low-level reads: these items have hundreds of attributes, and Decimals would cost most."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._table = names.table("analytics")

    def sales(
        self, stream: Stream, grain: Grain, period: Range, group_by: GroupBy | None
    ) -> Iterable[SalesItem]:
        last = (period.until - timedelta(days=1)).isoformat()
        wanted = {f"#{index}": name for index, name in enumerate(COUNTERS)}
        projection: dict[str, Any] = {}
        if group_by is None:
            projection = {
                "ProjectionExpression": f"sk,{','.join(wanted)}",
                "ExpressionAttributeNames": wanted,
            }
        marker = f"|{group_by}|"
        for partition in self._sales_partitions(stream, grain, period):
            for item in self._query(partition, period.since.isoformat(), f"{last}~", projection):
                bucket, _, currency = item["sk"]["S"].partition("#")
                counters = {
                    name: int(value["N"])
                    for name, value in item.items()
                    if name in COUNTERS or marker in name
                }
                yield SalesItem(bucket, currency, counters)

    def customers(self, stream: Stream, period: Range) -> Mapping[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        last = (period.until - timedelta(days=1)).isoformat()
        for year in sorted({month[:4] for month in self._months(stream, period)}):
            partition = f"CUSTOMERS#{stream}#{year}"
            for item in self._query(partition, period.since.isoformat(), f"{last}~"):
                found[item["sk"]["S"].split("#")[1]].update(item["customers"]["SS"])
        return found

    def products(self, stream: Stream, period: Range) -> Mapping[tuple[str, str], Counter[str]]:
        sold = set(self._months(stream, period))
        months = [month for month in period.whole_months() if month in sold]
        days = [day for day in period.loose_days() if day[:7] in sold]
        partitions = [f"PRODUCTS#{stream}#month#{month}" for month in months]
        partitions += [f"PRODUCTS#{stream}#day#{day}" for day in days]
        found: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        with ThreadPoolExecutor(_READERS) as pool:
            for items in pool.map(lambda pk: list(self._query(pk, "A", "~")), partitions):
                for item in items:
                    currency = item["sk"]["S"].partition("#")[0]
                    for name, value in item.items():
                        counter, is_product, product_id = name.partition("|")
                        if is_product:
                            found[currency, product_id][counter] += int(value["N"])
        return found

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

    def _months(self, stream: Stream, period: Range) -> list[str]:
        """The months of the period in which anything was booked; one cheap query."""
        since, until = f"{period.since:%Y-%m}", f"{period.until - timedelta(days=1):%Y-%m}"
        partition = keys.sales_partition(stream, "month", "")
        found = self._query(partition, since, f"{until}~", {"ProjectionExpression": "sk"})
        return sorted({item["sk"]["S"][:7] for item in found})

    def _sales_partitions(self, stream: Stream, grain: Grain, period: Range) -> list[str]:
        months = self._months(stream, period)
        buckets = [month if grain == "hour" else month[:4] for month in months]
        return [keys.sales_partition(stream, grain, bucket) for bucket in dict.fromkeys(buckets)]

    def _query(
        self, pk: str, first: str, last: str, more: Mapping[str, Any] | None = None
    ) -> Iterator[dict[str, Any]]:
        start: dict[str, Any] = {}
        while True:
            page = aws.client("dynamodb").query(
                TableName=self._table,
                KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
                ExpressionAttributeValues={
                    ":pk": {"S": pk}, ":first": {"S": first}, ":last": {"S": last}
                },
                **(more or {}),
                **start,
            )  # fmt: skip
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def _low(key: keys.Key) -> dict[str, Any]:
    return {name: {"S": value} for name, value in key.items()}
