"""Pure ASGI middleware: correlation id, access log, body limit.

`BaseHTTPMiddleware` is avoided because it runs the endpoint in another task and so cuts the
context variables that carry the correlation id.
"""

import re
import time
from collections.abc import Callable

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.contracts.errors import TooLarge
from pipeline.runtime.clock import new_id
from pipeline.runtime.logs import get_logger
from storefront_api.problems import problem

log = get_logger()
_SAFE_ID = re.compile(r"^[A-Za-z0-9._:-]{1,128}$")


class CorrelationMiddleware:
    """Takes a sane `X-Correlation-Id` or makes one; logs with it and answers with it."""

    def __init__(self, app: ASGIApp, quiet_suffixes: tuple[str, ...] = ("/healthz",)) -> None:
        self._app = app
        self._quiet = quiet_suffixes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-correlation-id", "")
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

        with structlog.contextvars.bound_contextvars(correlation_id=correlation_id):
            try:
                await self._app(scope, receive, send_with_id)
            finally:
                if not scope["path"].endswith(self._quiet):
                    route = scope.get("route")
                    log.info(
                        "request.done",
                        method=scope["method"],
                        route=getattr(route, "path", scope["path"]),
                        status=status,
                        duration_ms=round((time.perf_counter() - started) * 1000, 2),
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
