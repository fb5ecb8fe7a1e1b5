"""X-Ray segment documents as typed values; tolerant of what is missing, strict about types.

Format: AWS X-Ray developer guide, "segment documents".
"""

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

FUNCTIONS = (
    "relay", "stock", "landing", "folding", "payment", "expiry", "fulfilment", "notification",
    "erasure", "compaction",
)  # fmt: skip
_OWN_NAME = re.compile(r"^has-[a-z0-9]+-")
_AWS = re.compile(r"^(?:amazon|aws)?\s*(dynamodb|kinesis|sqs|sns|s3|lambda)(?=$|[^a-z0-9])", re.I)
_PROPER = {
    "dynamodb": "DynamoDB", "kinesis": "Kinesis", "sqs": "SQS", "sns": "SNS", "s3": "S3",
    "lambda": "Lambda",
}  # fmt: skip
# Where a call of AWS names the thing it acts on: in `aws`, or among the annotations.
_RESOURCES = (
    "table_name", "table", "queue_name", "queue_url", "queue", "topic_name", "topic_arn", "topic",
    "stream_name", "stream", "bucket_name", "bucket", "function_name",
)  # fmt: skip
_MAX_NESTING = 40


class Kind(StrEnum):
    CLIENT = "browser"
    EDGE = "edge"
    SERVICE = "service"
    FUNCTION = "function"
    DATABASE = "database"
    STREAM = "stream"
    QUEUE = "queue"
    TOPIC = "topic"
    STORE = "object store"
    INTERNAL = "inside"


_KINDS = {
    "DynamoDB": Kind.DATABASE, "Kinesis": Kind.STREAM, "SQS": Kind.QUEUE, "SNS": Kind.TOPIC,
    "S3": Kind.STORE, "Lambda": Kind.FUNCTION,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Segment:
    """One document. Times in epoch seconds; `end_s` is None while it is under way.

    `is_segment` tells a service's or a function's own record from a subsegment of one. `peer` is
    the thing it speaks to or is (`checkout`, `DynamoDB orders`), empty for work inside.
    """

    id: str
    parent_id: str | None
    name: str
    label: str
    peer: str
    kind: Kind
    is_segment: bool
    start_s: float
    end_s: float | None
    is_fault: bool
    is_error: bool
    method: str
    route: str
    status: int
    annotations: Mapping[str, str | int | float | bool]
    causes: tuple[str, ...]

    @property
    def request(self) -> str:
        """`POST /api/checkout/orders`; empty where nobody asked by HTTP."""
        return self.route if " " in self.route else f"{self.method} {self.route}".strip()

    def text(self, name: str) -> str:
        return str(self.annotations.get(name, ""))


def read(document: str | Mapping[str, Any], parent_id: str | None = None) -> Iterator[Segment]:
    """A document and the subsegments nested in it.

    Raises: ValueError when it is no segment: not JSON, or without an id, a name or a start.
    """
    body = json.loads(document) if isinstance(document, str) else document
    yield from _read(body, parent_id, 0)


def _read(body: Any, parent_id: str | None, depth: int) -> Iterator[Segment]:
    if not isinstance(body, Mapping) or depth > _MAX_NESTING:
        raise ValueError("a segment document is an object, nested 40 deep at most")
    segment = _one(body, parent_id, is_nested=depth > 0)
    yield segment
    for inner in _items(body.get("subsegments")):
        yield from _read(inner, segment.id, depth + 1)


def _one(body: Mapping[str, Any], parent_id: str | None, *, is_nested: bool) -> Segment:
    own_id, name = str(body.get("id") or ""), str(body.get("name") or "")
    start_s, end_s = _moment(body.get("start_time")), _moment(body.get("end_time"))
    if not own_id or not name or start_s is None:
        raise ValueError("a segment needs an id, a name and a start")
    if body.get("in_progress") in (True, "true"):
        end_s = None
    annotations = _scalars(body.get("annotations"))
    is_segment = not is_nested and body.get("type") != "subsegment"
    kind, label, peer = _identity(body, name, is_segment, annotations)
    http = _mapping(body.get("http"))
    request, response = _mapping(http.get("request")), _mapping(http.get("response"))
    status = response.get("status")
    return Segment(
        id=own_id,
        parent_id=str(body.get("parent_id") or "") or parent_id,
        name=name,
        label=label,
        peer=peer,
        kind=kind,
        is_segment=is_segment,
        start_s=start_s,
        # A clock set back in mid-span must not give a negative time.
        end_s=None if end_s is None else max(start_s, end_s),
        is_fault=bool(body.get("fault")),
        is_error=bool(body.get("error") or body.get("throttle")),
        method=str(request.get("method") or ""),
        route=str(annotations.get("route") or annotations.get("http_route") or "")
        or str(request.get("url") or ""),
        status=status if isinstance(status, int) and not isinstance(status, bool) else 0,
        annotations=annotations,
        causes=tuple(_causes(body)),
    )


def _identity(
    body: Mapping[str, Any], name: str, is_segment: bool, annotations: Mapping[str, Any]
) -> tuple[Kind, str, str]:
    """What it is, how a person calls it, and what it speaks to."""
    plain = _OWN_NAME.sub("", name)
    if is_segment:
        kind = _kind_of_segment(body, plain)
        return kind, plain, plain
    aws = _mapping(body.get("aws"))
    found = _AWS.match(str(annotations.get("rpc_service") or "")) or _AWS.match(name)
    if not found:
        is_remote = body.get("namespace") == "remote"
        return (Kind.SERVICE, plain, plain) if is_remote else (Kind.INTERNAL, plain, "")
    product = _PROPER[found[1].lower()]
    operation = str(aws.get("operation") or annotations.get("rpc_method") or "")
    operation = operation or name[_end_of_product(name) :].strip(" .:/")
    resource = _resource(aws) or _resource(annotations)
    peer = f"{product} {resource}".strip()
    return _KINDS[product], f"{peer} {operation}".strip(), peer


def _kind_of_segment(body: Mapping[str, Any], plain: str) -> Kind:
    origin = str(body.get("origin") or "")
    if plain in FUNCTIONS or origin.startswith("AWS::Lambda"):
        return Kind.FUNCTION
    if plain in ("browser", "storefront", "client"):
        return Kind.CLIENT
    return Kind.EDGE if plain in ("edge", "envoy") else Kind.SERVICE


def _end_of_product(name: str) -> int:
    found = _AWS.match(name)
    return found.end() if found else len(name)


def _resource(of: Mapping[str, Any]) -> str:
    for field in _RESOURCES:
        for key in (field, f"aws_{field}"):
            if isinstance(value := of.get(key), str) and value:
                return _OWN_NAME.sub("", re.split(r"[/:]", value)[-1])
    return ""


def _causes(body: Mapping[str, Any]) -> Iterator[str]:
    cause = body.get("cause")
    for raised in _items(_mapping(cause).get("exceptions")):
        words = [str(_mapping(raised).get(part) or "") for part in ("type", "message")]
        yield ": ".join(word for word in words if word) or "an error without a message"


def _moment(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and 0 < value < 1e11 else None


def _scalars(value: Any) -> dict[str, str | int | float | bool]:
    return {str(k): v for k, v in _mapping(value).items() if isinstance(v, str | int | float)}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _items(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else ()
