"""The analytics table as folding writes it: low-level items, one transaction a chunk."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import stamina
from botocore.exceptions import ClientError

from pipeline.contracts import keys
from pipeline.contracts.events import to_iso_z
from pipeline.contracts.names import Names
from pipeline.folding.domain import MAX_COUNTERS_PER_ITEM, Chunk, Increments, Item
from pipeline.runtime import aws, generations
from pipeline.runtime.generations import Generations, Moved

Attributes = dict[str, Any]
_NAMES, _VALUES = ([f"{mark}{n}" for n in range(MAX_COUNTERS_PER_ITEM)] for mark in "#:")
_BUSY = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
_BUSY_CALL = frozenset({
    "ThrottlingException", "ProvisionedThroughputExceededException", "RequestLimitExceeded",
    "TransactionInProgressException", "InternalServerError", "TransactionConflictException",
})  # fmt: skip


class Busy(Exception):
    """Somebody else writes these items, or the table is throttled: try again."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A transaction: the check of the generations, then a put for each marker, then updates."""

    markers: list[Item]
    operations: list[Attributes]


class AnalyticsTable:
    """The store of the aggregates.

    Transactions carry the client request token that botocore makes per call, so its own retries
    cannot apply one twice; beyond that the markers decide.
    """

    def __init__(self, names: Names) -> None:
        self._names = names
        self._table = names.table("analytics")
        self._generations: Generations | None = None

    def copies(self) -> int:
        """In how many generations each event is booked: two while one is built or kept."""
        return len(self._seen().written)

    def prepare(self, chunk: Chunk) -> Prepared:
        """The transaction that books a chunk in the generations that `copies` spoke of."""
        seen = self._seen()
        facts: Attributes = {}
        if seen.written != (keys.FIRST_GENERATION,):
            facts["generations"] = {"SS": list(seen.written)}
        markers = [portion.marker for portion in chunk.portions]
        puts = [
            {
                "Put": {
                    "TableName": self._table,
                    "Item": {**_key(marker), **facts},
                    "ConditionExpression": "attribute_not_exists(pk)",
                }
            }
            for marker in markers
        ]
        check = generations.check(self._names, seen)
        updates = self._updates(chunk.increments, seen.written)
        return Prepared(markers, [check, *puts, *updates])

    def book(self, prepared: Prepared, folded_at: datetime) -> set[Item]:
        """Writes all, or nothing when some markers exist: then returns those.

        Raises: Moved when the generations are not those it was prepared for; Busy when it
        conflicts or is throttled, after bounded retries; ClientError.
        """
        for operation in prepared.operations[1 : 1 + len(prepared.markers)]:
            operation["Put"]["Item"]["folded_at"] = {"S": to_iso_z(folded_at)}
        failed = self._transact(prepared.operations)
        if 0 in failed:
            self._generations = None
            raise Moved
        return {prepared.markers[index - 1] for index in failed}

    def read_mark(self, shard: str) -> str:
        """The last click sequence folded of a shard; empty before the first."""
        found = aws.batch_client("dynamodb").get_item(
            TableName=self._table, Key=_low(keys.shard_mark(shard)), ConsistentRead=True
        )
        sequence = found.get("Item", {}).get("last_sequence", {}).get("S", "")
        return str(sequence)

    def book_clicks(self, shard: str, seen: str, last: str, increments: Increments) -> bool:
        """Adds the counters if the shard's mark is still `seen`, and moves it to `last`.

        A generation that is being built gets the clicks from `from|<generation>` on; what came up
        to there is the rebuild's to count.
        """
        now = self._seen()
        condition = "last_sequence = :seen" if seen else "attribute_not_exists(pk)"
        mark: Attributes = {
            "TableName": self._table,
            "Key": _low(keys.shard_mark(shard)),
            "UpdateExpression": "SET last_sequence = :last",
            "ConditionExpression": condition,
            "ExpressionAttributeValues": {":last": {"S": last}},
        }
        if now.state == "building":
            mark["UpdateExpression"] += ", #from = if_not_exists(#from, :seen)"
            mark["ExpressionAttributeNames"] = {"#from": f"from|{now.other}"}
        if seen or now.state == "building":
            mark["ExpressionAttributeValues"][":seen"] = {"S": seen}
        check = generations.check(self._names, now)
        failed = self._transact([check, {"Update": mark}, *self._updates(increments, now.written)])
        if 0 in failed:
            self._generations = None
        return not failed

    def advance(self, shard: str, sequence: str, facts: Mapping[str, str]) -> None:
        """Moves the progress item forward; a fact that would go backwards stays as it is.

        Args: `facts` are `newest_occurred_at`, `newest_arrived_at` and `folded_at` as ISO 8601 text
        of one width, so that they compare.
        """
        news = {**facts, f"sequence|{shard}": sequence}
        if not self._move(news):
            for name, value in news.items():
                self._move({name: value})

    def _move(self, facts: Mapping[str, str]) -> bool:
        """Writes facts of the progress item, if each of them moves it forward."""
        named = list(zip(_NAMES, _VALUES, facts.items(), strict=False))
        client = aws.batch_client("dynamodb")
        try:
            client.update_item(
                TableName=self._table,
                Key=_low(keys.progress("folding")),
                UpdateExpression="SET "
                + ", ".join(f"{name} = {value}" for name, value, _ in named),
                ConditionExpression=" AND ".join(
                    f"(attribute_not_exists({name}) OR {name} < {value})"
                    for name, value, _ in named
                ),
                ExpressionAttributeNames={name: fact for name, _, (fact, _) in named},
                ExpressionAttributeValues={value: {"S": at} for _, value, (_, at) in named},
            )
        except client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _seen(self) -> Generations:
        """As they were read once; each transaction checks that they still are."""
        if self._generations is None:
            self._generations = generations.read(self._names)
        return self._generations

    def _updates(self, increments: Increments, written: Iterable[str]) -> list[Attributes]:
        updates = []
        for generation in written:
            for (pk, sk), counts in increments.counters.items():
                updates.append(self._add((keys.of_generation(generation, pk), sk), counts))
            for (pk, sk), members in increments.members.items():
                updates.append(self._join((keys.of_generation(generation, pk), sk), members))
        return updates

    def _join(self, item: Item, members: set[str]) -> Attributes:
        return {
            "Update": {
                "TableName": self._table,
                "Key": _key(item),
                "UpdateExpression": "ADD customers :members",
                "ExpressionAttributeValues": {":members": {"SS": sorted(members)}},
            }
        }

    def _add(self, item: Item, counts: dict[str, int]) -> Attributes:
        return {
            "Update": {
                "TableName": self._table,
                "Key": _key(item),
                "UpdateExpression": _addition(len(counts)),
                "ExpressionAttributeNames": dict(zip(_NAMES, counts, strict=False)),
                "ExpressionAttributeValues": {
                    value: {"N": str(amount)}
                    for value, amount in zip(_VALUES, counts.values(), strict=False)
                },
            }
        }

    def _transact(self, items: list[Attributes]) -> list[int]:
        return transact(items)


@stamina.retry(on=Busy, attempts=6, timeout=20, wait_initial=0.05, wait_max=2, wait_jitter=0.2)
def transact(items: list[Attributes]) -> list[int]:
    """The indexes whose condition failed; empty when everything is written.

    Raises: Busy when it conflicts or is throttled, after bounded retries; ClientError.
    """
    client = aws.batch_client("dynamodb")
    try:
        client.transact_write_items(TransactItems=items)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in _BUSY_CALL:
            raise Busy(code) from error
        if code != "TransactionCanceledException":
            raise
        reasons = [reason["Code"] for reason in error.response["CancellationReasons"]]
        failed = [i for i, reason in enumerate(reasons) if reason == "ConditionalCheckFailed"]
        if failed:
            return failed
        if set(reasons) - {"None"} <= _BUSY:
            raise Busy(str(reasons)) from error
        raise
    return []


@lru_cache
def _addition(counters: int) -> str:
    terms = zip(_NAMES[:counters], _VALUES[:counters], strict=True)
    return "ADD " + ",".join(f"{name} {value}" for name, value in terms)


def _key(item: Item) -> Attributes:
    return {"pk": {"S": item[0]}, "sk": {"S": item[1]}}


def _low(key: keys.Key) -> Attributes:
    return {name: {"S": value} for name, value in key.items()}
