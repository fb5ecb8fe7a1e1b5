"""Access tokens: RS256 JWTs checked against the published keys, and the roles they carry."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol

import jwt
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from pipeline.contracts.errors import Forbidden, Unauthenticated
from pipeline.runtime import aws
from storefront_api.settings import ServiceSettings

Role = Literal["shopper", "analyst", "operator", "admin"]
ALGORITHM = "RS256"
_RELOAD_AFTER_S = 10.0


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
    """Checks signature, issuer, audience and expiry; keeps the keys, reloads for an unknown kid."""

    def __init__(self, settings: ServiceSettings, keys: KeySource) -> None:
        self._settings = settings
        self._source = keys
        self._keys: dict[str, jwt.PyJWK] = {}
        self._loaded_at = float("-inf")

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
        # A forged kid must not become a call to Secrets Manager for each request.
        if kid not in self._keys and time.monotonic() - self._loaded_at > _RELOAD_AFTER_S:
            document = self._source()
            self._keys = {key["kid"]: jwt.PyJWK(key, ALGORITHM) for key in document["keys"]}
            self._loaded_at = time.monotonic()
        return self._keys[kid]


_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="shop"'}
_bearer = HTTPBearer(auto_error=False, description="Access token of POST /api/users/login")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


def find_principal(request: Request, credentials: Credentials) -> Principal | None:
    """Who is asking, or None without a token; a bad token is refused, never ignored."""
    if credentials is None:
        if request.headers.get("authorization"):
            raise Unauthenticated("Use a Bearer token", headers=_CHALLENGE)
        return None
    verifier: TokenVerifier = request.app.state.token_verifier
    return verifier.verify(credentials.credentials)


MaybePrincipal = Annotated[Principal | None, Depends(find_principal)]


def get_principal(principal: MaybePrincipal) -> Principal:
    if principal is None:
        raise Unauthenticated(headers=_CHALLENGE)
    return principal


CurrentPrincipal = Annotated[Principal, Depends(get_principal)]


def require_role(*roles: Role) -> Callable[[Principal], Principal]:
    """A dependency that lets these roles (and `admin`) in; 401 without a token, 403 otherwise."""

    def check(principal: CurrentPrincipal) -> Principal:
        if principal.role not in roles and principal.role != "admin":
            raise Forbidden(f"Needs the role {' or '.join(roles)}")
        return principal

    return check
