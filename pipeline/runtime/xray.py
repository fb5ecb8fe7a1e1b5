"""Spans as X-Ray segment documents, and the index by which kept traces are searched.

The X-Ray SDK is in maintenance, and no OpenTelemetry exporter for X-Ray exists in Python, so a
thin one stands here. Format: AWS X-Ray developer guide, "segment documents".
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind

from pipeline.contracts import keys
from pipeline.contracts.events import to_iso_z
from pipeline.contracts.names import Names
from pipeline.runtime import aws
from pipeline.runtime.logs import get_logger
from pipeline.runtime.signals import settings
from pipeline.runtime.trace_header import to_text

MAX_DOCUMENTS = 50  # of one PutTraceSegments call
MAX_INDEX_ITEMS = 25  # of one BatchWriteItem call
INDEX_TTL_S = 86_400
_REMOTE = {"namespace": "remote"}  # a call to somebody else's service, named after it
_FAULTS = ("error", "throttle", "fault")
log = get_logger()


class XRayExporter(SpanExporter):
    """Sends spans by PutTraceSegments; drops and logs what X-Ray does not take."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        documents = [json.dumps(to_segment(span), separators=(",", ":")) for span in spans]
        try:
            for start in range(0, len(documents), MAX_DOCUMENTS):
                aws.plain_client("xray").put_trace_segments(
                    TraceSegmentDocuments=documents[start : start + MAX_DOCUMENTS]
                )
            _write_index(to_index(span) for span in spans if is_indexed(span))
        except (BotoCoreError, ClientError) as error:
            log.warning("traces.dropped", spans=len(spans), error=type(error).__name__)
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS


def to_segment(span: ReadableSpan) -> dict[str, Any]:
    """A server or consumer span is a segment; anything inside is a subsegment of its parent.

    Attributes `aws.*` go to the block `aws`, `exception.*` to the cause, the rest are annotations.
    """
    context = span.get_span_context()
    assert context is not None
    attributes = dict(span.attributes or {})
    is_segment = _is_segment(span)
    document: dict[str, Any] = {
        "name": span.name,
        "id": f"{context.span_id:016x}",
        "trace_id": to_text(context.trace_id),
        "start_time": (span.start_time or 0) / 1e9,
        "end_time": (span.end_time or 0) / 1e9,
        "annotations": _annotations(attributes),
    }
    if span.parent is not None:
        document["parent_id"] = f"{span.parent.span_id:016x}"
    if is_segment:
        document["annotations"]["zone"] = span.resource.attributes.get("zone", "")
        document["service"] = {"version": str(span.resource.attributes.get("service.version", ""))}
    else:
        document["type"] = "subsegment"
        aws_facts = _below(attributes, "aws.")
        document |= {"namespace": "aws", "aws": aws_facts} if aws_facts else _REMOTE
    if (fault := attributes.get("xray.fault")) in _FAULTS:
        document[str(fault)] = True
        if fault == "throttle":
            document["error"] = True
    if kind := attributes.get("exception.type"):
        exception = {"id": document["id"], "type": kind,
                     "message": attributes.get("exception.message", "")}  # fmt: skip
        document["cause"] = {"exceptions": [exception]}
    if method := attributes.get("method"):
        document["http"] = {
            "request": {"method": method, "url": str(attributes.get("path", ""))},
            "response": {"status": attributes.get("status", 0)},
        }
    return document


def is_indexed(span: ReadableSpan) -> bool:
    """Roots, and segments kept for their own sake: their root may not have been."""
    facts = span.attributes or {}
    is_tail = facts.get("sampling") == "tail"
    return _is_segment(span) and (bool(facts.get("xray.is_root")) or is_tail)


def to_index(span: ReadableSpan) -> dict[str, Any]:
    """The item `TRACE#<minute>` of a kept trace (layout: docs/observability.md)."""
    context = span.get_span_context()
    assert context is not None
    facts = dict(span.attributes or {})
    started = datetime.fromtimestamp((span.start_time or 0) / 1e9, UTC)
    trace_id, minute = to_text(context.trace_id), started.strftime("%Y-%m-%dT%H:%M")
    item: dict[str, Any] = {
        **keys.trace_index(minute, trace_id, f"{context.span_id:016x}"),
        "trace_id": trace_id,
        "service": span.name,
        "route": str(facts.get("route", span.name)),
        "status": int(str(facts.get("status", 500 if "exception.type" in facts else 200))),
        "duration_ms": round(((span.end_time or 0) - (span.start_time or 0)) / 1e6),
        "zone": str(span.resource.attributes.get("zone", "")),
        "at": to_iso_z(started),
        "sampling": str(facts.get("sampling", "head")),
        "expires_at_epoch_s": int(started.timestamp()) + INDEX_TTL_S,
    }
    known = ("order_id", "correlation_id", "problem", "attempt")
    return item | {name: facts[name] for name in known if facts.get(name)}


def _is_segment(span: ReadableSpan) -> bool:
    return span.kind in (SpanKind.SERVER, SpanKind.CONSUMER)


def _annotations(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in attributes.items()
        if "." not in name and isinstance(value, str | int | float | bool)
    }


def _below(attributes: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {
        name.removeprefix(prefix): value
        for name, value in attributes.items()
        if name.startswith(prefix)
    }


def _write_index(items: Iterable[dict[str, Any]]) -> None:
    """One item a key: BatchWriteItem refuses a batch with two of one key."""
    table = Names(settings().stage).table("ops")
    by_key = {(item["pk"], item["sk"]): {"PutRequest": {"Item": _low(item)}} for item in items}
    requests = list(by_key.values())
    for start in range(0, len(requests), MAX_INDEX_ITEMS):
        # What the table does not take now is left out: the trace itself is in X-Ray.
        aws.plain_client("dynamodb").batch_write_item(
            RequestItems={table: requests[start : start + MAX_INDEX_ITEMS]}
        )


def _low(item: Mapping[str, str | int]) -> dict[str, dict[str, str]]:
    """DynamoDB's JSON of an item of texts and whole numbers."""
    return {
        name: {"N": str(value)} if isinstance(value, int) else {"S": value}
        for name, value in item.items()
    }
