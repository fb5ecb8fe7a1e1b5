"""The analytics table as reconciliation reads and repairs it, and where its results are kept."""

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import polars as pl
from botocore.exceptions import ClientError

from pipeline.contracts import keys
from pipeline.contracts.events import to_iso_z
from pipeline.contracts.names import Names
from pipeline.folding.domain import Item
from pipeline.rebuild.domain import figures
from pipeline.reconciliation import cells
from pipeline.reconciliation.domain import Figures, Unit
from pipeline.runtime import aws, generations
from pipeline.runtime.generations import Generations
from pipeline.runtime.lease import Lease

TOTALS = ("orders", "units", "gross", "refunds")
# What tells whether anything of a unit was booked or recounted: None for an item that is not there.
Fingerprint = tuple[int | str | None, ...] | None
_READERS = 8
_LEASE_S = 300
_HISTORY_DAYS = 90
_STREAMS: tuple[keys.Stream, ...] = ("real", "synthetic")


class Aggregates:
    """The live generation's items, under the keys of the first one."""

    def __init__(self, names: Names, live: str) -> None:
        self._table = names.table("analytics")
        self._live = live

    def cells(self, expected: pl.DataFrame) -> pl.DataFrame:
        """Every figure: of the buckets that the lake knows, and of those it does not."""
        with ThreadPoolExecutor(_READERS) as pool:
            months = {s: self._buckets(keys.sales_partition(s, "month", "")) for s in _STREAMS}
            wanted = cells.partitions(expected)
            for stream, found in months.items():
                wanted |= _of_months(stream, found)
            days = [pk for pk in wanted if pk.startswith("SALES#") and "#day#" in pk]
            for pk, found in zip(days, pool.map(self._buckets, days), strict=True):
                wanted |= {f"PRODUCTS#{pk.split('#')[1]}#day#{day}" for day in found}
            read = pool.map(self.query, sorted(wanted))
            return cells.of_items(item for items in read for item in items)

    def _buckets(self, pk: str) -> set[str]:
        return {sk.split("#")[0] for _, sk, _ in self.query(pk)}

    def query(self, pk: str, begins: str = "") -> list[tuple[str, str, Figures]]:
        condition, values = "pk = :pk", {":pk": {"S": keys.of_generation(self._live, pk)}}
        if begins:
            condition += " AND begins_with(sk, :begins)"
            values[":begins"] = {"S": begins}
        pages = aws.batch_client("dynamodb").get_paginator("query").paginate(
            TableName=self._table, ConsistentRead=True,
            KeyConditionExpression=condition, ExpressionAttributeValues=values,
        )  # fmt: skip
        return [(pk, item["sk"]["S"], figures(item)) for page in pages for item in page["Items"]]

    def items_of(self, unit: Unit) -> dict[Item, Figures]:
        """Those of one unit."""
        stream, bucket, currency = unit.stream, unit.bucket, unit.currency
        asked = [(_sales_pk(unit), f"{bucket}#{currency}")]
        if unit.grain != "hour":
            asked.append((f"PRODUCTS#{stream}#{unit.grain}#{bucket}", f"{currency}#"))
        if unit.grain == "day":
            asked.append((f"CUSTOMERS#{stream}#{bucket[:4]}", f"{bucket}#{currency}#"))
        return {(pk, sk): found for one in asked for pk, sk, found in self.query(*one) if found}

    def fingerprint(self, unit: Unit) -> Fingerprint:
        item = aws.batch_client("dynamodb").get_item(
            TableName=self._table, Key=self._key(_sales_item(unit)), ConsistentRead=True
        ).get("Item")  # fmt: skip
        if item is None:
            return None
        counters = (int(item[name]["N"]) if name in item else None for name in TOTALS)
        return (*counters, item.get("recounted", {}).get("S"))

    def clicks(self, unit: Unit, shards: Sequence[str]) -> tuple[dict[str, str], Figures, str]:
        """(shard -> mark, the unit's counters, when they were recounted), all at one moment."""
        wanted = [self._key(_clicks_item(unit))]
        wanted += [{n: {"S": v} for n, v in keys.shard_mark(s).items()} for s in shards]
        answer = aws.batch_client("dynamodb").transact_get_items(
            TransactItems=[{"Get": {"TableName": self._table, "Key": key}} for key in wanted]
        )["Responses"]
        found = answer[0].get("Item", {})
        marks = {
            shard: one["Item"]["last_sequence"]["S"]
            for shard, one in zip(shards, answer[1:], strict=True)
            if one.get("Item")
        }
        return marks, figures(found), found.get("recounted", {}).get("S", "")

    def _key(self, item: Item) -> dict[str, Any]:
        return {"pk": {"S": keys.of_generation(self._live, item[0])}, "sk": {"S": item[1]}}


class Repair:
    """Writes right figures, each unit in one transaction that passes only if nothing moved."""

    def __init__(self, names: Names, seen: Generations, run_id: str) -> None:
        self._names, self._seen, self._run_id = names, seen, run_id
        self._table = names.table("analytics")

    def unit(
        self, unit: Unit, seen: Fingerprint, right: Mapping[Item, Figures], held: Iterable[Item]
    ) -> bool:
        """Replaces a unit's items. False when something was booked since `seen` was read.

        Every booking moves the unit's totals, always in one direction, so that equal totals mean
        that what was counted is still all that was booked.
        """
        head = _sales_item(unit)
        operations = [generations.check(self._names, self._seen), self._replace(head, right, seen)]
        for item in sorted((right.keys() | set(held)) - {head}):
            operations.append(self._replace(item, right, ()))
        if unit.grain != "month":
            month = _sales_item(Unit(unit.stream, "month", unit.bucket[:7], unit.currency))
            operations.append(self._stamp(month))
        return self._transact(operations)

    def clicks(self, unit: Unit, recounted: str, right: Mapping[str, int], held: Figures) -> bool:
        """Adds what is missing to a unit of clicks, once; folding may go on adding meanwhile.

        `held` and what was folded by then are of one moment, so the difference stays right.
        """
        apart = {n: right.get(n, 0) - held.get(n, 0) for n in right.keys() | held.keys()}
        names = {f"#{n}": name for n, name in enumerate(sorted(apart))}
        terms = ",".join(f"{place} :{place[1:]}" for place in names)
        values = {f":{n}": {"N": str(apart[name])} for n, name in enumerate(sorted(apart))}
        values |= {":run": {"S": self._run_id}}
        condition = "attribute_not_exists(recounted)"
        if recounted:
            condition, values[":before"] = "recounted = :before", {"S": recounted}
        update = {
            "TableName": self._table, "Key": self._key(_clicks_item(unit)),
            "UpdateExpression": f"ADD {terms} SET recounted = :run",
            "ConditionExpression": condition,
            "ExpressionAttributeNames": names, "ExpressionAttributeValues": values,
        }  # fmt: skip
        return self._transact([generations.check(self._names, self._seen), {"Update": update}])

    def _replace(
        self, item: Item, right: Mapping[Item, Figures], seen: Fingerprint
    ) -> dict[str, Any]:
        """`seen` is the condition: () for none, None for an item that was not there."""
        condition = {} if seen == () else _unchanged(seen)
        if item not in right:
            return {"Delete": {"TableName": self._table, "Key": self._key(item), **condition}}
        values = {name: _value(value) for name, value in right[item].items()}
        body = {**self._key(item), **values, "recounted": {"S": self._run_id}}
        return {"Put": {"TableName": self._table, "Item": body, **condition}}

    def _stamp(self, item: Item) -> dict[str, Any]:
        """Readers keep what they read of a month until its item changes."""
        return {
            "Update": {
                "TableName": self._table, "Key": self._key(item),
                "UpdateExpression": "SET recounted = :run",
                "ExpressionAttributeValues": {":run": {"S": self._run_id}},
            }
        }  # fmt: skip

    def _key(self, item: Item) -> dict[str, Any]:
        return {"pk": {"S": keys.of_generation(self._seen.live, item[0])}, "sk": {"S": item[1]}}

    def _transact(self, operations: list[dict[str, Any]]) -> bool:
        """False when a condition failed or another transaction was at these items."""
        try:
            aws.batch_client("dynamodb").transact_write_items(TransactItems=operations)
        except ClientError as error:
            if error.response["Error"]["Code"] != "TransactionCanceledException":
                raise
            return False
        return True


def _unchanged(seen: Fingerprint) -> dict[str, Any]:
    if seen is None:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    terms, names, values = [], {}, {}
    for n, (name, value) in enumerate(zip((*TOTALS, "recounted"), seen, strict=True)):
        names[f"#{n}"] = name
        if value is None:
            terms.append(f"attribute_not_exists(#{n})")
        else:
            terms.append(f"#{n} = :{n}")
            values[f":{n}"] = _value(value)
    return {
        "ConditionExpression": " AND ".join(["attribute_exists(pk)", *terms]),
        "ExpressionAttributeNames": names,
        **({"ExpressionAttributeValues": values} if values else {}),
    }


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        return {"S": value}
    return {"N": str(value)} if isinstance(value, int) else {"SS": sorted(value)}


def _sales_pk(unit: Unit) -> str:
    return keys.sales_partition(unit.stream, unit.grain, unit.bucket)  # type: ignore[arg-type]  # from an item's key


def _sales_item(unit: Unit) -> Item:
    return _sales_pk(unit), f"{unit.bucket}#{unit.currency}"


def _clicks_item(unit: Unit) -> Item:
    key = keys.clicks(unit.stream, unit.bucket)  # type: ignore[arg-type]  # from an item's key
    if unit.term:
        key = keys.searches(unit.stream, unit.bucket, unit.term)  # type: ignore[arg-type]
    return key["pk"], key["sk"]


def _of_months(stream: str, months: Iterable[str]) -> set[str]:
    found = {keys.sales_partition(stream, "month", "")}  # type: ignore[arg-type]
    for month in months:
        found |= {
            keys.sales_partition(stream, "hour", month),  # type: ignore[arg-type]
            keys.sales_partition(stream, "day", month),  # type: ignore[arg-type]
            f"PRODUCTS#{stream}#month#{month}", f"CUSTOMERS#{stream}#{month[:4]}",
            f"CLICKS#{stream}#{month[:4]}", f"SEARCHES#{stream}#{month[:4]}",
        }  # fmt: skip
    return found


class Results:
    """The lease that lets one run at a time, and the results: the last one, and all of them."""

    def __init__(self, names: Names, run_id: str) -> None:
        self._table = aws.table(names.table("ops"))
        self._lease = Lease(self._table, "reconciliation")
        self._run_id = run_id

    def hold(self, now: datetime) -> bool:
        return self._lease.take(self._run_id, now, _LEASE_S)

    def release(self) -> None:
        self._lease.drop(self._run_id)

    def save(self, result: dict[str, Any], at: datetime) -> None:
        head = {name: value for name, value in result.items() if name != "drifts"}
        expires = int(at.timestamp()) + _HISTORY_DAYS * 86_400
        item = {"run_id": self._run_id, "at": to_iso_z(at), **head, "expires_at_epoch_s": expires}
        drifts = {"drifts": json.dumps(result["drifts"])}
        past = keys.past_job("RECONCILIATION", self._run_id)
        self._table.put_item(Item={**item, **drifts, **past})
        del item["expires_at_epoch_s"]
        self._table.put_item(Item={**item, **drifts, **keys.job("RECONCILIATION", "latest")})
