"""Named ways to mend a body: pure functions of a JSON document, kept here and tested.

Each leaves alone what it does not understand, gives the same result when it is applied again, and
never changes an event id that is there: by that id a redriven event is recognised everywhere.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pipeline.contracts.events import to_iso_z
from pipeline.contracts.ids import order_event_id

Document = dict[str, Any]
_TIMES = ("occurred_at", "placed_at")
_WHOLE = ("quantity", "line_no", "version", "results_count", "available", "delta", "threshold")
_TEXT_LIMITS = {"title": 512, "category": 512, "query": 512, "referrer": 512, "path": 512,
                "device": 512, "country": 512, "reason": 512}  # fmt: skip
_FORMATS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y-%m-%d")
# Between 2001 and 2128: shorter numbers are seconds, thousandfold ones milliseconds.
_EPOCH_S = range(1_000_000_000, 5_000_000_000)


class NotMendable(Exception):
    """The transform cannot be applied; the text says why."""


@dataclass(frozen=True, slots=True)
class Transform:
    """`apply` takes the document and the step's argument; `takes` says what that is, if any."""

    name: str
    what: str
    apply: Callable[[Document, str], Document]
    takes: str = ""


def fill_field(document: Document, argument: str) -> Document:
    """Args: `argument` is `payload.country=France`; the value is JSON, or else text."""
    path, equals, text = argument.partition("=")
    names = path.split(".")
    if not equals or not all(names):
        raise NotMendable("say which field and value: payload.country=France")
    if names == ["event_id"]:
        raise NotMendable("an event's id is what it is recognised by: use fill-ids")
    target = document
    for name in names[:-1]:
        inner = target.setdefault(name, {})
        if not isinstance(inner, dict):
            raise NotMendable(f"{name} is no object")
        target = inner
    if target.get(names[-1]) in (None, ""):
        target[names[-1]] = _value(text)
    return document


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def fill_ids(document: Document, argument: str) -> Document:
    """An order event's id, correlation id and partition key follow from its payload."""
    payload = document.get("payload")
    facts = payload if isinstance(payload, dict) else {}
    order_id, version = facts.get("order_id"), facts.get("version")
    known = order_id or document.get("partition_key") or document.get("event_id")
    if not isinstance(known, str):
        raise NotMendable("no order id, partition key or event id to make the others from")
    if not document.get("event_id"):
        if not (isinstance(order_id, str) and isinstance(version, int)):
            raise NotMendable("an event id follows from an order's id and version alone")
        document["event_id"] = order_event_id(order_id, version)
    for name in ("correlation_id", "partition_key"):
        if not document.get(name):
            document[name] = known
    return document


def fix_time(document: Document, argument: str) -> Document:
    """Times without a zone are taken for UTC; days before months are not guessed."""
    for holder in _objects(document):
        for name in _TIMES:
            if name in holder and (moment := _moment(holder[name])):
                holder[name] = to_iso_z(moment)
    return document


def _moment(value: Any) -> datetime | None:
    if isinstance(value, int | float):
        return _epoch(value)
    if not isinstance(value, str):
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return _epoch(int(text[:20]))
    for layout in _FORMATS:
        try:
            return datetime.strptime(text, layout).replace(tzinfo=UTC)
        except ValueError:
            continue
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _epoch(number: float) -> datetime | None:
    for unit in (1, 1000):
        if _EPOCH_S.start * unit <= number < _EPOCH_S.stop * unit:
            return datetime.fromtimestamp(number / unit, UTC)
    return None


def whole_numbers(document: Document, argument: str) -> Document:
    """`"2"` and `2.0` become 2; a fraction stays what it is."""
    for holder in _objects(document):
        for name, value in holder.items():
            if name in _WHOLE or name.endswith("_minor"):
                holder[name] = _whole(value)
    return document


def _whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    text = value.strip()[:18] if isinstance(value, str) else ""
    sign = text[:1] in ("-", "+")
    is_whole = text == str(value).strip() and text[sign:].isascii() and text[sign:].isdigit()
    return int(text) if is_whole else value


def line_totals(document: Document, argument: str) -> Document:
    """A line without a total gets quantity x unit price, below zero where goods came back."""
    payload = document.get("payload")
    lines = payload.get("lines") if isinstance(payload, dict) else None
    sign = -1 if document.get("event_type") == "order.refunded.v1" else 1
    for line in lines if isinstance(lines, list) else []:
        if not isinstance(line, dict) or line.get("line_total_minor") is not None:
            continue
        quantity, price = line.get("quantity"), line.get("unit_price_minor")
        if type(quantity) is int and type(price) is int:
            line["line_total_minor"] = sign * quantity * price
    return document


def tidy_text(document: Document, argument: str) -> Document:
    """Currency codes in capitals, and texts no longer than their schema allows."""
    for holder in _objects(document):
        for name, value in holder.items():
            if not isinstance(value, str):
                continue
            if name == "currency":
                holder[name] = value.strip().upper()
            elif name in _TEXT_LIMITS:
                holder[name] = value[: _TEXT_LIMITS[name]]
    return document


def unwrap(document: Document, argument: str) -> Document:
    """The event inside what SNS sends to a queue without raw delivery."""
    if document.get("Type") != "Notification" or not isinstance(document.get("Message"), str):
        return document
    return _document(document["Message"])


def _objects(value: Any) -> Iterator[Document]:
    """Every object of a document, itself first."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            yield one
            left += one.values()
        elif isinstance(one, list):
            left += one


TRANSFORMS: Mapping[str, Transform] = {
    one.name: one
    for one in (
        Transform("fill-field", "set a field that is missing or empty", fill_field,
                  "field=value, e.g. payload.country=France"),
        Transform("fill-ids", "make missing ids from the order's id and version", fill_ids),
        Transform("fix-time", "write times as ISO 8601 in UTC (epochs, no zone, spaces)", fix_time),
        Transform("whole-numbers", "make whole numbers of texts and 2.0", whole_numbers),
        Transform("line-totals", "work out line totals that are missing", line_totals),
        Transform("tidy-text", "capital currency codes; cut texts that are too long", tidy_text),
        Transform("unwrap", "take the event out of an SNS envelope", unwrap),
    )
}  # fmt: skip


def mend(body: str, steps: Sequence[str]) -> str:
    """The body after these steps, each `name` or `name:argument`, in order.

    Raises: NotMendable when a step is unknown, cannot be applied, or would change an event's id.
    """
    document = _document(body)
    before = document.get("event_id")
    for step in steps:
        name, _, argument = step.partition(":")
        if name not in TRANSFORMS:
            raise NotMendable(f"there is no transform {name!r}; there are {', '.join(TRANSFORMS)}")
        document = TRANSFORMS[name].apply(deepcopy(document), argument)
    if before and document.get("event_id") != before:
        raise NotMendable("the event's id would change")
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def _document(body: str) -> Document:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise NotMendable("the body is no JSON") from None
    if not isinstance(found, dict):
        raise NotMendable("the body is no JSON object")
    return found
