"""What the routes of accounts share: who asks, the refresh cookie, work that must not wait."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import anyio
from anyio.to_thread import run_sync
from botocore.exceptions import BotoCoreError, ClientError
from fastapi import BackgroundTasks, Cookie, Depends, Path, Request, Response

from pipeline.contracts.errors import ShopError, Unavailable
from pipeline.contracts.ids import ULID_PATTERN
from pipeline.runtime.logs import get_logger
from storefront_api.users.devices import device_of
from storefront_api.users.domain import User
from storefront_api.users.recovery import Recovery
from storefront_api.users.schemas import Profile, Session
from storefront_api.users.service import Users
from storefront_api.users.sign_in import SignedIn, SignIns, Visitor

log = get_logger()
COOKIE = "has_refresh"
COOKIE_PATH = "/api/users"
# Four hashes at once keep two cores busy while others wait for the table; a longer queue than
# this could not be served within a shopper's patience.
_MAX_HASHING, _MAX_WAITING = 4, 200
_hashing = anyio.CapacityLimiter(_MAX_HASHING)
T = TypeVar("T")


async def _users(request: Request) -> Users:
    users: Users = request.app.state.users
    return users


async def _sign_ins(request: Request) -> SignIns:
    sign_ins: SignIns = request.app.state.sign_ins
    return sign_ins


async def _recovery(request: Request) -> Recovery:
    recovery: Recovery = request.app.state.recovery
    return recovery


async def _visitor(request: Request) -> Visitor:
    host = request.client.host if request.client else ""
    return Visitor(host, device_of(request.headers.get("user-agent", "")))


TheUsers = Annotated[Users, Depends(_users)]
TheSignIns = Annotated[SignIns, Depends(_sign_ins)]
TheRecovery = Annotated[Recovery, Depends(_recovery)]
TheVisitor = Annotated[Visitor, Depends(_visitor)]
RefreshCookie = Annotated[str | None, Cookie(alias=COOKIE, include_in_schema=False)]
UlidPath = Annotated[str, Path(pattern=ULID_PATTERN)]


async def hashed(work: Callable[[], T]) -> T:
    """Run work that hashes a password beside the event loop, a few at a time."""
    if _hashing.statistics().tasks_waiting >= _MAX_WAITING:
        raise Unavailable("Too many people are signing in", headers={"Retry-After": "1"})
    return await run_sync(work, limiter=_hashing)


def afterwards(tasks: BackgroundTasks, send: Callable[[Any], None], about: User | str) -> None:
    """Send a letter when the answer is under way.

    What was asked for is done by then, and another letter can be had: a failure is logged.
    """

    def attempt() -> None:
        try:
            send(about)
        except (BotoCoreError, ClientError, ShopError) as error:
            log.error("letter.failed", error=type(error).__name__)

    tasks.add_task(attempt)


def to_session(request: Request, response: Response, signed_in: SignedIn) -> Session:
    response.headers["Cache-Control"] = "no-store"
    response.set_cookie(
        COOKIE,
        str(signed_in.refresh_token),
        expires=signed_in.ends_at,
        path=COOKIE_PATH,
        httponly=True,
        samesite="strict",
        secure=request.app.state.settings.is_cookie_secure,
    )
    return Session(
        access_token=signed_in.access_token,
        expires_in=request.app.state.settings.token_ttl_s,
        user=Profile.of(signed_in.user),
    )


def forget_cookie(request: Request, response: Response) -> None:
    response.headers["Cache-Control"] = "no-store"
    response.delete_cookie(
        COOKIE,
        path=COOKIE_PATH,
        httponly=True,
        samesite="strict",
        secure=request.app.state.settings.is_cookie_secure,
    )
