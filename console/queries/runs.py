"""Long jobs as they report themselves in the ops table: replays, proofs, compaction, audit."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import streamlit as st
from boto3.dynamodb.conditions import Key
from botocore.exceptions import BotoCoreError, ClientError

from console import wording
from console.queries import clients
from console.queries.edge import Unreachable
from console.queries.shared import shared
from console.settings import settings
from pipeline.contracts import keys
from pipeline.runtime.clock import now
from pipeline.runtime.signed_report import read_published

_RUNNING = ("sending", "catching_up", "compacting")
# A replay writes each second; one that has been silent for this long has died.
_SILENT_AFTER_S = 30


@dataclass(frozen=True, slots=True)
class Replay:
    """`done` rows are in the lake and in the aggregates, of `sent` into the stream, of `total`."""

    status: str
    total: int
    sent: int
    done: int
    rows_per_s: float
    updated_at: datetime | None
    facts: dict[str, Any]

    @property
    def is_running(self) -> bool:
        return self.status in _RUNNING and not self.is_silent

    @property
    def is_silent(self) -> bool:
        """Says that it runs, but has stopped reporting."""
        return (
            self.status in _RUNNING
            and self.updated_at is not None
            and (now() - self.updated_at).total_seconds() > _SILENT_AFTER_S
        )

    @property
    def share(self) -> float:
        return min(1.0, self.done / self.total) if self.total else 0.0

    @property
    def has_failed(self) -> bool:
        return self.status not in ("done", *_RUNNING)

    @property
    def eta_s(self) -> float | None:
        left = self.total - self.done
        return left / self.rows_per_s if self.rows_per_s > 0 and left > 0 else None


@shared(1.5)
def find_replay() -> Replay | None:
    """The latest replay, running or done. Raises Unreachable."""
    return read_replay()


def read_replay() -> Replay | None:
    """As `find_replay`, for a probe: not through the cache."""
    item = _find(keys.replay_run("latest"))
    if item is None:
        return None
    return Replay(
        status=str(item.get("status", "unknown")),
        total=int(item.get("rows_total") or 0),
        sent=int(item.get("rows_sent") or 0),
        done=int(item.get("rows_done") or 0),
        rows_per_s=float(item.get("rows_per_s") or 0),
        updated_at=wording.moment(item.get("updated_at")),
        facts=item,
    )


@shared(2.0)
def find_proof() -> dict[str, Any] | None:
    """The latest proof: {at, duration_s, checks: [{name, verdict, detail, …}], …}."""
    return _find(keys.proof_run("latest"))


@shared(10.0)
def find_proof_keys() -> list[dict[str, Any]]:
    """The JWKS that proofs are checked with; none before the first. Raises Unreachable."""
    try:
        return read_published(clients.quick("secretsmanager"), settings().names)
    except (BotoCoreError, ClientError) as error:
        raise Unreachable(f"Secrets Manager does not answer ({type(error).__name__}).") from None


@shared(5.0)
def list_proofs(limit: int = 20) -> list[dict[str, Any]]:
    """Earlier proofs, newest first."""
    condition = Key("pk").eq(keys.past_proof("")["pk"])
    page = _guarded(
        _ops().query, KeyConditionExpression=condition, ScanIndexForward=False, Limit=limit
    )
    return [clients.plain(item) for item in page["Items"]]


def read_compaction() -> dict[str, Any] | None:
    """When compaction last ran and how much it has done, as it reports itself."""
    return _find(keys.compaction_state())


@st.cache_data(ttl=2.0, max_entries=2, show_spinner=False)
def list_audit(day: str, limit: int = 20) -> list[dict[str, Any]]:
    """What people did through the console on a UTC day (`2026-11-24`), newest first."""
    condition = Key("pk").eq(keys.audit(day, "")["pk"])
    page = _guarded(
        _ops().query, KeyConditionExpression=condition, ScanIndexForward=False, Limit=limit
    )
    return [clients.plain(item) for item in page["Items"]]


def _ops() -> Any:
    return clients.table(settings().names.table("ops"))


def _find(key: dict[str, str]) -> dict[str, Any] | None:
    item = _guarded(_ops().get_item, Key=key).get("Item")
    return clients.plain(item) if item else None


def _guarded(call: Any, **arguments: Any) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = call(**arguments)
    except (BotoCoreError, ClientError) as error:
        raise Unreachable(f"The ops table does not answer ({type(error).__name__}).") from None
    return answer
