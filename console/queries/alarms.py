"""CloudWatch's alarms of this stage, their history, and who has taken note of which."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from console import wording
from console.audit import Failed, Refused, audited
from console.queries import clients
from console.queries.probes import Reading, Watch
from console.sessions import Session
from console.settings import settings
from pipeline.contracts import keys
from pipeline.contracts.events import to_iso_z
from pipeline.runtime.clock import now

_MAX_HISTORY = 60
_MAX_PAGES = 10
_ACK_DAYS = 90
_NOTE_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Note:
    """Who has taken note of an alarm, when, and what they wrote.

    It is about one occurrence, the one that began at `of`: when the alarm ends and goes off again,
    nobody has taken note of that.
    """

    by: str
    at: datetime
    text: str
    of: datetime


@dataclass(frozen=True, slots=True)
class Alarm:
    """`state` is OK, ALARM or INSUFFICIENT_DATA; `note` is about the present occurrence only."""

    name: str
    state: str
    since: datetime
    reason: str
    description: str
    condition: str
    topics: tuple[str, ...]
    note: Note | None

    @property
    def is_firing(self) -> bool:
        return self.state == "ALARM"


@dataclass(frozen=True, slots=True)
class Change:
    at: datetime
    alarm: str
    before: str
    after: str
    reason: str


def read_alarms() -> list[Alarm]:
    """Firing ones first. Raises botocore's errors."""
    prefix = settings().names.of("")
    pages = clients.quick("cloudwatch").get_paginator("describe_alarms")
    found = [
        alarm
        for page in pages.paginate(AlarmNamePrefix=prefix)
        for alarm in page.get("MetricAlarms", [])
    ]
    notes = _read_notes([a["AlarmName"].removeprefix(prefix) for a in found])
    alarms = [_alarm(a, prefix, notes) for a in found]
    rank = {"ALARM": 0, "INSUFFICIENT_DATA": 2}
    return sorted(alarms, key=lambda alarm: (rank.get(alarm.state, 1), alarm.name))


def read_history() -> list[Change]:
    """The newest changes of state, newest first."""
    prefix = settings().names.of("")
    answer = clients.quick("cloudwatch").describe_alarm_history(
        HistoryItemType="StateUpdate", MaxRecords=_MAX_HISTORY, ScanBy="TimestampDescending"
    )
    changes = []
    for item in answer["AlarmHistoryItems"]:
        if not item["AlarmName"].startswith(prefix):
            continue
        facts = json.loads(item.get("HistoryData") or "{}")
        before = str(facts.get("oldState", {}).get("stateValue", ""))
        after = facts.get("newState", {})
        if before != after.get("stateValue"):
            at, name = item["Timestamp"].astimezone(UTC), item["AlarmName"].removeprefix(prefix)
            state, reason = str(after.get("stateValue", "")), str(after.get("stateReason", ""))
            changes.append(Change(at, name, before, state, reason))
    return changes


_WATCH = Watch("alarms", lambda: {"alarms": read_alarms, "history": read_history}, pause_s=2.0)


def readings() -> dict[str, Reading]:
    return _WATCH.latest()


def acknowledge(person: Session, alarm: Alarm, text: str) -> None:
    """Writes who has taken note of this occurrence; the audit entry comes first. Raises Refused."""
    with audited(person, "alarm.acknowledge", alarm.name):
        if not person.is_operator:
            raise Refused("Only an operator may acknowledge an alarm.")
        if len(text) > _NOTE_LIMIT:
            raise Refused(f"A note has at most {_NOTE_LIMIT} characters.")
        if not _is_still_on(alarm):
            raise Refused("This alarm has ended meanwhile: there is nothing left to take note of.")
        _write_note(person, alarm, text)


def _is_still_on(seen: Alarm) -> bool:
    """Whether the occurrence that a person saw goes on."""
    try:
        alarms = read_alarms()
    except (BotoCoreError, ClientError) as error:
        raise Failed(f"CloudWatch does not answer ({type(error).__name__}).") from None
    return any(a.is_firing and (a.name, a.since) == (seen.name, seen.since) for a in alarms)


def _write_note(person: Session, alarm: Alarm, text: str) -> None:
    at = now()
    item = {
        **keys.alarm_note(alarm.name),
        "by": person.email,
        "at": to_iso_z(at),
        "text": text.strip(),
        "alarm_since": to_iso_z(alarm.since),
        "expires_at_epoch_s": int(at.timestamp()) + _ACK_DAYS * 86_400,
    }
    try:
        clients.table(settings().names.table("ops")).put_item(Item=item)
    except (BotoCoreError, ClientError) as error:
        raise Failed(f"The ops table does not answer ({type(error).__name__}).") from None


def _read_notes(names: list[str]) -> dict[str, Note]:
    """The latest note of each alarm; none when the ops table is silent, which is said elsewhere."""
    table = settings().names.table("ops")
    dynamodb = clients.table(table).meta.client
    wanted = [keys.alarm_note(name) for name in names]
    notes: dict[str, Note] = {}
    for first in range(0, len(wanted), 100):
        request: Any = {table: {"Keys": wanted[first : first + 100]}}
        for _ in range(_MAX_PAGES):
            answer = dynamodb.batch_get_item(RequestItems=request)
            for item in answer["Responses"].get(table, []):
                at, of = wording.moment(item.get("at")), wording.moment(item.get("alarm_since"))
                if at and of:
                    name = str(item["pk"]).partition("#")[2]
                    notes[name] = Note(str(item.get("by")), at, str(item.get("text") or ""), of)
            request = answer.get("UnprocessedKeys")
            if not request:
                break
    return notes


def _alarm(found: dict[str, Any], prefix: str, notes: dict[str, Note]) -> Alarm:
    name = str(found["AlarmName"]).removeprefix(prefix)
    # StateUpdatedTimestamp alone moves when CloudWatch only changes how it evaluates.
    changed_at = found.get("StateTransitionedTimestamp") or found["StateUpdatedTimestamp"]
    since = changed_at.astimezone(UTC)
    note = notes.get(name)
    is_current = found["StateValue"] == "ALARM" and note is not None and _same(note.of, since)
    return Alarm(
        name=name,
        state=str(found["StateValue"]),
        since=since,
        reason=str(found.get("StateReason") or ""),
        description=str(found.get("AlarmDescription") or ""),
        condition=_condition(found),
        topics=tuple(str(arn).rsplit(":", 1)[-1] for arn in found.get("AlarmActions") or []),
        note=note if is_current else None,
    )


def _same(one: datetime, other: datetime) -> bool:
    """Notes keep milliseconds."""
    return to_iso_z(one) == to_iso_z(other)


def _condition(found: dict[str, Any]) -> str:
    """`Maximum of QueueDepth (Queue payment-dlq) > 0 for 1 of 1 × 60 s`."""
    signs = {
        "GreaterThanThreshold": ">",
        "GreaterThanOrEqualToThreshold": "≥",
        "LessThanThreshold": "<",
        "LessThanOrEqualToThreshold": "≤",
    }
    periods = int(found.get("EvaluationPeriods") or 1)
    needed = int(found.get("DatapointsToAlarm") or periods)
    where = ", ".join(f"{d['Name']} {d['Value']}" for d in found.get("Dimensions") or [])
    sign = signs.get(str(found.get("ComparisonOperator")), "?")
    statistic = found.get("ExtendedStatistic") or found.get("Statistic")
    return (
        f"{statistic} of {found.get('MetricName')}{f' ({where})' if where else ''} {sign} "
        f"{float(found.get('Threshold') or 0):g}, {needed} of {periods} × {found.get('Period')} s"
    )
