"""The analytics table's items that hold funnels, and what was counted last."""

from collections.abc import Iterator, Sequence
from typing import Any

from pipeline.contracts import keys
from pipeline.contracts.funnel import STEPS
from pipeline.contracts.names import Names
from pipeline.folding.store import transact
from pipeline.funnel.domain import Funnels, changes
from pipeline.runtime import aws, generations
from pipeline.runtime.generations import Generations, Moved

_STREAMS: tuple[keys.Stream, ...] = ("real", "synthetic")
# With the check of the generations, what a transaction may have.
_DAYS_AT_ONCE = 99


class FunnelState:
    """Of the ops table: which clicks were counted last."""

    def __init__(self, names: Names) -> None:
        self._table = aws.table(names.table("ops"))

    def read(self) -> str | None:
        item = self._table.get_item(Key=keys.funnel_state(), ConsistentRead=True).get("Item", {})
        found = item.get("digest")
        return None if found is None else str(found)

    def save(self, counted: str) -> None:
        self._table.put_item(Item={**keys.funnel_state(), "digest": counted})


class FunnelItems:
    """Those of one generation of the aggregates."""

    def __init__(self, names: Names, generation: str) -> None:
        self._names, self._generation = names, generation
        self._table = names.table("analytics")

    def read(self) -> Funnels:
        found: dict[tuple[keys.Stream, str], tuple[int, ...]] = {}
        for stream in _STREAMS:
            for item in self._query(keys.funnel_partition(stream)):
                counts = (int(item[step]["N"]) if step in item else 0 for step in STEPS)
                found[stream, item["sk"]["S"]] = tuple(counts)
        return found

    def replace(self, seen: Generations, held: Funnels, right: Funnels) -> bool:
        """Puts what differs; False when an item is not as it was `held`, and then some are put.

        Raises: Moved when the generations are not as `seen`; Busy; ClientError.
        """
        check = generations.check(self._names, seen)
        days = changes(held, right)
        for start in range(0, len(days), _DAYS_AT_ONCE):
            part = days[start : start + _DAYS_AT_ONCE]
            operations = [self._operation(day, held.get(day), right.get(day)) for day in part]
            failed = transact([check, *operations])
            if 0 in failed:
                raise Moved
            if failed:
                return False
        return True

    def _operation(
        self, day: tuple[keys.Stream, str], before: Sequence[int] | None, now: Sequence[int] | None
    ) -> dict[str, Any]:
        key = keys.funnel(*day)
        place = {"pk": {"S": keys.of_generation(self._generation, key["pk"])},
                 "sk": {"S": key["sk"]}}  # fmt: skip
        condition = _unchanged(before)
        if now is None:
            return {"Delete": {"TableName": self._table, "Key": place, **condition}}
        counts = {step: {"N": str(count)} for step, count in zip(STEPS, now, strict=True)}
        return {"Put": {"TableName": self._table, "Item": place | counts, **condition}}

    def _query(self, pk: str) -> Iterator[dict[str, Any]]:
        pages = aws.batch_client("dynamodb").get_paginator("query").paginate(
            TableName=self._table, ConsistentRead=True, KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": keys.of_generation(self._generation, pk)}},
        )  # fmt: skip
        for page in pages:
            yield from page["Items"]


def _unchanged(before: Sequence[int] | None) -> dict[str, Any]:
    if before is None:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    # A count that is missing was read as zero.
    terms = [
        f"#{step} = :{step}" if count else f"(attribute_not_exists(#{step}) OR #{step} = :{step})"
        for step, count in zip(STEPS, before, strict=True)
    ]
    return {
        "ConditionExpression": " AND ".join(["attribute_exists(pk)", *terms]),
        "ExpressionAttributeNames": {f"#{step}": step for step in STEPS},
        "ExpressionAttributeValues": {
            f":{step}": {"N": str(count)} for step, count in zip(STEPS, before, strict=True)
        },
    }
