"""Which generation of the aggregates is read, and which are written: one item, one condition.

A rebuild writes a second generation beside the live one. From the moment this item names it, every
booking of folding goes to both, because each of its transactions checks that the item is as it was
read. Readers go by `live` alone, so a swap is one conditional write.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

from pipeline.contracts import keys
from pipeline.contracts.names import Names
from pipeline.runtime import aws
from pipeline.runtime.dynamo import from_item, to_item

State = Literal["none", "building", "ready", "kept"]


class Moved(Exception):
    """Somebody changed the generations since they were read."""


class NotNow(Exception):
    """The generations do not stand so that this could be done; the text is for the person."""


@dataclass(frozen=True, slots=True)
class Generations:
    """`other` is `building`, `ready` to be swapped in, or `kept` for a roll-back; or there is none.

    `version` goes up with every change; 0 is before the first.
    """

    version: int = 0
    live: str = keys.FIRST_GENERATION
    other: str | None = None
    state: State = "none"

    @property
    def written(self) -> tuple[str, ...]:
        return (self.live,) if self.other is None else (self.live, self.other)

    def begun(self, name: str) -> "Generations":
        if self.other is not None:
            raise NotNow(f"There is a second generation already, {self.other}: {self.state}.")
        return self._next(other=name, state="building")

    def finished(self, name: str) -> "Generations":
        if (self.other, self.state) != (name, "building"):
            raise NotNow(f"Generation {name} is not being built any more.")
        return self._next(state="ready")

    def swapped(self) -> "Generations":
        """The rebuilt one is read from now on; the one before is kept, and still written."""
        if self.other is None or self.state != "ready":
            raise NotNow("There is no rebuilt generation to swap in: run a rebuild first.")
        return self._next(live=self.other, other=self.live, state="kept")

    def rolled_back(self) -> "Generations":
        """The kept one is read again; the rebuilt one stays ready."""
        if self.other is None or self.state != "kept":
            raise NotNow("There is no earlier generation to go back to.")
        return self._next(live=self.other, other=self.live, state="ready")

    def without_other(self) -> "Generations":
        return self._next(other=None, state="none")

    def _next(self, **changes: Any) -> "Generations":
        return replace(self, version=self.version + 1, **changes)


def read(names: Names, client: Any = None) -> Generations:
    """Args: `client` of DynamoDB, for who is in more of a hurry than the pipeline."""
    found = (client or aws.client("dynamodb")).get_item(
        TableName=names.table("analytics"), Key=to_item(keys.generations()), ConsistentRead=True
    ).get("Item")  # fmt: skip
    if not found:
        return Generations()
    item = from_item(found)
    return Generations(item["version"], item["live"], item.get("other"), item["state"])


def write(names: Names, seen: Generations, wanted: Generations) -> None:
    """Raises Moved when somebody changed them since `seen` was read."""
    client = aws.client("dynamodb")
    item = {"version": wanted.version, "live": wanted.live, "state": wanted.state}
    if wanted.other is not None:
        item["other"] = wanted.other
    try:
        client.put_item(
            TableName=names.table("analytics"),
            Item=to_item({**keys.generations(), **item}),
            **_condition(seen),
        )
    except client.exceptions.ConditionalCheckFailedException:
        # The answer to a write that was made may have been lost, and the client sent it again.
        if read(names) != wanted:
            raise Moved from None


def check(names: Names, seen: Generations) -> dict[str, Any]:
    """The operation that lets a transaction pass only while they are as `seen`."""
    return {
        "ConditionCheck": {
            "TableName": names.table("analytics"),
            "Key": to_item(keys.generations()),
            **_condition(seen),
        }
    }


def swap(names: Names) -> Generations:
    """Raises NotNow, Moved."""
    seen = read(names)
    wanted = seen.swapped()
    write(names, seen, wanted)
    return wanted


def roll_back(names: Names) -> Generations:
    """Raises NotNow, Moved."""
    seen = read(names)
    wanted = seen.rolled_back()
    write(names, seen, wanted)
    return wanted


def _condition(seen: Generations) -> dict[str, Any]:
    if seen.version == 0:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    return {
        "ConditionExpression": "version = :version",
        "ExpressionAttributeValues": to_item({":version": seen.version}),
    }
