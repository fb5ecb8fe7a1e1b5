"""HTTP routes of sign-in and sessions under `/api/users`."""

from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Depends, Query, Request, Response

from pipeline.contracts.errors import Unauthenticated
from pipeline.contracts.ids import ULID_PATTERN
from storefront_api.problems import documented
from storefront_api.security import CurrentPrincipal
from storefront_api.users.domain import RefreshToken
from storefront_api.users.schemas import (
    Credentials,
    PasswordChange,
    Profile,
    Registered,
    Registration,
    Session,
    SessionPage,
    SessionView,
)
from storefront_api.users.tokens import PublishedKeys
from storefront_api.users.web import (
    COOKIE_PATH,
    RefreshCookie,
    TheRecovery,
    TheSignIns,
    TheUsers,
    TheVisitor,
    UlidPath,
    afterwards,
    forget_cookie,
    hashed,
    to_session,
)

KEYS_AGE_S = 300

router = APIRouter()


async def _published_keys(request: Request) -> PublishedKeys:
    keys: PublishedKeys = request.app.state.published_keys
    return keys


@router.post(
    "/register", status_code=201, tags=["sign-in"], responses=documented(400, 409, 413, 429, 503)
)
async def register(
    body: Registration,
    users: TheUsers,
    recovery: TheRecovery,
    visitor: TheVisitor,
    response: Response,
    tasks: BackgroundTasks,
) -> Registered:
    """Open an account; the e-mail address must be new, and gets a letter to confirm it."""
    user = await hashed(
        lambda: users.register(body.email, body.password, body.name, visitor.network)
    )
    afterwards(tasks, recovery.welcome, user)
    response.headers["Location"] = f"{COOKIE_PATH}/me"
    return Registered(user=Profile.of(user))


@router.post("/login", tags=["sign-in"], responses=documented(400, 401, 413, 429, 503))
async def login(
    body: Credentials,
    sign_ins: TheSignIns,
    visitor: TheVisitor,
    request: Request,
    response: Response,
) -> Session:
    """An access token in the answer, and a refresh token in the cookie `has_refresh`."""
    signed_in = await hashed(lambda: sign_ins.sign_in(body.email, body.password, visitor))
    return to_session(request, response, signed_in)


@router.post("/refresh", tags=["sign-in"], responses=documented(401, 409, 503))
def refresh(
    sign_ins: TheSignIns, request: Request, response: Response, token: RefreshCookie = None
) -> Session:
    """Trade the cookie for a new access token and a new cookie.

    A cookie is good once: a second use ends the session (401). 409 means that another request is
    refreshing at this very moment: try again, with the cookie that request has set.
    """
    try:
        signed_in = sign_ins.refresh(token)
    except Unauthenticated as error:
        forget_cookie(request, response)
        gone = {"Set-Cookie": response.headers["set-cookie"]}
        raise Unauthenticated(error.detail, headers=gone) from None
    return to_session(request, response, signed_in)


@router.post("/logout", status_code=204, tags=["sign-in"])
def logout(
    sign_ins: TheSignIns, request: Request, response: Response, token: RefreshCookie = None
) -> None:
    """End the session of the cookie. An access token already given lasts its 15 minutes."""
    sign_ins.sign_out(token)
    forget_cookie(request, response)


@router.get("/.well-known/jwks.json", tags=["sign-in"], responses=documented(503))
def jwks(
    response: Response, keys: Annotated[PublishedKeys, Depends(_published_keys)]
) -> dict[str, Any]:
    """The public keys that check access tokens (RFC 7517)."""
    response.headers["Cache-Control"] = f"public, max-age={KEYS_AGE_S}"
    return keys.document()


@router.post("/me/password", tags=["sessions"], responses=documented(400, 401, 409, 413, 429, 503))
async def change_password(
    body: PasswordChange,
    sign_ins: TheSignIns,
    recovery: TheRecovery,
    principal: CurrentPrincipal,
    visitor: TheVisitor,
    request: Request,
    response: Response,
    tasks: BackgroundTasks,
) -> Session:
    """Choose another password: a new session begins, and all others end."""
    signed_in = await hashed(
        lambda: sign_ins.change_password(
            principal.user_id, body.current_password, body.new_password, visitor
        )
    )
    afterwards(tasks, recovery.tell_of_new_password, signed_in.user)
    return to_session(request, response, signed_in)


@router.get("/me/sessions", tags=["sessions"], responses=documented(401, 503))
def list_sessions(
    sign_ins: TheSignIns,
    principal: CurrentPrincipal,
    response: Response,
    token: RefreshCookie = None,
    page_size: Annotated[int, Query(ge=1, le=50)] = 20,
    cursor: Annotated[str | None, Query(pattern=ULID_PATTERN)] = None,
) -> SessionPage:
    """Where one is signed in, newest first."""
    response.headers["Cache-Control"] = "no-store"
    entries, following = sign_ins.list_sessions(principal.user_id, page_size, cursor)
    current = RefreshToken.parse(token)
    items = [SessionView.of(entry, current.family_id if current else None) for entry in entries]
    return SessionPage(items=items, next_cursor=following)


@router.delete("/me/sessions", status_code=204, tags=["sessions"], responses=documented(401, 503))
def sign_out_everywhere(
    sign_ins: TheSignIns, principal: CurrentPrincipal, request: Request, response: Response
) -> None:
    """End every session, this one too. Access tokens already given last their 15 minutes."""
    sign_ins.sign_out_everywhere(principal.user_id)
    forget_cookie(request, response)


@router.delete(
    "/me/sessions/{session_id}",
    status_code=204,
    tags=["sessions"],
    responses=documented(401, 404, 503),
)
def end_session(session_id: UlidPath, sign_ins: TheSignIns, principal: CurrentPrincipal) -> None:
    """End one session, on a device that was lost or is another's."""
    sign_ins.end_session(principal.user_id, session_id)
