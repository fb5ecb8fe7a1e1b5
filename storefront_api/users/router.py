"""HTTP routes of accounts under `/api/users`."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import anyio
from anyio.to_thread import run_sync
from fastapi import APIRouter, Cookie, Depends, Path, Query, Request, Response

from pipeline.contracts.errors import Unauthenticated, Unavailable
from pipeline.contracts.ids import ULID_PATTERN
from storefront_api.problems import documented
from storefront_api.security import CurrentPrincipal
from storefront_api.users.domain import PostalAddress
from storefront_api.users.schemas import (
    Address,
    AddressPage,
    AddressWithId,
    Credentials,
    Profile,
    ProfileChange,
    Registered,
    Registration,
    Session,
)
from storefront_api.users.service import SignedIn, Users
from storefront_api.users.tokens import PublishedKeys

COOKIE = "has_refresh"
COOKIE_PATH = "/api/users"
KEYS_AGE_S = 300
# Four hashes at once keep two cores busy while others wait for the table; a longer queue than
# this could not be served within a shopper's patience.
_MAX_HASHING, _MAX_WAITING = 4, 200
_hashing = anyio.CapacityLimiter(_MAX_HASHING)
T = TypeVar("T")

router = APIRouter()


def _users(request: Request) -> Users:
    users: Users = request.app.state.users
    return users


def _published_keys(request: Request) -> PublishedKeys:
    keys: PublishedKeys = request.app.state.published_keys
    return keys


def _network(request: Request) -> str:
    return request.client.host if request.client else ""


TheUsers = Annotated[Users, Depends(_users)]
# The address the request came from.
Network = Annotated[str, Depends(_network)]
RefreshCookie = Annotated[str | None, Cookie(alias=COOKIE, include_in_schema=False)]
AddressId = Annotated[str, Path(pattern=ULID_PATTERN)]


async def _hashed(work: Callable[[], T]) -> T:
    """Run work that hashes a password beside the event loop, a few at a time."""
    if _hashing.statistics().tasks_waiting >= _MAX_WAITING:
        raise Unavailable("Too many people are signing in", headers={"Retry-After": "1"})
    return await run_sync(work, limiter=_hashing)


@router.post(
    "/register", status_code=201, tags=["sign-in"], responses=documented(400, 409, 413, 429, 503)
)
async def register(
    body: Registration, users: TheUsers, network: Network, response: Response
) -> Registered:
    """Open an account; the e-mail address must be new."""
    user = await _hashed(lambda: users.register(body.email, body.password, body.name, network))
    response.headers["Location"] = f"{COOKIE_PATH}/me"
    return Registered(user=Profile.of(user))


@router.post("/login", tags=["sign-in"], responses=documented(400, 401, 413, 429, 503))
async def login(
    body: Credentials, users: TheUsers, network: Network, request: Request, response: Response
) -> Session:
    """An access token in the answer, and a refresh token in the cookie `has_refresh`."""
    signed_in = await _hashed(lambda: users.sign_in(body.email, body.password, network))
    return _session(request, response, signed_in)


@router.post("/refresh", tags=["sign-in"], responses=documented(401, 409, 503))
def refresh(
    users: TheUsers, request: Request, response: Response, token: RefreshCookie = None
) -> Session:
    """Trade the cookie for a new access token and a new cookie.

    A cookie is good once: a second use ends the session (401). 409 means that another request is
    refreshing at this very moment: try again, with the cookie that request has set.
    """
    try:
        signed_in = users.refresh(token)
    except Unauthenticated as error:
        _forget_cookie(request, response)
        gone = {"Set-Cookie": response.headers["set-cookie"]}
        raise Unauthenticated(error.detail, headers=gone) from None
    return _session(request, response, signed_in)


@router.post("/logout", status_code=204, tags=["sign-in"])
def logout(
    users: TheUsers, request: Request, response: Response, token: RefreshCookie = None
) -> None:
    """End the session of the cookie. An access token already given lasts its 15 minutes."""
    users.sign_out(token)
    _forget_cookie(request, response)
    response.headers["Cache-Control"] = "no-store"


@router.get("/.well-known/jwks.json", tags=["sign-in"], responses=documented(503))
def jwks(
    response: Response, keys: Annotated[PublishedKeys, Depends(_published_keys)]
) -> dict[str, Any]:
    """The public keys that check access tokens (RFC 7517)."""
    response.headers["Cache-Control"] = f"public, max-age={KEYS_AGE_S}"
    return keys.document()


@router.get("/me", tags=["profile"], responses=documented(401, 503))
def get_me(users: TheUsers, principal: CurrentPrincipal, response: Response) -> Profile:
    response.headers["Cache-Control"] = "no-store"
    return Profile.of(users.get_user(principal.user_id))


@router.patch("/me", tags=["profile"], responses=documented(400, 401, 413, 503))
def change_me(body: ProfileChange, users: TheUsers, principal: CurrentPrincipal) -> Profile:
    return Profile.of(users.rename(principal.user_id, body.name))


@router.get("/me/addresses", tags=["profile"], responses=documented(401, 503))
def list_addresses(
    users: TheUsers,
    principal: CurrentPrincipal,
    response: Response,
    page_size: Annotated[int, Query(ge=1, le=50)] = 20,
    cursor: Annotated[str | None, Query(pattern=ULID_PATTERN)] = None,
) -> AddressPage:
    """Oldest first."""
    response.headers["Cache-Control"] = "no-store"
    saved, following = users.list_addresses(principal.user_id, page_size, cursor)
    return AddressPage(items=[AddressWithId.of(each) for each in saved], next_cursor=following)


@router.post(
    "/me/addresses",
    status_code=201,
    tags=["profile"],
    responses=documented(400, 401, 409, 413, 503),
)
def add_address(
    body: Address, users: TheUsers, principal: CurrentPrincipal, response: Response
) -> AddressWithId:
    saved = users.add_address(principal.user_id, PostalAddress(**body.model_dump()))
    response.headers["Location"] = f"{COOKIE_PATH}/me/addresses/{saved.address_id}"
    return AddressWithId.of(saved)


@router.delete(
    "/me/addresses/{address_id}",
    status_code=204,
    tags=["profile"],
    responses=documented(401, 404, 503),
)
def remove_address(address_id: AddressId, users: TheUsers, principal: CurrentPrincipal) -> None:
    users.remove_address(principal.user_id, address_id)


def _session(request: Request, response: Response, signed_in: SignedIn) -> Session:
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


def _forget_cookie(request: Request, response: Response) -> None:
    response.delete_cookie(
        COOKIE,
        path=COOKIE_PATH,
        httponly=True,
        samesite="strict",
        secure=request.app.state.settings.is_cookie_secure,
    )
