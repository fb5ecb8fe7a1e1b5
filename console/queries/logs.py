"""CloudWatch Logs: the services' and functions' lines, searched newest first."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from console.queries import clients
from console.queries.side_by_side import at_once
from console.settings import settings

LEVELS = ("debug", "info", "warning", "error", "critical")
LIMIT = 300
_MAX_GROUPS = 50
_MAX_PAGES = 5
_PAGE = 2_000
_PLATFORM = ("START RequestId", "END RequestId", "REPORT RequestId", "INIT_START")
_FIRST_SLICE = timedelta(minutes=1)
# A slice is read whole, oldest line first: one too long costs more than one more.
_GROWTH = 3.0


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for; empty fields do not restrict. `level` is the least severe shown."""

    start: datetime
    end: datetime
    text: str = ""
    correlation_id: str = ""
    order_id: str = ""
    trace_id: str = ""
    level: str = ""
    service: str = ""

    @property
    def needles(self) -> list[str]:
        found = (self.correlation_id, self.order_id, self.trace_id, self.text)
        return [needle.strip() for needle in found if needle.strip()]

    @property
    def levels(self) -> tuple[str, ...]:
        """Those shown, the least severe first."""
        return LEVELS[LEVELS.index(self.level) :] if self.level in LEVELS else LEVELS


@dataclass(frozen=True, slots=True)
class Line:
    at: datetime
    service: str
    level: str
    event: str
    correlation_id: str
    order_id: str
    trace_id: str
    body: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Found:
    """`lines` newest first; `is_more` when older ones are left out; `silent`: groups unread."""

    lines: list[Line]
    is_more: bool
    silent: list[str]


def groups() -> list[str]:
    """Log groups of this stage. Raises botocore's errors."""
    logs, stage = clients.quick("logs"), settings().stage
    names: list[str] = []
    for prefix in (f"/has/{stage}/", f"/aws/lambda/{settings().names.of('')}"):
        pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix)
        names += [group["logGroupName"] for page in pages for group in page["logGroups"]]
    return names[:_MAX_GROUPS]


def service_of(group: str) -> str:
    """`catalog` of `/has/local/catalog`, `landing` of `/aws/lambda/has-local-landing`."""
    return group.rsplit("/", 1)[-1].removeprefix(settings().names.of(""))


def search(wanted: Search) -> Found:
    """Searches slice by slice from the end until enough is found.

    How much longer than the one before a slice is follows from how much that one held.
    Raises botocore's errors when CloudWatch Logs does not answer.
    """
    chosen = [g for g in groups() if wanted.service in ("", service_of(g))]
    lines: list[Line] = []
    silent: set[str] = set()
    end, length = wanted.end, _FIRST_SLICE
    while end > wanted.start and len(lines) <= LIMIT:
        start = max(wanted.start, end - length)
        parts = at_once(partial(_read, wanted=wanted, start=start, end=end), chosen)
        held = 0
        for group, (found, is_whole) in zip(chosen, parts, strict=True):
            lines += found
            held += len(found)
            if not is_whole:
                silent.add(service_of(group))
        needed = (LIMIT + 1 - len(lines)) / max(held, 1)
        end, length = start, length * min(max(needed, 1.0), _GROWTH)
    lines.sort(key=lambda line: line.at, reverse=True)
    return Found(lines[:LIMIT], len(lines) > LIMIT, sorted(silent))


def _read(group: str, wanted: Search, start: datetime, end: datetime) -> tuple[list[Line], bool]:
    """(matching lines of one group, whether the whole slice was read)."""
    logs = clients.quick("logs")
    options: dict[str, Any] = {
        "logGroupName": group,
        "startTime": int(start.timestamp() * 1000),
        "endTime": int(end.timestamp() * 1000) - 1,
        "limit": _PAGE,
    }
    if wanted.needles:
        # One phrase narrows it there; all are checked here, field by field.
        options["filterPattern"] = json.dumps(max(wanted.needles, key=len))
    levels = wanted.levels
    found: list[Line] = []
    for _ in range(_MAX_PAGES):
        try:
            answer = logs.filter_log_events(**options)
        except logs.exceptions.ResourceNotFoundException:
            return found, True
        events = answer.get("events", [])
        lines = (_line(group, event) for event in events if _may_fit(event, levels))
        found += [line for line in lines if line and _fits(line, wanted, levels)]
        if answer.get("nextToken"):
            options["nextToken"] = answer["nextToken"]
        elif len(events) >= _PAGE and events[-1]["timestamp"] > options["startTime"]:
            options["startTime"] = events[-1]["timestamp"] + 1  # a source without a token
        else:
            return found, True
    return found, False


def _may_fit(event: dict[str, Any], levels: tuple[str, ...]) -> bool:
    """Whether its level could be one of these; most lines need not be read as JSON to be left out.

    A line that names none is `info` or `debug`.
    """
    if "info" in levels:
        return True
    message = str(event.get("message", "")).lower()
    return any(level in message for level in levels)


def _line(group: str, event: dict[str, Any]) -> Line | None:
    message = str(event.get("message", "")).strip()
    try:
        body = json.loads(message)
    except ValueError:
        # Lambda's own lines about each call say nothing of the shop.
        is_platform = message.startswith(_PLATFORM)
        body = {"event": message, "level": "debug" if is_platform else "info"}
    if not isinstance(body, dict) or not message:
        return None
    return Line(
        at=datetime.fromtimestamp(event["timestamp"] / 1000, UTC),
        service=str(body.get("service") or service_of(group)),
        level=str(body.get("level") or "info").lower(),
        event=str(body.get("event") or body.get("message") or ""),
        correlation_id=str(body.get("correlation_id") or ""),
        order_id=str(body.get("order_id") or ""),
        trace_id=str(body.get("trace_id") or ""),
        body=body,
    )


def _fits(line: Line, wanted: Search, levels: tuple[str, ...]) -> bool:
    level = line.level if line.level in LEVELS else "info"
    if (
        level not in levels
        or wanted.correlation_id.strip() not in ("", line.correlation_id)
        or wanted.trace_id.strip() not in ("", line.trace_id)
    ):
        return False
    words = [word for word in (wanted.order_id.strip(), wanted.text.strip()) if word]
    if not words:
        return True
    whole = json.dumps(line.body, ensure_ascii=False).lower()
    return all(word.lower() in whole for word in words)
