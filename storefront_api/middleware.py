"""Pure ASGI middleware: correlation id, access log, metrics, trace, body limit.

`BaseHTTPMiddleware` is avoided because it runs the endpoint in another task and so cuts the
context variables that carry the correlation id.
"""

import re
import time
from collections.abc import Callable

import structlog
from opentelemetry.trace import (
    INVALID_SPAN_CONTEXT,
    NonRecordingSpan,
    Span,
    SpanKind,
    StatusCode,
    use_span,
)
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.contracts.errors import TooLarge
from pipeline.runtime.clock import new_id
from pipeline.runtime.logs import get_logger
from pipeline.runtime.metrics import metrics
from pipeline.runtime.tracing import propagator, tracer
from storefront_api.problems import problem
from storefront_api.settings import ServiceSettings

log = get_logger()
_SAFE_ID = re.compile(r"^[A-Za-z0-9._:-]{1,128}$")


class SignalsMiddleware:
    """Takes a sane `X-Correlation-Id` or makes one, and answers with it.

    Each request is a log line, a span that goes on the caller's trace, and an observation of
    `RequestDuration` by service, zone, route and status class.
    """

    def __init__(self, app: ASGIApp, quiet_suffixes: tuple[str, ...] = ("/healthz",)) -> None:
        self._app = app
        self._quiet = quiet_suffixes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-correlation-id", "")
        correlation_id = given if _SAFE_ID.match(given) else new_id()
        scope["correlation_id"] = correlation_id
        status = 500
        started = time.perf_counter()

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Correlation-Id"] = correlation_id
            await send(message)

        is_quiet = scope["path"].endswith(self._quiet)
        span = NonRecordingSpan(INVALID_SPAN_CONTEXT) if is_quiet else _start_span(scope, headers)
        with (
            structlog.contextvars.bound_contextvars(correlation_id=correlation_id),
            use_span(span, end_on_exit=True),
        ):
            try:
                await self._app(scope, receive, send_with_id)
            finally:
                if not is_quiet:
                    _record(scope, span, status, (time.perf_counter() - started) * 1000)


def _start_span(scope: Scope, headers: Headers) -> Span:
    parent = propagator.extract(headers)
    return tracer().start_span(scope["path"], context=parent, kind=SpanKind.SERVER)


def _record(scope: Scope, span: Span, status: int, duration_ms: float) -> None:
    # An unknown path is one route: a scanner must not create a metric for each guess.
    route = getattr(scope.get("route"), "path", "unmatched")
    log.info(
        "request.done",
        method=scope["method"],
        route=route,
        status=status,
        duration_ms=round(duration_ms, 2),
    )
    span.set_attributes(
        {
            "http.request.method": scope["method"],
            "http.route": route,
            "http.response.status_code": status,
            "correlation_id": scope["correlation_id"],
        }
    )
    if status >= 500:
        span.set_status(StatusCode.ERROR)
    settings: ServiceSettings = scope["app"].state.settings
    metrics.observe(
        "RequestDuration",
        duration_ms,
        "Milliseconds",
        Service=settings.service,
        Zone=settings.zone,
        Route=f"{scope['method']} {route}",
        Status=f"{status // 100}xx",
    )


class BodyLimitMiddleware:
    """Answers 413 to a body over the limit, by its declared length or as it streams in."""

    def __init__(self, app: ASGIApp, limit_of: Callable[[str], int]) -> None:
        self._app = app
        self._limit_of = limit_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit_of(scope["path"])
        declared = Headers(scope=scope).get("content-length", "0")
        if declared.isdigit() and int(declared) > limit:
            await _too_large(scope, limit)(scope, receive, send)
            return
        received = 0
        answered = False

        async def receive_counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise TooLarge
            return message

        async def send_unless_over(message: Message) -> None:
            # FastAPI turns what breaks while it reads a body into a 400; this is a 413.
            nonlocal answered
            if received <= limit:
                await send(message)
            elif not answered:
                answered = True
                await _too_large(scope, limit)(scope, receive, send)

        await self._app(scope, receive_counted, send_unless_over)


def _too_large(scope: Scope, limit: int) -> ASGIApp:
    error = TooLarge(f"At most {limit} bytes")
    return problem(
        Request(scope), error.status, error.slug, error.title, error.detail,
        errors=[{"field": "body", "message": error.detail}],
        headers={"Connection": "close"}, extensions={"limit_bytes": limit},
    )  # fmt: skip
