"""Browser events: completed, checked as the pipeline will check them, and put on the stream."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from pipeline.contracts.errors import Unavailable
from pipeline.contracts.events import Rejected, parse_event, to_iso_z
from pipeline.runtime.clock import Clock, NewId
from pipeline.runtime.kinesis import NotAccepted, Outgoing

MAX_EVENTS = 100
MAX_BODY_BYTES = 262_144
# A page view is some 400 bytes; the stream takes a megabyte a second of all shoppers together.
MAX_EVENT_BYTES = 8_192
SOURCE = "browser"
_TYPE = re.compile(r"^shopper\.[a-z_]+\.v[0-9]+$")
# Ids of order events hold a colon: a browser cannot take one of theirs.
_EVENT_ID = re.compile(r"^[0-9A-Za-z_-]{8,64}$")
_IDS = ("session_id", "anonymous_id", "customer_id")
# A browser's clock may be anything: beyond these the server's time is taken.
_LATE, _EARLY = timedelta(hours=24), timedelta(minutes=1)


class Stream(Protocol):
    def put(self, records: Sequence[Outgoing]) -> None:
        """Raises NotAccepted with the indexes left after bounded retries."""


@dataclass(frozen=True, slots=True)
class Sender:
    """What the request, not the event, says."""

    correlation_id: str
    customer_id: str | None
    is_synthetic: bool
    trace_header: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one event of a request was not taken."""

    index: int
    reason: str


def collect(
    events: Sequence[Any], sender: Sender, stream: Stream, clock: Clock, new_id: NewId
) -> list[Refusal]:
    """Puts the valid events on the stream; returns the others, by their place in the request.

    Raises: Unavailable when the stream takes none of them.
    """
    refusals: list[Refusal] = []
    records: list[Outgoing] = []
    places: list[int] = []
    for index, event in enumerate(events):
        try:
            records.append(_record(event, sender, clock(), new_id))
            places.append(index)
        except Rejected as rejection:
            refusals.append(Refusal(index, f"{rejection.reason}: {rejection.detail}"))
    try:
        if records:
            stream.put(records)
    except NotAccepted as error:
        if len(error.indexes) == len(records):
            raise Unavailable(headers={"Retry-After": "1"}) from error
        refusals += [Refusal(places[index], "unavailable: try again") for index in error.indexes]
    return sorted(refusals, key=lambda refusal: refusal.index)


def _record(event: Any, sender: Sender, now: datetime, new_id: NewId) -> Outgoing:
    if not isinstance(event, dict):
        raise Rejected("bad_envelope", "an event is an object")
    event_type = event.get("event_type")
    if not isinstance(event_type, str) or not _TYPE.match(event_type):
        raise Rejected("type_not_allowed", "event_type: browsers send shopper.* events only")
    event_id = event.get("event_id")
    if event_id is None:
        event_id = new_id()
    elif not isinstance(event_id, str) or not _EVENT_ID.match(event_id):
        raise Rejected("bad_envelope", "event_id: 8 to 64 letters, digits, - or _")
    payload = event.get("payload", {})
    if not isinstance(payload, dict):
        raise Rejected("bad_payload", "payload: an object")
    ids = {name: event[name] for name in _IDS if event.get(name) is not None}
    if ids and sender.customer_id:  # an event without a name comes from somebody who wants none
        ids["customer_id"] = sender.customer_id
    body = _body(
        {
            "event_id": event_id,
            "event_type": event_type,
            "occurred_at": _moment(event.get("occurred_at"), now),
            "source": SOURCE,
            "correlation_id": sender.correlation_id,
            "causation_id": None,
            "partition_key": ids.get("session_id") or ids.get("anonymous_id") or event_id,
            "synthetic": sender.is_synthetic,
            "payload": {**payload, **ids},
            **({"trace_header": sender.trace_header} if sender.trace_header else {}),
        }
    )
    if len(body) > MAX_EVENT_BYTES:
        raise Rejected("too_large", f"payload: at most {MAX_EVENT_BYTES} bytes an event")
    return Outgoing(parse_event(body).partition_key, body)


def _body(envelope: dict[str, Any]) -> bytes:
    try:
        return json.dumps(envelope, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError:  # an unpaired surrogate, which JSON can write and UTF-8 cannot
        raise Rejected("bad_payload", "payload: not valid Unicode") from None


def _moment(given: Any, now: datetime) -> str:
    if given is None:
        return to_iso_z(now)
    if not isinstance(given, str):
        raise Rejected("bad_envelope", "occurred_at: an ISO 8601 time with a zone")
    try:
        moment = datetime.fromisoformat(given)
        is_near = now - _LATE <= moment <= now + _EARLY
    except (ValueError, TypeError):  # TypeError: no zone
        raise Rejected("bad_envelope", "occurred_at: an ISO 8601 time with a zone") from None
    return to_iso_z(moment if is_near else now)
