"""Signing access tokens, and publishing the keys that check them."""

import json
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from pipeline.runtime import aws
from pipeline.runtime.clock import Clock, NewId
from storefront_api.security import ALGORITHM, KeySource
from storefront_api.settings import ServiceSettings
from storefront_api.users.domain import User

# A new key is taken up within this time, without a restart.
KEY_AGE_S = 60
_PUBLIC_MEMBERS = ("kty", "use", "alg", "kid", "n", "e")


@dataclass(frozen=True, slots=True)
class SigningKey:
    kid: str
    private_key: RSAPrivateKey


class AccessTokens:
    """Issues RS256 JWTs with the key of the secret `token-signing`: {kid, private_pem}."""

    def __init__(self, settings: ServiceSettings, clock: Clock, new_id: NewId) -> None:
        self._settings = settings
        self._clock = clock
        self._new_id = new_id
        self._key: SigningKey | None = None
        self._loaded_at = float("-inf")

    @property
    def ttl_s(self) -> int:
        return self._settings.token_ttl_s

    def issue(self, user: User) -> str:
        key = self._current()
        issued_at = self._clock()
        claims = {
            "sub": user.user_id,
            "role": user.role,
            "iss": self._settings.token_issuer,
            "aud": self._settings.token_audience,
            "iat": issued_at,
            "exp": issued_at + timedelta(seconds=self.ttl_s),
            "jti": self._new_id(),
        }
        return jwt.encode(claims, key.private_key, ALGORITHM, headers={"kid": key.kid})

    def check(self) -> None:
        """Raises when no key is at hand."""
        self._current()

    def _current(self) -> SigningKey:
        if self._key is None or time.monotonic() - self._loaded_at > KEY_AGE_S:
            name = self._settings.names.secret("token-signing")
            text = aws.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"]
            secret = json.loads(text)
            private_key = load_pem_private_key(secret["private_pem"].encode(), password=None)
            assert isinstance(private_key, RSAPrivateKey)
            self._key = SigningKey(secret["kid"], private_key)
            self._loaded_at = time.monotonic()
        return self._key


class PublishedKeys:
    """The JWKS document, read again at most every minute; public members only."""

    def __init__(self, source: KeySource, age_s: float = 60.0) -> None:
        self._source = source
        self._age_s = age_s
        self._document: dict[str, Any] = {}
        self._loaded_at = float("-inf")

    def document(self) -> dict[str, Any]:
        if time.monotonic() - self._loaded_at > self._age_s:
            keys = self._source()["keys"]
            self._document = {
                "keys": [{name: key[name] for name in _PUBLIC_MEMBERS if name in key}
                         for key in keys]
            }  # fmt: skip
            self._loaded_at = time.monotonic()
        return self._document
