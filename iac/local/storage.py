"""Buckets, secrets, and the Glue database of the lake."""

import json
import secrets as randomness
from collections.abc import Callable

from iac.local.aws import Clients
from iac.local.topology import Outcome, Topology
from storefront_api.users.signing_keys import new_key, public_half


def apply_bucket(clients: Clients, name: str) -> Outcome:
    s3 = clients("s3")
    if name in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}:
        return Outcome("bucket", name, "unchanged")
    region = s3.meta.region_name
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})
    return Outcome("bucket", name, "created")


def apply_glue_database(clients: Clients, name: str) -> Outcome:
    glue = clients("glue")
    try:
        glue.get_database(Name=name)
    except glue.exceptions.EntityNotFoundException:
        glue.create_database(DatabaseInput={"Name": name, "Description": "The lake"})
        return Outcome("database", name, "created")
    return Outcome("database", name, "unchanged")


def apply_secrets(clients: Clients, topology: Topology) -> list[Outcome]:
    """Make each secret that is absent; one that exists is never touched.

    `token-signing` is {kid, private_pem}, `token-verification` the JWKS of its public half,
    the others 32 random bytes in hexadecimal. Those of the proof are empty until it signs its
    first report, as they are on AWS.
    """
    makers: dict[str, Callable[[], str] | None] = {
        "token-signing": lambda: json.dumps(new_key()),
        "token-verification": lambda: json.dumps(
            {"keys": [public_half(_value(clients, topology.names.secret("token-signing")))]}
        ),
        "cart-signing": _random_key,
        "payment-gateway": _random_key,
        "payment-webhook": _random_key,
        "proof-signing": None,
        "proof-verification": None,
    }
    assert makers.keys() == topology.secrets.keys(), "each declared secret has its maker"
    return [
        _apply_secret(clients, topology.names.secret(short), makers[short])
        for short in makers  # in order: the key set is made from the signing key
    ]


def _apply_secret(clients: Clients, name: str, make: Callable[[], str] | None) -> Outcome:
    manager = clients("secretsmanager")
    try:
        manager.describe_secret(SecretId=name)
    except manager.exceptions.ResourceNotFoundException:
        manager.create_secret(Name=name, **({"SecretString": make()} if make else {}))
        return Outcome("secret", name, "created")
    return Outcome("secret", name, "unchanged")


def _value(clients: Clients, name: str) -> dict[str, str]:
    text = clients("secretsmanager").get_secret_value(SecretId=name)["SecretString"]
    value: dict[str, str] = json.loads(text)
    return value


def _random_key() -> str:
    return randomness.token_hex(32)
