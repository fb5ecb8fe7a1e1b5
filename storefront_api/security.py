"""Access tokens: RS256 JWTs checked against the published keys, and the roles they carry."""

import json
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Protocol, TypeVar

import jwt
from botocore.exceptions import BotoCoreError, ClientError
from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from pipeline.contracts.errors import Forbidden, Unauthenticated
from pipeline.contracts.roles import ROLES, Role
from pipeline.runtime import aws
from pipeline.runtime.logs import get_logger
from storefront_api.settings import ServiceSettings

log = get_logger()
ALGORITHM = "RS256"
# A forged key id must not become a call to Secrets Manager for each request …
_RELOAD_AFTER_S = 2.0
# … and a key that was withdrawn must not count for ever where it is known.
MAX_KEYS_AGE_S = 300


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking, as the token says."""

    user_id: str
    role: Role


class KeySource(Protocol):
    def __call__(self) -> dict[str, Any]:
        """The JWKS document: {"keys": [...]}."""


def keys_from_secret(settings: ServiceSettings) -> KeySource:
    name = settings.names.secret("token-verification")

    def read() -> dict[str, Any]:
        secret = aws.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"]
        document: dict[str, Any] = json.loads(secret)
        return document

    return read


class TokenVerifier:
    """Checks signature, issuer, audience and expiry; keeps the keys, and looks again for an
    unknown one or when they are old."""

    def __init__(self, settings: ServiceSettings, keys: KeySource) -> None:
        self._settings = settings
        self._source = keys
        self._keys: dict[str, jwt.PyJWK] = {}
        self._tried_at = self._loaded_at = float("-inf")
        # One thread looks at a time.
        self._looking = threading.Lock()

    def verify(self, token: str) -> Principal:
        """Raises Unauthenticated, whatever is wrong, without saying what to whoever forges."""
        try:
            kid = str(jwt.get_unverified_header(token).get("kid", ""))
            claims = jwt.decode(
                token,
                self._key(kid),
                algorithms=[ALGORITHM],
                issuer=self._settings.token_issuer,
                audience=self._settings.token_audience,
                options={"require": ["exp", "iat", "sub", "iss", "aud"]},
            )
            return Principal(user_id=str(claims["sub"]), role=claims["role"])
        except jwt.ExpiredSignatureError:
            raise Unauthenticated("The access token has expired", headers=_CHALLENGE) from None
        except (jwt.InvalidTokenError, KeyError, ValueError):
            raise Unauthenticated("The access token is not valid", headers=_CHALLENGE) from None

    def _key(self, kid: str) -> jwt.PyJWK:
        # Who has the key, if an old one, need not wait for whoever looks.
        if not self._is_known(kid) and self._looking.acquire(blocking=kid not in self._keys):
            try:
                if not self._is_known(kid) and time.monotonic() - self._tried_at > _RELOAD_AFTER_S:
                    self._load()
            finally:
                self._looking.release()
        return self._keys[kid]

    def _is_known(self, kid: str) -> bool:
        return kid in self._keys and time.monotonic() - self._loaded_at < MAX_KEYS_AGE_S

    def _load(self) -> None:
        """Keeps the keys it has when there are no new ones to be had: the shop stays open."""
        self._tried_at = time.monotonic()
        try:
            document = self._source()
        except (BotoCoreError, ClientError) as error:
            if not self._keys:
                self._tried_at = float("-inf")
                raise
            log.error("keys.not_read", error=type(error).__name__)
            return
        self._keys = {key["kid"]: jwt.PyJWK(key, ALGORITHM) for key in document["keys"]}
        self._loaded_at = time.monotonic()


# Which roles a dependency lets in, for those that refuse anybody.
_allowed: dict[Callable[..., Any], frozenset[Role]] = {}
Check = TypeVar("Check", bound=Callable[..., Any])


def allows(*roles: Role) -> Callable[[Check], Check]:
    """Marks a dependency that refuses whoever has none of these roles (`admin` has all)."""

    def mark(check: Check) -> Check:
        _allowed[check] = frozenset({*roles, "admin"})
        return check

    return mark


def allowed_by(dependency: Callable[..., Any] | None) -> frozenset[Role] | None:
    """None for a dependency that refuses nobody for who they are."""
    return _allowed.get(dependency) if dependency else None


_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="shop"'}
_bearer = HTTPBearer(auto_error=False, description="Access token of POST /api/users/login")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


async def find_principal(request: Request, credentials: Credentials) -> Principal | None:
    """Who is asking, or None without a token; a bad token is refused, never ignored."""
    if credentials is None:
        if request.headers.get("authorization"):
            raise Unauthenticated("Use a Bearer token", headers=_CHALLENGE)
        return None
    verifier: TokenVerifier = request.app.state.token_verifier
    return await run_in_threadpool(verifier.verify, credentials.credentials)


MaybePrincipal = Annotated[Principal | None, Depends(find_principal)]


@allows(*ROLES)
async def get_principal(principal: MaybePrincipal) -> Principal:
    if principal is None:
        raise Unauthenticated(headers=_CHALLENGE)
    return principal


CurrentPrincipal = Annotated[Principal, Depends(get_principal)]


def require_role(*roles: Role) -> Callable[[Principal], Awaitable[Principal]]:
    """A dependency that lets these roles (and `admin`) in; 401 without a token, 403 otherwise."""

    @allows(*roles)
    async def check(principal: CurrentPrincipal) -> Principal:
        if principal.role not in roles and principal.role != "admin":
            raise Forbidden(f"Needs the role {' or '.join(roles)}")
        return principal

    return check
