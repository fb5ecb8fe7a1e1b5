"""Kept parts of traces as OpenTelemetry spans, on their way to X-Ray."""

import threading
from functools import cache

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.extension.aws.trace import AwsXRayIdGenerator
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
)

from pipeline.runtime.signals import settings
from pipeline.runtime.tracing import Call, Part
from pipeline.runtime.xray import XRayExporter

MAX_QUEUE = 4_096
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)


class _Ids(IdGenerator):
    """A segment keeps the ids that its part handed on while it was under way."""

    def __init__(self) -> None:
        self._random = AwsXRayIdGenerator()
        self._given = threading.local()

    def give(self, part: Part | None) -> None:
        self._given.part = part

    def generate_span_id(self) -> int:
        part: Part | None = getattr(self._given, "part", None)
        return part.segment_id if part else self._random.generate_span_id()

    def generate_trace_id(self) -> int:
        part: Part | None = getattr(self._given, "part", None)
        return part.trace_id if part else self._random.generate_trace_id()


_ids = _Ids()


@cache
def provider() -> TracerProvider:
    """The process's own; its queue is bounded, and what does not fit is dropped."""
    made = TracerProvider(
        sampler=ALWAYS_ON,  # the choice is made before a span is
        id_generator=_ids,
        resource=Resource.create({"service.name": settings().service, "zone": settings().zone}),
        shutdown_on_exit=False,
    )
    made.add_span_processor(
        BatchSpanProcessor(XRayExporter(), max_queue_size=MAX_QUEUE, schedule_delay_millis=2_000)
    )
    return made


def emit(part: Part) -> None:
    """Queue the spans of a part that ended; takes no I/O."""
    tracer = provider().get_tracer("has")
    above = Context()
    if part.parent_id:
        parent = SpanContext(part.trace_id, part.parent_id, is_remote=True, trace_flags=_SAMPLED)
        above = trace.set_span_in_context(NonRecordingSpan(parent), above)
    _ids.give(part)
    try:
        segment = tracer.start_span(
            part.name, above, part.kind, part.facts, start_time=part.started_ns
        )
    finally:
        _ids.give(None)
    inside = trace.set_span_in_context(segment, Context())
    for call in part.calls:
        span = tracer.start_span(
            call.name, inside, SpanKind.CLIENT, call.facts, start_time=call.started_ns
        )
        _close(span, call, call.ended_ns)
    segment.set_attribute("sampling", "head" if part.is_sampled else "tail")
    _close(segment, part, part.ended_ns)


def _close(span: Span, outcome: Part | Call, ended_ns: int) -> None:
    if outcome.cause:
        kind, message = outcome.cause
        span.set_attributes({"exception.type": kind, "exception.message": message})
    if outcome.fault:
        span.set_attribute("xray.fault", outcome.fault)
    if outcome.fault == "fault":
        span.set_status(StatusCode.ERROR)
    span.end(ended_ns)


def flush() -> None:
    if provider.cache_info().currsize:
        provider().force_flush(5_000)


def shutdown() -> None:
    if provider.cache_info().currsize:
        provider().shutdown()
