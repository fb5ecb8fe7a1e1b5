"""The analytics table as a rebuild reads and writes it, and its progress in the ops table."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import stamina
from botocore.exceptions import ClientError

from pipeline.contracts import keys
from pipeline.contracts.events import to_iso_z
from pipeline.contracts.names import Names
from pipeline.folding.domain import Item
from pipeline.folding.recount import split
from pipeline.rebuild.domain import Figures, figures, place_of
from pipeline.runtime import aws
from pipeline.runtime.batches import write_all
from pipeline.runtime.lease import Lease

_PARTS = 290  # of 300 operators an update expression may have
_WRITERS = 8
_HISTORY_DAYS = 90
_LEASE_S = 120
_MAY_PASS = frozenset({
    "ThrottlingException", "ProvisionedThroughputExceededException", "RequestLimitExceeded",
    "TransactionConflictException", "InternalServerError",
})  # fmt: skip


class Lost(Exception):
    """Another rebuild holds the lease now."""


def _may_pass(error: Exception) -> bool:
    return isinstance(error, ClientError) and error.response["Error"]["Code"] in _MAY_PASS


class Shadow:
    """One generation that is being built."""

    def __init__(self, names: Names, generation: str) -> None:
        self._table = names.table("analytics")
        self._generation = generation

    def cut(self, shard: str) -> str:
        """Up to which sequence number clicks are the rebuild's to count, fixed for good.

        Folding fixes it with its first clicks for this generation; where it had none yet, this does
        it, on the condition that it still has none.
        """
        client, name = aws.batch_client("dynamodb"), f"from|{self._generation}"
        key = _low(keys.shard_mark(shard))
        for _ in range(20):
            item = client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
            if item is None:
                return ""  # none was folded of it, so folding begins with the new generation
            if name in item:
                return str(item[name]["S"])
            try:
                client.update_item(
                    TableName=self._table, Key=key,
                    UpdateExpression="SET #from = last_sequence",
                    ConditionExpression="attribute_not_exists(#from) AND last_sequence = :seen",
                    ExpressionAttributeNames={"#from": name},
                    ExpressionAttributeValues={":seen": item["last_sequence"]},
                )  # fmt: skip
            except client.exceptions.ConditionalCheckFailedException:
                continue
        raise Lost(f"Clicks of {shard} did not hold still")

    def add(self, item: Item, counts: dict[str, int]) -> None:
        """Adds to what folding may have added already; each part of an item once."""
        for number, part in enumerate(split(counts, _PARTS)):
            self._add_part(item, f"base{number}", part)

    @stamina.retry(on=_may_pass, attempts=8, timeout=30, wait_initial=0.05, wait_max=2)
    def _add_part(self, item: Item, guard: str, counts: dict[str, int]) -> None:
        client = aws.batch_client("dynamodb")
        names = {f"#{n}": name for n, name in enumerate(counts)} | {"#guard": guard}
        values = {f":{n}": {"N": str(amount)} for n, amount in enumerate(counts.values())}
        terms = ",".join(f"#{n} :{n}" for n in range(len(counts)))
        try:
            client.update_item(
                TableName=self._table,
                Key=self._key(item),
                UpdateExpression=f"ADD {terms} SET #guard = :guard",
                ConditionExpression="attribute_not_exists(#guard)",
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=values | {":guard": {"S": self._generation}},
            )
        except client.exceptions.ConditionalCheckFailedException:
            return  # written, and the answer was lost

    @stamina.retry(on=_may_pass, attempts=8, timeout=30, wait_initial=0.05, wait_max=2)
    def join(self, item: Item, members: set[str]) -> None:
        aws.batch_client("dynamodb").update_item(
            TableName=self._table,
            Key=self._key(item),
            UpdateExpression="ADD customers :members",
            ExpressionAttributeValues={":members": {"SS": sorted(members)}},
        )

    def _key(self, item: Item) -> dict[str, Any]:
        return {"pk": {"S": keys.of_generation(self._generation, item[0])}, "sk": {"S": item[1]}}


def scan(names: Names) -> Iterator[tuple[str, str, Figures]]:
    """(pk, sk, figures) of every item but the markers of events."""
    pages = aws.batch_client("dynamodb").get_paginator("scan").paginate(
        TableName=names.table("analytics"),
        FilterExpression="NOT begins_with(pk, :event)",
        ExpressionAttributeValues={":event": {"S": "EVENT#"}},
    )  # fmt: skip
    for page in pages:
        for item in page["Items"]:
            yield item["pk"]["S"], item["sk"]["S"], figures(item)


def read_pair(names: Names, item: Item, generations: tuple[str, str]) -> tuple[Figures, Figures]:
    """An item in both generations as they were at one moment."""
    table = names.table("analytics")
    answer = aws.batch_client("dynamodb").transact_get_items(
        TransactItems=[
            {"Get": {"TableName": table, "Key": {
                "pk": {"S": keys.of_generation(generation, item[0])}, "sk": {"S": item[1]},
            }}}
            for generation in generations
        ]
    )  # fmt: skip
    live, rebuilt = (figures(one.get("Item", {})) for one in answer["Responses"])
    return live, rebuilt


def delete(names: Names, generation: str) -> int:
    """Every item of a generation that nobody reads or writes any more; returns how many."""
    table, client = names.table("analytics"), aws.batch_client("dynamodb")
    found = [
        {"DeleteRequest": {"Key": {"pk": {"S": pk}, "sk": {"S": sk}}}}
        for pk, sk, _ in scan(names)
        if place_of(pk, (generation,))
    ]
    write_all(client, table, found, threads=_WRITERS)
    return len(found)


class Runs:
    """The lease that lets one rebuild run at a time, how far it is, and those before."""

    def __init__(self, names: Names, run_id: str) -> None:
        self._table = aws.table(names.table("ops"))
        self._lease = Lease(self._table, "rebuild")
        self._run_id = run_id

    def hold(self, now: datetime) -> None:
        """Take or renew the lease. Raises: Lost."""
        if not self._lease.take(self._run_id, now, _LEASE_S):
            raise Lost("Another rebuild is at work; it holds the lease.")

    def release(self) -> None:
        self._lease.drop(self._run_id)

    def save(self, facts: dict[str, Any], now: datetime, *, is_over: bool = False) -> None:
        item = {"run_id": self._run_id, "updated_at": to_iso_z(now), **facts}
        self._table.put_item(Item={**keys.job("REBUILD", "latest"), **item})
        if is_over:
            expires = int(now.timestamp()) + _HISTORY_DAYS * 86_400
            past = {**keys.past_job("REBUILD", self._run_id), "expires_at_epoch_s": expires}
            self._table.put_item(Item={**item, **past})


def _low(key: keys.Key) -> dict[str, Any]:
    return {name: {"S": value} for name, value in key.items()}
