"""Kept parts of traces as OpenTelemetry spans, on their way to X-Ray."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
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
from pipeline.runtime.tracing import Call, Part, new_segment_id, new_trace_id
from pipeline.runtime.xray import XRayExporter

MAX_QUEUE = 4_096
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)


class _Ids(IdGenerator):
    """A segment keeps the ids that its part handed on while it was under way."""

    def __init__(self) -> None:
        self._given = threading.local()

    @contextmanager
    def given(self, trace_id: int, span_id: int) -> Iterator[None]:
        self._given.ids = trace_id, span_id
        try:
            yield
        finally:
            self._given.ids = None

    def generate_span_id(self) -> int:
        ids: tuple[int, int] | None = getattr(self._given, "ids", None)
        return ids[1] if ids else new_segment_id()

    def generate_trace_id(self) -> int:
        ids: tuple[int, int] | None = getattr(self._given, "ids", None)
        return ids[0] if ids else new_trace_id()


_ids = _Ids()


@cache
def provider() -> TracerProvider:
    """The process's own; its queue is bounded, and what does not fit is dropped."""
    return build_provider(
        BatchSpanProcessor(XRayExporter(), max_queue_size=MAX_QUEUE, schedule_delay_millis=2_000)
    )


def build_provider(processor: SpanProcessor) -> TracerProvider:
    made = TracerProvider(
        sampler=ALWAYS_ON,  # the choice is made before a span is
        id_generator=_ids,
        resource=Resource.create(
            {
                "service.name": settings().service,
                "service.version": settings().version,
                "zone": settings().zone,
            }
        ),
        shutdown_on_exit=False,
    )
    made.add_span_processor(processor)
    return made


def emit(part: Part, to: TracerProvider | None = None) -> None:
    """Queue the spans of a part that ended; takes no I/O."""
    tracer = (to or provider()).get_tracer("has")
    above = Context()
    if part.parent_id:
        parent = SpanContext(part.trace_id, part.parent_id, is_remote=True, trace_flags=_SAMPLED)
        above = trace.set_span_in_context(NonRecordingSpan(parent), above)
    if part.edge_id:
        with _ids.given(part.trace_id, part.edge_id):
            edge = tracer.start_span(
                "edge", above, SpanKind.SERVER, part.facts, start_time=part.edge_started_ns
            )
        above = trace.set_span_in_context(edge, Context())
        edge.end(part.ended_ns)
    with _ids.given(part.trace_id, part.segment_id):
        segment = tracer.start_span(
            part.name, above, part.kind, part.facts, start_time=part.started_ns
        )
    segment.set_attribute("xray.is_root", not part.parent_id)
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
