"""Load runs in the `ops` table: a head each, and the seconds of every minute in an item of its own.

A minute is about 10 KB compressed and is written again each second, so that a page anywhere sees
the run live and one that dies is kept up to its last second.
"""

import json
import zlib
from dataclasses import asdict
from typing import Any

import stamina
from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import BotoCoreError

from loadgen.scenarios import Plan, Scenario
from pipeline.contracts import keys
from pipeline.contracts.audit import Audit
from pipeline.contracts.events import to_iso_z
from pipeline.runtime.clock import new_id, now

_MINUTES_KEPT_S = 90 * 86_400
_MAX_RUNS = 200
Item = dict[str, Any]


class Records:
    """The runs of one stage, over its `ops` table (a boto3 Table)."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def begin(self, plan: Plan) -> None:
        """Write the head of a run that is about to start; what is there already is kept."""
        self._table.update_item(
            Key=keys.load_run(plan.run_id),
            UpdateExpression="SET run_id = :r, #plan = :p, #by = :b, started_at = :t, #s = :s",
            ExpressionAttributeNames={"#plan": "plan", "#by": "by", "#s": "status"},
            ExpressionAttributeValues={
                ":r": plan.run_id,
                ":p": json.dumps(asdict(plan)),
                ":b": plan.by,
                ":t": to_iso_z(now()),
                ":s": "running",
            },
        )

    def put_minute(self, run_id: str, minute: int, body: Item) -> None:
        """`body`: {seconds: […], routes: […], slowest: […], shoppers: […]}, JSON values."""
        packed = zlib.compress(json.dumps(body, separators=(",", ":")).encode(), 6)
        expires = int(now().timestamp()) + _MINUTES_KEPT_S
        self._table.put_item(
            Item={
                **keys.load_minute(run_id, minute),
                "body": packed,
                "expires_at_epoch_s": expires,
            }
        )

    @stamina.retry(on=BotoCoreError, attempts=8, timeout=60.0, wait_max=10.0)
    def end(self, run_id: str, status: str, summary: Item) -> None:
        """Patient: without this the figures of a whole run would have no head."""
        self.set(run_id, status=status, ended_at=to_iso_z(now()), summary=json.dumps(summary))

    @stamina.retry(on=BotoCoreError, attempts=4, timeout=20.0)
    def settle(self, run_id: str, status: str) -> None:
        """The last word on a run whose figures are written."""
        self.set(run_id, status=status)

    def set(self, run_id: str, **values: Any) -> None:
        """Set attributes of a run's head, which must exist."""
        self._table.update_item(
            Key=keys.load_run(run_id),
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
            ConditionExpression=Attr("pk").exists(),
            ExpressionAttributeNames={f"#{name}": name for name in values},
            ExpressionAttributeValues={f":{name}": value for name, value in values.items()},
        )

    def find(self, run_id: str) -> Item | None:
        """A head with `plan` and `summary` decoded; `plan` is a dict, `summary` may be absent."""
        item = self._table.get_item(Key=keys.load_run(run_id), ConsistentRead=True).get("Item")
        return _head(item) if item else None

    def list_runs(self, limit: int = _MAX_RUNS) -> list[Item]:
        """Heads, newest first."""
        arguments: Item = {
            "KeyConditionExpression": Key("pk").eq(keys.load_run("")["pk"]),
            "ScanIndexForward": False,
        }
        found: list[Item] = []
        while True:
            page = self._table.query(**arguments, Limit=limit - len(found))
            found += map(_head, page["Items"])
            if "LastEvaluatedKey" not in page or len(found) >= limit:
                return found
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def audit(self, actor: str, action: str, target: str, detail: str = "") -> None:
        """An entry among what people did through the console."""
        entry = Audit(new_id(), to_iso_z(now()), actor, action, target, detail)
        self._table.put_item(Item=entry.to_item())

    def minutes(self, run_id: str, first: int = 0) -> dict[int, Item]:
        """The minutes from `first` on, by number; bounded by the longest run."""
        start, end = (keys.load_minute(run_id, n)["sk"] for n in (first, 9_999))
        arguments: Item = {
            "KeyConditionExpression": Key("pk").eq(keys.load_minute(run_id, 0)["pk"])
            & Key("sk").between(start, end)
        }
        found: dict[int, Item] = {}
        while True:
            page = self._table.query(**arguments)
            for item in page["Items"]:
                body = zlib.decompress(bytes(item["body"]))
                found[int(str(item["sk"]).rpartition("#")[2])] = json.loads(body)
            if "LastEvaluatedKey" not in page:
                return found
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def request_stop(self, run_id: str, by: str = "an operator") -> None:
        """The run sees it within a second."""
        self.set(run_id, stop_requested=by)

    def find_stop(self, run_id: str) -> str:
        """Who asked the run to stop; "" while nobody has."""
        item = self._table.get_item(
            Key=keys.load_run(run_id), ProjectionExpression="stop_requested"
        ).get("Item")
        return str((item or {}).get("stop_requested") or "")


def plan_of(head: Item) -> Plan:
    values = dict(head["plan"])
    return Plan(**values | {"scenario": Scenario(values["scenario"])})


def _head(item: Item) -> Item:
    decoded = {n: json.loads(item[n]) for n in ("plan", "summary", "cleaned") if n in item}
    return {k: v for k, v in item.items() if k not in ("pk", "sk")} | decoded
