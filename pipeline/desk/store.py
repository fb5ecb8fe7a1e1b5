"""The desk's rows in the ops table: what was done with each case, for good."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from boto3.dynamodb.conditions import Key

from pipeline.contracts import keys
from pipeline.contracts.audit import Audit
from pipeline.contracts.events import to_iso_z
from pipeline.contracts.names import Names
from pipeline.desk.domain import MAY_BECOME, Progress, Row, State
from pipeline.runtime import aws
from pipeline.runtime.clock import Clock, NewId
from pipeline.runtime.lease import Lease

# A batch takes at most a second of waiting and a few calls; who dies blocks no one for long.
_LEASE_S = 60
_MAX_DETAIL = 300
_MAX_REFUSED_KEPT = 20


class OpsLedger:
    """Args: `table` of operations, of a client in more of a hurry, for who only looks."""

    def __init__(self, names: Names, clock: Clock, table: Any = None) -> None:
        self._table = table or aws.table(names.table("ops"))
        self._lease = Lease(self._table, "desk")
        self._clock = clock

    def rows(self, place: str) -> dict[str, Row]:
        """By case id; every row of a place, whatever its state."""
        found: dict[str, Row] = {}
        query: dict[str, Any] = {
            "KeyConditionExpression": Key("pk").eq(keys.desk_case(place, "")["pk"]),
            "ConsistentRead": True,
        }
        while True:
            page = self._table.query(**query)
            found |= {item["sk"]: _to_row(item) for item in page["Items"]}
            if "LastEvaluatedKey" not in page:
                return found
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def move(self, row: Row) -> bool:
        """Writes the row if the case's present state may become its; False if not."""
        before = [state for state, following in MAY_BECOME.items() if row.state in following]
        values = {f":{state.value}": state.value for state in before}
        condition = f"#state IN ({', '.join(values)})"
        if State.OPEN in before:
            condition = f"attribute_not_exists(pk) OR {condition}"
        try:
            self._table.put_item(
                Item=_to_item(row),
                ConditionExpression=condition,
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues=values,
            )
        except self._table.meta.client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def take_lease(self, owner: str) -> bool:
        return self._lease.take(owner, self._clock(), _LEASE_S)

    def find_holder(self) -> str | None:
        """The audit entry of the redrive that is under way."""
        return self._lease.find_holder(self._clock())

    def drop_lease(self, owner: str) -> None:
        self._lease.drop(owner)

    def report(self, progress: Progress) -> None:
        self._table.put_item(
            Item={
                **keys.desk_run(),
                "entry_id": progress.entry_id,
                "by": progress.by,
                "place": progress.place,
                "total": progress.total,
                "done": progress.done,
                "refused": len(progress.refused),
                "why": list(dict.fromkeys(progress.refused.values()))[:_MAX_REFUSED_KEPT],
                "is_over": progress.is_over,
                "updated_at": to_iso_z(self._clock()),
            }
        )

    def find_report(self) -> dict[str, Any] | None:
        """The latest redrive: {entry_id, by, place, total, done, refused, why, is_over, …}."""
        item: dict[str, Any] | None = self._table.get_item(Key=keys.desk_run()).get("Item")
        return item


@contextmanager
def audited(
    names: Names, clock: Clock, new_id: NewId, actor: str, action: str, target: str
) -> Iterator[tuple[str, list[str]]]:
    """Around an action of the command line: (the entry's id, a list for words of its result).

    The entry is written before as `started`; one that stays so tells of a process that died.
    """
    table, said = aws.table(names.table("ops")), list[str]()
    entry = Audit(new_id(), to_iso_z(clock()), actor, action, target, result="started")
    table.put_item(Item=entry.to_item())
    result = "failed"
    try:
        yield entry.entry_id, said
        result = "ok"
    except ValueError as error:
        result = "refused"
        said.append(str(error))
        raise
    except Exception as error:  # the action's edge: its end is written down, and it goes on up
        said.append(type(error).__name__)
        raise
    finally:
        table.update_item(
            Key=dict(entry.key),
            UpdateExpression="SET #result = :result, detail = :detail",
            ExpressionAttributeNames={"#result": "result"},
            ExpressionAttributeValues={":result": result,
                                       ":detail": "; ".join(said)[:_MAX_DETAIL] or "-"},
        )  # fmt: skip


def _to_item(row: Row) -> dict[str, Any]:
    found = {
        **keys.desk_case(row.place, row.case_id),
        "place": row.place,
        "state": row.state.value,
        "by": row.by,
        "at": to_iso_z(row.at),
        "arrived_at": to_iso_z(row.arrived_at),
        "cause": row.cause,
        "detail": row.detail,
        "source": row.source,
        "event_id": row.event_id,
        "body": None if row.body is None else zlib.compress(row.body.encode("utf-8", "replace")),
        "reason": row.reason,
        "steps": list(row.steps),
        "attributes": dict(row.attributes),
        "redriving_at": row.redriving_at and to_iso_z(row.redriving_at),
        "entry_id": row.entry_id,
    }
    return {name: value for name, value in found.items() if value not in (None, "", [], {})}


def _to_row(item: dict[str, Any]) -> Row:
    body, begun = item.get("body"), item.get("redriving_at")
    return Row(
        case_id=item["sk"],
        place=item["place"],
        state=State(item["state"]),
        by=item["by"],
        at=datetime.fromisoformat(item["at"]),
        arrived_at=datetime.fromisoformat(item["arrived_at"]),
        cause=item.get("cause", ""),
        detail=item.get("detail", ""),
        source=item.get("source", ""),
        event_id=item.get("event_id"),
        body=None if body is None else zlib.decompress(bytes(body)).decode(),
        reason=item.get("reason", ""),
        steps=tuple(item.get("steps", ())),
        attributes=item.get("attributes", {}),
        redriving_at=datetime.fromisoformat(begun) if begun else None,
        entry_id=item.get("entry_id", ""),
    )
