"""A report that cannot be changed unnoticed: Ed25519 over its canonical JSON, embedded in it.

`signature` is {algorithm, key_id, value}, where the value is the Base64 of 64 bytes. What is signed
is everything else of the report as canonical JSON: keys sorted, no blanks, ASCII, as
`json.dumps(report, sort_keys=True, separators=(",", ":"))` writes it. The public keys are a JWKS in
the secret `proof-verification` (RFC 8037): who checks need not be able to sign.
"""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pipeline.contracts.names import Names
from pipeline.runtime.secret_values import find_object

ALGORITHM = "Ed25519"
SIGNATURE = "signature"
VERIFICATION_KEYS = "proof-verification"
Report = Mapping[str, Any]
Jwk = dict[str, Any]


class NotVerified(Exception):
    """The report is not as somebody with the shop's key signed it; the text says which."""


def sign(report: Report, key: Ed25519PrivateKey) -> dict[str, Any]:
    """The report with its signature; one that it had is replaced."""
    signature = {
        "algorithm": ALGORITHM,
        "key_id": key_id(key.public_key()),
        "value": base64.b64encode(key.sign(_canonical(report))).decode(),
    }
    return {**report, SIGNATURE: signature}


def verify(report: Report, published: Sequence[Jwk]) -> str:
    """The id of the key that signed it. Raises NotVerified."""
    signature = report.get(SIGNATURE)
    if not isinstance(signature, Mapping):
        raise NotVerified("it carries no signature")
    if signature.get("algorithm") != ALGORITHM:
        raise NotVerified(f"its algorithm is not {ALGORITHM}")
    kid = str(signature.get("key_id"))
    known = next((key for key in published if key.get("kid") == kid), None)
    if known is None:
        raise NotVerified(f"it names the key {kid[:40]}, which is none of this shop's")
    try:
        value = base64.b64decode(str(signature.get("value")), validate=True)
        _public_key(known).verify(value, _canonical(report))
    except (InvalidSignature, binascii.Error):
        raise NotVerified(
            f"it is not what the key {kid} signed: something was changed afterwards"
        ) from None
    return kid


def key_id(key: Ed25519PublicKey) -> str:
    """Sixteen hexadecimal digits that follow from the key itself."""
    return sha256(_raw(key)).hexdigest()[:16]


def to_jwk(key: Ed25519PublicKey) -> Jwk:
    x = base64.urlsafe_b64encode(_raw(key)).decode().rstrip("=")
    return {"kty": "OKP", "crv": ALGORITHM, "x": x, "kid": key_id(key), "use": "sig"}


def read_published(secrets: Any, names: Names) -> list[Jwk]:
    """The shop's public keys; none before the first signature. Raises boto3's errors.

    Args: `secrets` is a client of Secrets Manager.
    """
    value = find_object(secrets, names.secret(VERIFICATION_KEYS)) or {"keys": []}
    keys: list[Jwk] = value["keys"]
    return keys


def _canonical(report: Report) -> bytes:
    unsigned = {name: value for name, value in report.items() if name != SIGNATURE}
    return json.dumps(unsigned, sort_keys=True, separators=(",", ":")).encode()


def _public_key(jwk: Jwk) -> Ed25519PublicKey:
    x = str(jwk["x"])
    return Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(x + "=" * (-len(x) % 4)))


def _raw(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)
