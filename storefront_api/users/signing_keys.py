"""The keys that sign access tokens, in Secrets Manager: one that signs, and those that still count.

`token-signing` is {kid, private_pem}; `token-verification` is the JWKS of the public halves, where
a key that signs no more says so by `retired_at_epoch_s` and leaves once no token of it can be good.
"""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm

from pipeline.contracts.names import Names
from pipeline.runtime import aws
from pipeline.runtime.logs import get_logger
from pipeline.runtime.secret_values import find_object

log = get_logger()
Secret = dict[str, Any]
_RETIRED = "retired_at_epoch_s"


def new_key() -> Secret:
    key = generate_private_key(public_exponent=65_537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return {"kid": secrets.token_hex(8), "private_pem": pem.decode()}


def public_half(signing: Secret) -> Secret:
    """A signing key's entry in the JWKS."""
    pem = signing["private_pem"].encode()
    private = serialization.load_pem_private_key(pem, password=None)
    assert isinstance(private, RSAPrivateKey)
    public: Secret = RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
    return public | {"kid": signing["kid"], "use": "sig", "alg": "RS256", "key_ops": ["verify"]}


def next_set(
    published: list[Secret], signing: Secret | None, following: Secret, now: datetime, life_s: int
) -> list[Secret]:
    """What is published when `following` takes over from `signing`, newest first.

    Args: `life_s` is how long after it has retired a key may still be met in a good token.
    """
    at = int(now.timestamp())
    retiring = [public_half(signing) | {_RETIRED: at}] if signing else []
    gone = {key["kid"] for key in (following, *retiring)}
    # A key that never signed, left by a rotation that broke off, has no such time and is dropped.
    still_good = [
        key for key in published if key["kid"] not in gone and key.get(_RETIRED, 0) + life_s > at
    ]
    return [public_half(following), *retiring, *still_good]


class KeyStore:
    def __init__(self, names: Names) -> None:
        self._signing = names.secret("token-signing")
        self._verification = names.secret("token-verification")

    def read_signing(self) -> Secret | None:
        """None before the first key."""
        return find_object(aws.client("secretsmanager"), self._signing)

    def read_published(self) -> list[Secret]:
        found = find_object(aws.client("secretsmanager"), self._verification)
        keys: list[Secret] = (found or {"keys": []})["keys"]
        return keys

    def publish(self, keys: list[Secret]) -> None:
        self._write(self._verification, {"keys": keys})

    def sign_with(self, key: Secret) -> None:
        self._write(self._signing, key)

    def _write(self, name: str, value: Secret) -> None:
        aws.client("secretsmanager").put_secret_value(SecretId=name, SecretString=json.dumps(value))


@dataclass(frozen=True, slots=True)
class Rotation:
    """`wait` is called with seconds; `life_s` is how long a retired key still counts."""

    keys: KeyStore
    clock: Callable[[], datetime]
    wait: Callable[[float], None]
    life_s: int

    def rotate(self, settle_s: float, *, is_compromised: bool = False) -> tuple[str, list[str]]:
        """Sign with a new key; tokens of the old one stay good until they expire.

        The public half is out before the first token of the new key is: a verifier that meets an
        unknown key looks again, and finds it. A rotation that breaks off in between leaves a key
        that nobody uses, and is done again from the start.
        Args: with `is_compromised` every other key is void at once, and everybody signs in anew
        or refreshes. Returns: (the kid that signs now, all kids that count).
        """
        signing, following = self.keys.read_signing(), new_key()
        published = self.keys.read_published()
        now = self.clock()
        if is_compromised:
            keys = [public_half(following)]
        else:
            keys = next_set(published, signing, following, now, self.life_s)
        self.keys.publish(keys)
        self.wait(settle_s)
        self.keys.sign_with(following)
        log.info("key.rotated", kid=following["kid"], published=len(keys))
        return following["kid"], [key["kid"] for key in keys]
