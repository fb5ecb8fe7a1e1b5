"""Reconciliations and rebuilds as they report themselves, and the generations of the aggregates."""

import json
from typing import Any

from boto3.dynamodb.conditions import Key

from console.queries import clients
from console.queries.load import guarded
from console.queries.shared import shared
from console.settings import settings
from pipeline.contracts import keys
from pipeline.runtime import generations
from pipeline.runtime.clock import now
from pipeline.runtime.generations import Generations
from pipeline.runtime.lease import Lease


@shared(1.5)
def find_reconciliation() -> dict[str, Any] | None:
    """The last one: {at, trigger, duration_ms, compared, hours, unexplained, explained, repaired,
    by_reason, drifts: [{stream, grain, bucket, currency, metric, lake, aggregates, drift, why,
    detail, events, is_repaired}]}. Raises Unreachable."""
    found = _find(keys.job("RECONCILIATION", "latest"))
    return found and {**found, "drifts": json.loads(found["drifts"])}


@shared(3.0)
def list_reconciliations(limit: int = 30) -> list[dict[str, Any]]:
    """Earlier ones, newest first, without what differed. Raises Unreachable."""
    return _past("RECONCILIATION", limit)


@shared(0.8)
def find_rebuild() -> dict[str, Any] | None:
    """The last one, running or not: {run_id, status, stage, done, total, by, started_at, events?,
    items?, differing?, examples?, detail?}. Raises Unreachable."""
    return _find(keys.job("REBUILD", "latest"))


@shared(3.0)
def list_rebuilds(limit: int = 20) -> list[dict[str, Any]]:
    """Those that ended, newest first. Raises Unreachable."""
    return _past("REBUILD", limit)


@shared(0.8)
def find_holder(lease: str) -> str | None:
    """Who is at work: `reconciliation` or `rebuild`. Raises Unreachable."""
    return guarded(lambda: Lease(_ops(), lease).find_holder(now()))


@shared(0.8)
def find_generations() -> Generations:
    """Raises Unreachable."""
    return guarded(lambda: generations.read(settings().names, clients.quick("dynamodb")))


def forget() -> None:
    """Read anew at the next look, after an action of this console."""
    for one in (find_reconciliation, find_rebuild, find_holder, find_generations,
                list_reconciliations, list_rebuilds):  # fmt: skip
        one.clear()


def _past(kind: str, limit: int) -> list[dict[str, Any]]:
    condition = Key("pk").eq(keys.past_job(kind, "")["pk"])
    page = guarded(
        lambda: _ops().query(KeyConditionExpression=condition, ScanIndexForward=False, Limit=limit)
    )
    return [clients.plain(item) for item in page["Items"]]


def _find(key: dict[str, str]) -> dict[str, Any] | None:
    item = guarded(lambda: _ops().get_item(Key=key)).get("Item")
    return clients.plain(item) if item else None


def _ops() -> Any:
    return clients.table(settings().names.table("ops"))
