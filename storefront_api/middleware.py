"""Pure ASGI middleware: correlation id, access log, metrics, trace, body limit.

`BaseHTTPMiddleware` is avoided because it runs the endpoint in another task and so cuts the
context variables that carry the correlation id.
"""

import re
import time
from collections.abc import Callable

import structlog
from opentelemetry.trace import SpanKind
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.contracts.errors import TooLarge
from pipeline.runtime import signals, trace_header, tracing
from pipeline.runtime.clock import new_id
from pipeline.runtime.logs import get_logger
from pipeline.runtime.metrics import Series, metrics, series
from pipeline.runtime.trace_header import TraceHeader
from pipeline.runtime.tracing import Part
from storefront_api.problems import problem
from storefront_api.settings import ServiceSettings

log = get_logger()
_SAFE_ID = re.compile(r"^[A-Za-z0-9._:-]{1,128}$")
_ORDER = re.compile(r"/api/checkout/orders/([0-9A-Za-z]{1,64})$")
_PROBES = ("/healthz", "/readyz")


class SignalsMiddleware:
    """Takes a sane `X-Correlation-Id` or makes one, and answers with it.

    Each request is an observation of `RequestDuration` by service, zone, route and status class,
    and a segment of the caller's trace. Sampled, failed (from 400) and slow requests are also a
    log line; an answer whose trace is kept carries its id, `Sampled=1`.
    """

    def __init__(self, app: ASGIApp, probes: tuple[str, ...] = _PROBES) -> None:
        self._app = app
        self._probes = probes
        self._is_on = signals.settings().is_on
        self._series: dict[tuple[str, str, int], Series] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-correlation-id", "")
        correlation_id = given if _SAFE_ID.match(given) else new_id()
        scope["correlation_id"] = correlation_id
        if not self._is_on or scope["path"].endswith(self._probes):
            with structlog.contextvars.bound_contextvars(correlation_id=correlation_id):
                await self._app(scope, receive, _answering(send, scope, correlation_id, None))
            return
        settings: ServiceSettings = scope["app"].state.settings
        header = TraceHeader.parse(headers.get(trace_header.NAME))
        part = tracing.begin(settings.service, SpanKind.SERVER, header)
        part.came_by_edge(headers.get("x-edge-start"))
        if (attempt := headers.get("x-envoy-attempt-count", "1")) != "1":
            part.facts["attempt"] = attempt[:4]  # another replica failed to answer this before
        started = time.perf_counter()
        with (
            structlog.contextvars.bound_contextvars(correlation_id=correlation_id),
            tracing.active(part),
        ):
            try:
                await self._app(scope, receive, _answering(send, scope, correlation_id, part))
            except Exception as error:
                part.fail(error)
                raise
            finally:
                self._done(scope, part, settings, (time.perf_counter() - started) * 1000)

    def _done(
        self, scope: Scope, part: Part, settings: ServiceSettings, duration_ms: float
    ) -> None:
        # An unknown path is one route: a scanner must not create a metric for each guess.
        route = getattr(scope.get("route"), "path", "unmatched")
        method, status = scope["method"], scope.get("answered", 500)
        key = (method, route, status // 100)
        into = self._series.get(key)
        if into is None:
            into = self._series[key] = series(
                "RequestDuration", "Milliseconds", Service=settings.service, Zone=settings.zone,
                Route=f"{method} {route}", Status=f"{status // 100}xx",
            )  # fmt: skip
        metrics.observe_in(into, duration_ms)
        if status < 400 and not tracing.will_be_kept(part):
            return
        log.info(
            "request.done", method=method, route=route, status=status,
            duration_ms=round(duration_ms, 2), **_order_of(scope),
        )  # fmt: skip
        part.facts |= {
            "method": method,
            "path": scope["path"][:200],
            "route": f"{method} {route}",
            "status": status,
            "correlation_id": scope["correlation_id"],
            **_order_of(scope),
        }
        if slug := scope.get("problem"):
            part.facts["problem"] = slug
        part.fault = part.fault or ("fault" if status >= 500 else "error" if status >= 400 else "")
        tracing.finish(part)


def _answering(send: Send, scope: Scope, correlation_id: str, part: Part | None) -> Send:
    async def send_with_ids(message: Message) -> None:
        if message["type"] == "http.response.start":
            scope["answered"] = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Correlation-Id"] = correlation_id
            if part is not None:
                part.fault = "fault" if message["status"] >= 500 else part.fault
                if tracing.will_be_kept(part):
                    headers[trace_header.NAME] = f"Root={part.trace_text};Sampled=1"
            if message["status"] == 201 and (order := _ORDER.search(headers.get("location", ""))):
                scope["order_id"] = order[1]
        await send(message)

    return send_with_ids


def _order_of(scope: Scope) -> dict[str, str]:
    """The order a request is about: by its path, or by the one it made."""
    order_id = scope.get("order_id") or scope.get("path_params", {}).get("order_id")
    return {"order_id": str(order_id)} if order_id else {}


class HeadMiddleware:
    """Answers HEAD as GET without the body, as RFC 9110 (section 9.3.2) has it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            await send({**message, "body": b""} if "body" in message else message)

        await self._app({**scope, "method": "GET"}, receive, send_head)


class BodyLimitMiddleware:
    """Answers 413 to a body over the limit, by its declared length or as it streams in.

    The connection stays, and uvicorn throws away what still comes: closed with a body on its way,
    it may be reset before the edge has read the answer, and the caller is told 503.
    """

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
        extensions={"limit_bytes": limit},
    )  # fmt: skip
