"""The gateway's HTTP door: `uvicorn --factory iac.local.payment_gateway.main:create`.

Payments lie under a key of the caller's own, so that every request may be made again: `PUT
/v1/payments/{key}`, `POST …/capture`, `POST …/void`, `PUT …/refunds/{refund_key}`, `GET …`.
Errors are RFC 9457 problem documents.
"""

import asyncio
import base64
import hmac
import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from iac.local.payment_gateway.service import Answer, Behaviour, Gateway
from iac.local.payment_gateway.settings import GatewaySettings, secret
from iac.local.payment_gateway.store import GatewayStore
from iac.local.payment_gateway.webhooks import Webhooks
from pipeline.contracts.errors import ShopError, Unauthenticated, Unprocessable
from pipeline.contracts.payments import (
    MAX_KEY,
    Authorisation,
    Operation,
    Payment,
    RefundRequest,
)
from pipeline.runtime import clock, logs

_KEY = r"^[A-Za-z0-9._:-]+$"
Key = Annotated[str, Path(min_length=1, max_length=MAX_KEY, pattern=_KEY)]


def _authenticate(request: Request) -> None:
    """Raises Unauthenticated."""
    expected = f"Bearer {request.app.state.api_key()}"
    given = request.headers.get("Authorization", "")
    if not hmac.compare_digest(expected.encode(), given.encode()):
        raise Unauthenticated("Authorization: Bearer <API key>")


router = APIRouter(prefix="/v1/payments", dependencies=[Depends(_authenticate)])


@router.put("/{key}")
async def authorise(key: Key, body: Authorisation, request: Request) -> Response:
    """Reserve the money, once per key; a key with an outcome is answered as it stands."""
    return await _do(request, "authorise", lambda gateway: gateway.authorise(key, body))


@router.post("/{key}/capture")
async def capture(key: Key, request: Request) -> Response:
    """Take all of what is reserved."""
    return await _do(request, "capture", lambda gateway: gateway.capture(key))


@router.post("/{key}/void")
async def void(key: Key, request: Request) -> Response:
    """Let go of what is reserved, and let nothing be reserved under this key any more."""
    return await _do(request, "void", lambda gateway: gateway.void(key))


@router.put("/{key}/refunds/{refund_key}")
async def refund(key: Key, refund_key: Key, body: RefundRequest, request: Request) -> Response:
    """Give back a part of what was captured, once per refund's key."""
    return await _do(request, "refund", lambda gateway: gateway.refund(key, refund_key, body))


@router.get("/{key}")
async def get_payment(key: Key, request: Request) -> Response:
    """How a payment stands: the way to learn what became of a request without an answer."""
    return await _do(request, "query", lambda gateway: gateway.get(key))


@router.get("")
def list_payments(
    request: Request,
    page_size: Annotated[int, Query(ge=1, le=1_000)] = 500,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> dict[str, Any]:
    """The ledger: every payment, for whoever reconciles."""
    page = request.app.state.gateway.list_(page_size, _to_place(cursor) if cursor else None)
    following = page.next_place
    return {
        "items": [_to_body(payment) for payment in page.payments],
        "next_cursor": _to_cursor(following) if following else None,
    }


async def _do(
    request: Request, operation: Operation, work: Callable[[Gateway], Answer]
) -> Response:
    """Do the work, as well or as badly as the operator wants."""
    state = request.app.state
    behaviour: Behaviour = state.behaviour
    knobs = await run_in_threadpool(behaviour.of, operation)
    if (delay_s := behaviour.delay_s(knobs)) > 0:
        await asyncio.sleep(delay_s)
    if behaviour.hits(knobs.unavailable_percent):
        return _problem(request, 503, "unavailable", "The gateway is not available")
    answer = await run_in_threadpool(work, state.gateway)
    if answer.is_lost or behaviour.hits(knobs.lost_percent):
        await asyncio.sleep(state.settings.lost_answer_s)
        return _problem(request, 504, "timeout", "The answer took too long")
    return JSONResponse(_to_body(answer.payment))


def _to_body(payment: Payment) -> dict[str, Any]:
    return payment.model_dump(mode="json")


def _problem(request: Request, status: int, slug: str, title: str, **more: Any) -> JSONResponse:
    body = {
        "type": f"/problems/{slug}", "title": title, "status": status,
        "instance": request.url.path, **more,
    }  # fmt: skip
    return JSONResponse(body, status, media_type="application/problem+json")


async def _on_error(request: Request, error: ShopError) -> JSONResponse:
    return _problem(
        request, error.status, error.slug, error.title,
        detail=error.detail, errors=error.errors, **error.extensions,
    )  # fmt: skip


def _to_cursor(place: tuple[int, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def _to_place(cursor: str) -> tuple[int, str]:
    try:
        shard, key = json.loads(base64.urlsafe_b64decode(cursor))
        return int(shard), str(key)
    except (ValueError, TypeError):
        message = "Not a cursor of this list"
        raise Unprocessable(
            f"cursor: {message}", errors=[{"field": "cursor", "message": message}]
        ) from None


def build_app(settings: GatewaySettings) -> FastAPI:
    store = GatewayStore(settings.names)
    dice = random.Random()
    behaviour = Behaviour(store, dice, settings.knobs_age_s)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        webhooks = Webhooks(
            store, behaviour, settings.webhook_url, secret(settings.names, "payment-webhook"),
            clock.now, dice,
        )  # fmt: skip
        webhooks.start()
        yield
        await run_in_threadpool(webhooks.stop)

    app = FastAPI(title="Payment gateway", version="1", lifespan=lifespan)
    app.state.settings = settings
    app.state.api_key = cache(lambda: secret(settings.names, "payment-gateway"))
    app.state.behaviour = behaviour
    app.state.gateway = Gateway(store, behaviour, clock.now)
    app.add_exception_handler(ShopError, _on_error)  # type: ignore[arg-type]  # Starlette types it wider
    app.include_router(router)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    return app


def create() -> FastAPI:
    settings = GatewaySettings()
    logs.configure(settings.log_level, service="payment-gateway")
    return build_app(settings)
