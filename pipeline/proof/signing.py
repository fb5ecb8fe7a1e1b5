"""The key that signs reports: in Secrets Manager, made when the first report needs it."""

import json
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from pipeline.contracts.names import Names
from pipeline.runtime import aws, signed_report
from pipeline.runtime.secret_values import find_object
from pipeline.runtime.signed_report import key_id, read_published, to_jwk

SIGNING_KEY = "proof-signing"


def sign(names: Names, report: dict[str, Any]) -> dict[str, Any]:
    """The report with its signature. Raises boto3's errors.

    The public half is out before the first report of its key is.
    """
    secrets = aws.client("secretsmanager")
    key = _find(secrets, names) or _make(secrets, names)
    published = read_published(secrets, names)
    mine = to_jwk(key.public_key())
    if mine["kid"] not in {known["kid"] for known in published}:
        secrets.put_secret_value(
            SecretId=names.secret(signed_report.VERIFICATION_KEYS),
            SecretString=json.dumps({"keys": [mine, *published]}),
        )
    return signed_report.sign(report, key)


def _find(secrets: Any, names: Names) -> Ed25519PrivateKey | None:
    value = find_object(secrets, names.secret(SIGNING_KEY))
    if value is None:
        return None
    key = load_pem_private_key(value["private_pem"].encode(), password=None)
    assert isinstance(key, Ed25519PrivateKey)
    return key


def _make(secrets: Any, names: Names) -> Ed25519PrivateKey:
    """The first key, written under a token that all would use: of two who make one at the same
    moment Secrets Manager refuses the second, who then signs with the first one's."""
    name = names.secret(SIGNING_KEY)
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    try:
        secrets.put_secret_value(
            SecretId=name,
            ClientRequestToken=str(uuid5(NAMESPACE_URL, name)),
            SecretString=json.dumps({"kid": key_id(key.public_key()), "private_pem": pem}),
        )
    except secrets.exceptions.ResourceExistsException:
        pass
    found = _find(secrets, names)
    assert found is not None, "written, or there already"
    return found
