"""What a function tells of each invocation: metrics, segments, errors; sent before it answers.

`@instrumented("folding")` around a handler. A function may be frozen the moment it answers, so
nothing is left for later.
"""

import base64
import json
import re
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import wraps
from typing import Any

from opentelemetry.trace import SpanKind

from pipeline.runtime import telemetry, tracing
from pipeline.runtime.logs import get_logger
from pipeline.runtime.metrics import metrics
from pipeline.runtime.settings import RuntimeSettings
from pipeline.runtime.signals import settings
from pipeline.runtime.trace_header import TraceHeader
from pipeline.runtime.tracing import Fact, Part

MAX_TRACES = 20  # of one batch that get a segment
MAX_CALLS = 10  # shown in each of them
SLOW_BATCH_MS = 10_000
log = get_logger()
Event = dict[str, Any]
Handler = Callable[[Event, Any], Any]
_HEADER = re.compile(rb'"trace_header":\s?"([^"\\]{1,200}Sampled=1[^"\\]{0,200})"')


class Batch:
    """One invocation, as a segment of the trace of each sampled event in it.

    Without any it is a trace of its own, kept like others: by chance, when it fails, when slow.
    """

    def __init__(self, function: str, event: Event) -> None:
        self._own = tracing.begin(function, SpanKind.CONSUMER)
        self._parts: dict[int, Part] = {}
        for header, facts in _sampled(event):
            if header.trace_id not in self._parts:
                part = tracing.begin(function, SpanKind.CONSUMER, header)
                part.facts |= facts
                self._parts[header.trace_id] = part
            if len(self._parts) == MAX_TRACES:
                break

    @property
    def own(self) -> Part:
        """What calls and log lines belong to while the handler runs."""
        return next(iter(self._parts.values())) if len(self._parts) == 1 else self._own

    def header_of(self, trace_id: int) -> TraceHeader | None:
        part = self._parts.get(trace_id)
        return part.header() if part else None

    def finish(self, facts: dict[str, Fact], error: BaseException | None) -> None:
        calls = self.own.calls
        for part in [*self._parts.values()] or [self._own]:
            part.facts |= facts
            if part is not self.own:
                part.calls = calls[:MAX_CALLS]
                part.started_ns = self.own.started_ns
            if error:
                part.fail(error)
            tracing.finish(part, SLOW_BATCH_MS)


_batch: ContextVar[Batch | None] = ContextVar("batch", default=None)


def onward(header: str | None) -> str | None:
    """The header that an event of this batch hands on: its parent is this function's segment."""
    parsed, batch = TraceHeader.parse(header), _batch.get()
    mine = batch.header_of(parsed.trace_id) if parsed and batch else None
    return str(mine) if mine else header


def instrumented(function: str) -> Callable[[Handler], Handler]:
    """Wraps a Lambda handler; what it raises is logged, counted and raised again."""
    telemetry.configure(RuntimeSettings().log_level, service=function)
    if not settings().is_on:
        return lambda handler: handler
    starts = iter([1])

    def decorate(handler: Handler) -> Handler:
        @wraps(handler)
        def invoke(event: Event, context: Any) -> Any:
            cold = next(starts, 0)
            try:
                return _observed(function, handler, event, context, cold)
            finally:
                telemetry.flush()

        return invoke

    return decorate


def _observed(function: str, handler: Handler, event: Event, context: Any, cold: int) -> Any:
    records = event.get("Records", ())
    batch = None if _is_queue(records) else Batch(function, event)  # messages have their own
    token = _batch.set(batch)
    started = time.perf_counter()
    error: BaseException | None = None
    try:
        if batch is None:
            answer = handler(event, context)
        else:
            with tracing.active(batch.own):
                answer = handler(event, context)
        failures = answer.get("batchItemFailures", ()) if isinstance(answer, dict) else ()
        if failures:
            metrics.add("BatchItemFailures", len(failures), Function=function)
        return answer
    except BaseException as raised:
        error = raised
        metrics.add("FunctionErrors", 1, Function=function)
        log.exception("function.failed", function=function, records=len(records))
        raise
    finally:
        _batch.reset(token)
        duration_ms = (time.perf_counter() - started) * 1000
        metrics.observe("FunctionDuration", duration_ms, "Milliseconds", Function=function)
        if records:
            metrics.observe("BatchSize", len(records), "Count", Function=function)
        if cold:
            metrics.add("ColdStart", 1, Function=function)
        if (age_ms := _age_ms(records)) is not None:
            metrics.observe("IteratorAge", age_ms, "Milliseconds", Function=function)
        if batch:
            facts: dict[str, Fact] = {"batch_size": len(records), "cold_start": bool(cold)}
            batch.finish(facts, error)


def _is_queue(records: Any) -> bool:
    return bool(records) and "body" in records[0]


def _age_ms(records: Any) -> float | None:
    """How old the newest record of a stream's batch is, as AWS defines its IteratorAge."""
    if not records:
        return None
    last = records[-1]
    arrived = last.get("kinesis", {}).get("approximateArrivalTimestamp") or last.get(
        "dynamodb", {}
    ).get("ApproximateCreationDateTime")
    return None if arrived is None else max(0.0, (time.time() - float(arrived)) * 1000)


def _sampled(event: Event) -> Iterator[tuple[TraceHeader, dict[str, Fact]]]:
    """The trace of each sampled record, with the facts to search it by."""
    for record in event.get("Records", ()):
        if "kinesis" in record:
            body = base64.b64decode(record["kinesis"]["data"])
            found = _HEADER.search(body)
            header = TraceHeader.parse(found[1].decode("ascii", "replace")) if found else None
            if header and header.is_sampled:
                yield header, _facts_of(body)
        else:
            row = record.get("dynamodb", {}).get("NewImage", {})
            header = TraceHeader.parse(row.get("trace", {}).get("S"))
            if header and header.is_sampled:
                yield (
                    header,
                    {
                        name: row[name]["S"]
                        for name in ("order_id", "correlation_id", "status")
                        if "S" in row.get(name, {})
                    },
                )


def _facts_of(body: bytes) -> dict[str, Fact]:
    try:
        envelope = json.loads(body)
        named = {name: envelope.get(name) for name in ("event_id", "event_type", "correlation_id")}
        named["order_id"] = envelope["payload"].get("order_id")
    except (ValueError, AttributeError, KeyError, TypeError):
        return {}  # landing quarantines it; here it only has no facts
    return {name: value[:128] for name, value in named.items() if isinstance(value, str)}
