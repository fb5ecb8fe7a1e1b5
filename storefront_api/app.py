"""The frame of every service: middleware, problems, health, OpenAPI."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI, Response
from fastapi.routing import APIRoute
from starlette.middleware import Middleware

from pipeline.runtime import telemetry
from storefront_api import access, docs_page, problems
from storefront_api.middleware import BodyLimitMiddleware, HeadMiddleware, SignalsMiddleware
from storefront_api.security import TokenVerifier, keys_from_secret
from storefront_api.settings import ServiceSettings

Check = Callable[[], None]
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]
_CHECK_TIMEOUT_S = 2.0


def create_app(
    service: str,
    title: str,
    settings: ServiceSettings,
    routers: Sequence[APIRouter],
    *,
    checks: Mapping[str, Check],
    lifespan: Lifespan | None = None,
    body_limits: Mapping[str, int] | None = None,
    middleware: Sequence[Middleware] = (),
) -> FastAPI:
    """A service under `/api/<service>`.

    Args: `checks` name each dependency; one raises when its dependency is unusable.
    `body_limits` are bytes by path, for routes that may take more than the default.
    `middleware` is the service's own, inside of what all have.
    """
    prefix = f"/api/{service}"
    telemetry.configure(
        settings.log_level, service=service, zone=settings.zone, replica=settings.replica
    )
    app = FastAPI(
        title=title,
        version=settings.version,
        openapi_url=f"{prefix}/openapi.json",
        docs_url=None,  # docs_page has one that needs no CDN
        redoc_url=None,
        lifespan=_with_signals(lifespan),
        generate_unique_id_function=_operation_id,
        responses=problems.documented(422),
    )
    app.state.settings = settings
    app.state.token_verifier = TokenVerifier(settings, keys_from_secret(settings))
    problems.install(app)
    limits = dict(body_limits or {})
    app.add_middleware(
        BodyLimitMiddleware, limit_of=lambda path: limits.get(path, settings.body_limit_bytes)
    )
    for one in middleware:
        app.add_middleware(one.cls, *one.args, **one.kwargs)
    app.add_middleware(SignalsMiddleware)
    app.add_middleware(HeadMiddleware)
    for router in (all_routers := [*routers, _health(settings, checks)]):
        app.include_router(router, prefix=prefix)
    app.state.methods = _methods_by_path(all_routers)
    docs_page.install(app, prefix)
    _describe_problems(app)
    return app


def _methods_by_path(routers: Sequence[APIRouter]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for route in (route for router in routers for route in router.routes):
        if isinstance(route, APIRoute):
            found[route.path] |= route.methods or set()
    for methods in found.values():
        if "GET" in methods:
            methods.add("HEAD")  # the middleware's
    return found


def _with_signals(inner: Lifespan | None) -> Lifespan:
    """Send metrics, traces and logs while the service runs, and what is left when it stops."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        telemetry.start()
        async with AsyncExitStack() as stack:
            if inner is not None:
                await stack.enter_async_context(inner(app))
            yield
        await asyncio.to_thread(telemetry.stop)

    return lifespan


def _operation_id(route: APIRoute) -> str:
    return route.name


def _health(settings: ServiceSettings, checks: Mapping[str, Check]) -> APIRouter:
    router = APIRouter(tags=["health"])
    identity = {
        "version": settings.version,
        "zone": settings.zone,
        "replica": settings.replica,
    }

    @router.get("/healthz")
    async def healthz() -> dict[str, Any]:
        """The process answers; touches no dependency."""
        return {"status": "ok", **identity}

    @router.get("/readyz", responses={503: {"description": "A dependency is down"}})
    async def readyz(response: Response) -> dict[str, Any]:
        """Each dependency by name, with its latency; 503 when one is unusable."""
        names = list(checks)
        results = await asyncio.gather(*(_try(checks[name]) for name in names))
        ready = all(result["ok"] for result in results)
        response.status_code = 200 if ready else 503
        return {
            "status": "ready" if ready else "not ready",
            **identity,
            "dependencies": dict(zip(names, results, strict=True)),
        }

    return router


async def _try(check: Check) -> dict[str, Any]:
    started = time.perf_counter()
    attempt: Awaitable[None] = asyncio.to_thread(check)
    try:
        await asyncio.wait_for(attempt, _CHECK_TIMEOUT_S)
    except Exception as error:  # a probe's edge: whatever fails is the answer
        return {"ok": False, "error": type(error).__name__}
    return {"ok": True, "latency_ms": round((time.perf_counter() - started) * 1000, 1)}


def _describe_problems(app: FastAPI) -> None:
    """Put the Problem schema in OpenAPI, in place of FastAPI's own, and who may call what."""
    original = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = original()
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            schemas.pop("HTTPValidationError", None)
            schemas.pop("ValidationError", None)
            schema = problems.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas |= schema.pop("$defs", {})
            schemas["Problem"] = schema
            access.describe(app, document)
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented extension point
