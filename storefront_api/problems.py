"""Every failure becomes RFC 9457 problem+json here, and only here."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from pipeline.contracts.errors import ShopError, Unavailable
from pipeline.runtime.logs import get_logger

log = get_logger()
MEDIA_TYPE = "application/problem+json"


class FieldError(BaseModel):
    field: str
    message: str


class Problem(BaseModel):
    """RFC 9457; named extensions (`lines`, `available` …) stand beside these members."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    instance: str
    correlation_id: str
    errors: list[FieldError] = []


_TITLES = {
    400: ("bad-request", "The request is not valid"),
    404: ("not-found", "There is nothing here"),
    405: ("method-not-allowed", "This method is not allowed here"),
    413: ("too-large", "The request body is too large"),
    422: ("unprocessable", "A field is not valid"),
    500: ("internal", "Something went wrong on our side"),
}


def problem(
    request: Request,
    status: int,
    slug: str,
    title: str,
    detail: str,
    *,
    errors: Sequence[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
    extensions: Mapping[str, Any] | None = None,
) -> JSONResponse:
    # The last handler runs outside the middleware that binds the id, so it comes from the scope.
    correlation_id = request.scope.get("correlation_id", "")
    request.scope["problem"] = slug  # for the trace
    body = {
        "type": f"/problems/{slug}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": request.url.path,
        "correlation_id": correlation_id,
        "errors": [dict(error) for error in errors],
        **(extensions or {}),
    }
    return JSONResponse(
        body,
        status,
        media_type=MEDIA_TYPE,
        headers={
            "Cache-Control": "no-store",
            "X-Correlation-Id": correlation_id,
            **(headers or {}),
        },
    )


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of a route: which problems it can answer with, for OpenAPI."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


async def _on_shop_error(request: Request, error: ShopError) -> JSONResponse:
    return problem(
        request, error.status, error.slug, error.title, error.detail,
        errors=error.errors, headers=error.headers, extensions=error.extensions,
    )  # fmt: skip


async def _on_invalid(request: Request, error: RequestValidationError) -> JSONResponse:
    faults = error.errors()
    fields = [
        {"field": _field(fault["loc"]), "message": str(fault["msg"])} for fault in faults[:50]
    ]
    malformed = any(fault["type"] == "json_invalid" for fault in faults)
    status = 400 if malformed else 422
    slug, title = _TITLES[status]
    detail = f"{fields[0]['field']}: {fields[0]['message']}" if fields else title
    return problem(request, status, slug, title, detail, errors=fields)


def _field(location: Sequence[Any]) -> str:
    """("body", "lines", 0, "sku") -> `lines.0.sku`; the body itself is `body`."""
    parts = [str(part) for part in location]
    if parts and parts[0] in {"body", "query", "path", "header", "cookie"} and len(parts) > 1:
        parts = parts[1:]
    if parts and parts[-1].isdigit() and location[0] == "body" and len(location) == 2:
        return "body"  # not JSON: the second part is a character position
    return ".".join(parts) or "body"


async def _on_http(request: Request, error: HTTPException) -> JSONResponse:
    slug, title = _TITLES.get(error.status_code, ("error", HTTPStatus(error.status_code).phrase))
    detail = str(error.detail) if error.detail else title
    errors = [{"field": "body", "message": detail}] if error.status_code == 400 else []
    headers = error.headers
    if error.status_code == 405 and (methods := _methods(request)):
        headers = {"Allow": ", ".join(methods)}
    return problem(request, error.status_code, slug, title, detail, errors=errors, headers=headers)


def _methods(request: Request) -> list[str]:
    """Of all routes of this path, while the router only tells those of the first."""
    route = getattr(request.scope.get("route"), "path", "")
    methods: dict[str, set[str]] = request.app.state.methods
    return sorted(methods.get(route, ()))


async def _on_disconnect(request: Request, _: ClientDisconnect) -> JSONResponse:
    """An upload broke off: nobody reads this answer, but it is no fault of ours either."""
    slug, title = _TITLES[400]
    return problem(request, 400, slug, title, "The body broke off")


async def _on_dependency(request: Request, error: Exception) -> JSONResponse:
    """boto3 gave up after its bounded retries: the client may try again."""
    log.error("dependency.failed", error=type(error).__name__, detail=str(error)[:300])
    return await _on_shop_error(request, Unavailable(headers={"Retry-After": "1"}))


async def _on_bug(request: Request, error: Exception) -> JSONResponse:
    log.error("request.failed", exc_info=error)
    slug, title = _TITLES[500]
    return problem(request, 500, slug, title, "The failure is logged under the correlation id")


def install(app: FastAPI) -> None:
    """Register the one translation of failures on an application."""
    handlers: dict[type[Exception], Any] = {
        ShopError: _on_shop_error,
        RequestValidationError: _on_invalid,
        HTTPException: _on_http,
        ClientDisconnect: _on_disconnect,
        ClientError: _on_dependency,
        BotoCoreError: _on_dependency,
        Exception: _on_bug,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)
