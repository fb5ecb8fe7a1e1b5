"""Saved queries, and who ran what: items of the ops table."""

from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any

from boto3.dynamodb.conditions import Key
from botocore.exceptions import BotoCoreError, ClientError

from console import audit
from console.audit import Entry, Refused, audited
from console.queries import clients
from console.queries.edge import Unreachable
from console.queries.explore import Outcome, Request
from console.sessions import Session
from console.settings import settings
from pipeline.contracts import keys
from pipeline.contracts.events import to_iso_z
from pipeline.runtime.clock import new_id, now

MAX_SAVED = 100
MAX_NAME = 80
_RESULTS: dict[str, audit.Result] = {"done": "ok", "refused": "refused"}


@dataclass(frozen=True, slots=True)
class SavedQuery:
    """`owner` is an e-mail; `chart` holds the chart builder's choices, empty for none."""

    query_id: str
    owner: str
    name: str
    sql: str
    updated_at: str
    chart: dict[str, str] = field(default_factory=dict)


def _ops() -> Any:
    return clients.table(settings().names.table("ops"))


def save(person: Session, name: str, sql: str, chart: dict[str, str], query_id: str = "") -> str:
    """Returns its id: the given one if it is the person's own, else a new one.

    Both items change together: the query, found by its id, and the line in the owner's list.
    Raises Refused, also when the person has MAX_SAVED already, and Unreachable.
    """
    with audited(person, "explore.save", name[:MAX_NAME]):
        own = find(query_id) if query_id else None
        if own is None or own.owner != person.email:
            if len(list_own(person)) >= MAX_SAVED:
                raise Refused(f"You have {MAX_SAVED} saved queries: delete one first.")
            query_id = new_id()
        _put(person, query_id, name, sql, chart)
    return query_id


def _put(person: Session, query_id: str, name: str, sql: str, chart: dict[str, str]) -> None:
    saved = SavedQuery(query_id, person.email, name[:MAX_NAME], sql, to_iso_z(now()), chart)
    facts = asdict(saved)
    line = {name: facts[name] for name in ("query_id", "name", "updated_at")}
    _write(
        {"Put": {"Item": {**keys.saved_query(query_id), **facts}}},
        {"Put": {"Item": {**keys.saved_queries(person.email, query_id), **line}}},
    )


def delete(person: Session, query_id: str) -> None:
    """Only the owner's. Raises Refused for others', and Unreachable."""
    with audited(person, "explore.delete", query_id):
        saved = find(query_id)
        if saved is None or saved.owner != person.email:
            raise Refused("It is not yours, or it is deleted already.")
        _write(
            {"Delete": {"Key": keys.saved_query(query_id)}},
            {"Delete": {"Key": keys.saved_queries(person.email, query_id)}},
        )


def find(query_id: str) -> SavedQuery | None:
    """By the id of its link. Raises Unreachable."""
    if not query_id or len(query_id) > 64:
        return None
    try:
        item = _ops().get_item(Key=keys.saved_query(query_id)).get("Item")
    except (BotoCoreError, ClientError) as error:
        raise _silent(error) from None
    if not item:
        return None
    return SavedQuery(**{name: item[name] for name in SavedQuery.__slots__})


def list_own(person: Session) -> list[dict[str, str]]:
    """[{query_id, name, updated_at}], the latest first. Raises Unreachable."""
    partition = keys.saved_queries(person.email, "")["pk"]
    try:
        items = _ops().query(KeyConditionExpression=Key("pk").eq(partition), Limit=MAX_SAVED)
    except (BotoCoreError, ClientError) as error:
        raise _silent(error) from None
    return sorted(items["Items"], key=lambda item: str(item["updated_at"]), reverse=True)


def begin_audit(person: Session, request: Request) -> Entry:
    """To be completed by `end_audit`. Raises audit.Failed: no trace, no query."""
    digest = sha256(request.sql.encode()).hexdigest()
    return audit.begin(person, "explore.query", request.sql, sql_sha256=digest)


def end_audit(entry: Entry, outcome: Outcome) -> None:
    entry.facts |= {
        "rows": outcome.frame.height if outcome.frame is not None else 0,
        "duration_ms": int(outcome.seconds * 1000),
    }
    entry.end(_RESULTS.get(outcome.kind, "failed"), "" if outcome.kind == "done" else outcome.kind)


def _write(*changes: dict[str, dict[str, Any]]) -> None:
    table = _ops()
    items = [
        {verb: {"TableName": table.name, **body} for verb, body in change.items()}
        for change in changes
    ]
    try:
        table.meta.client.transact_write_items(TransactItems=items)
    except (BotoCoreError, ClientError) as error:
        raise _silent(error) from None


def _silent(error: Exception) -> Unreachable:
    return Unreachable(f"The ops table does not answer ({type(error).__name__}).")
