"""Traces: OpenTelemetry spans, exported as X-Ray segment documents.

The X-Ray SDK is in maintenance, and no OpenTelemetry exporter for X-Ray exists in Python, so a
thin one stands here. Format: AWS X-Ray developer guide, "segment documents".
"""

import json
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from opentelemetry import trace
from opentelemetry.propagators.aws import AwsXRayPropagator
from opentelemetry.sdk.extension.aws.trace import AwsXRayIdGenerator
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import SpanKind, StatusCode

from pipeline.runtime import aws
from pipeline.runtime.logs import get_logger

MAX_DOCUMENTS = 50  # of one PutTraceSegments call
propagator = AwsXRayPropagator()
log = get_logger()


def configure(service: str, zone: str, ratio: float) -> TracerProvider:
    """Trace this process: `ratio` of new traces, and all that an upstream decided to sample."""
    current = trace.get_tracer_provider()
    if isinstance(current, TracerProvider):
        return current  # a process has one; the first service of several names it
    provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(ratio)),
        id_generator=AwsXRayIdGenerator(),
        resource=Resource.create({"service.name": service, "zone": zone}),
    )
    provider.add_span_processor(
        BatchSpanProcessor(XRayExporter(), max_queue_size=2_048, schedule_delay_millis=2_000)
    )
    trace.set_tracer_provider(provider)
    return provider


def tracer() -> trace.Tracer:
    return trace.get_tracer("has")


class XRayExporter(SpanExporter):
    """Sends spans by PutTraceSegments; drops and logs what X-Ray does not take."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        documents = [json.dumps(to_segment(span)) for span in spans]
        try:
            for start in range(0, len(documents), MAX_DOCUMENTS):
                aws.client("xray").put_trace_segments(
                    TraceSegmentDocuments=documents[start : start + MAX_DOCUMENTS]
                )
        except (BotoCoreError, ClientError) as error:
            log.warning("traces.dropped", spans=len(spans), error=type(error).__name__)
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS


def to_segment(span: ReadableSpan) -> dict[str, Any]:
    """A server or consumer span is a segment; anything inside is a subsegment of its parent."""
    context = span.get_span_context()
    assert context is not None
    trace_id = f"{context.trace_id:032x}"
    attributes = dict(span.attributes or {})
    is_segment = span.kind in (SpanKind.SERVER, SpanKind.CONSUMER)
    status = attributes.get("http.response.status_code", 0)
    document: dict[str, Any] = {
        "name": span.resource.attributes["service.name"] if is_segment else span.name,
        "id": f"{context.span_id:016x}",
        "trace_id": f"1-{trace_id[:8]}-{trace_id[8:]}",
        "start_time": (span.start_time or 0) / 1e9,
        "end_time": (span.end_time or 0) / 1e9,
        "annotations": {
            key.replace(".", "_"): value
            for key, value in {**attributes, "zone": span.resource.attributes.get("zone")}.items()
            if isinstance(value, str | int | float | bool)
        },
        "fault": span.status.status_code is StatusCode.ERROR,
        "error": isinstance(status, int) and 400 <= status < 500,
    }
    if span.parent is not None:
        document["parent_id"] = f"{span.parent.span_id:016x}"
    if not is_segment:
        document["type"] = "subsegment"
    if "http.request.method" in attributes:
        document["http"] = {
            "request": {
                "method": attributes["http.request.method"],
                "url": str(attributes.get("http.route", "")),
            },
            "response": {"status": status},
        }
    return document
