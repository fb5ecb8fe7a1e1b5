"""Sessions as items of the ops table, so that they outlive a console and end everywhere at once.

The key is a hash of the cookie's secret, and the tokens are encrypted with a key made from that
secret: who can read the table can neither act as the person nor find the cookie.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from cryptography.fernet import Fernet, InvalidToken

from console.queries import clients
from console.queries.edge import Tokens, Unreachable
from console.settings import settings
from pipeline.contracts import keys
from pipeline.runtime.clock import now

T = TypeVar("T")
_CLAIM_S = 10


@dataclass(frozen=True, slots=True)
class Row:
    """`version` grows with each renewal of the tokens."""

    name: str
    email: str
    role: str
    tokens: Tokens
    ends_at: float
    version: int


def put(secret: str, row: Row) -> None:
    """Raises Unreachable."""
    item = {
        **keys.console_session(_digest(secret)),
        "name": row.name,
        "email": row.email,
        "role": row.role,
        "sealed_tokens": _seal(secret, row.tokens),
        "version": row.version,
        "expires_at_epoch_s": int(row.ends_at),
    }
    _asked(lambda: _ops().put_item(Item=item))


def find(secret: str) -> Row | None:
    """None for a session that was never there, has ended, or was signed out. Raises Unreachable."""
    key = keys.console_session(_digest(secret))
    answer = _asked(lambda: _ops().get_item(Key=key, ConsistentRead=True))
    item = clients.plain(answer.get("Item") or {})
    # DynamoDB deletes what has expired some time later.
    if not item or item["expires_at_epoch_s"] <= now().timestamp():
        return None
    tokens = _unseal(secret, str(item["sealed_tokens"]))
    if tokens is None:
        return None
    return Row(
        item["name"], item["email"], item["role"], tokens,
        float(item["expires_at_epoch_s"]), item["version"],
    )  # fmt: skip


def claim_renewal(secret: str, version: int) -> bool:
    """Whether this console shall renew the tokens of that version: two would end the family."""
    at = int(now().timestamp())
    return _changed(
        secret,
        "SET renewing_until = :until",
        "version = :version AND (attribute_not_exists(renewing_until) OR renewing_until < :at)",
        {":until": at + _CLAIM_S, ":at": at, ":version": version},
    )


def drop_claim(secret: str, version: int) -> None:
    _changed(secret, "REMOVE renewing_until", "version = :version", {":version": version})


def renew(secret: str, tokens: Tokens, version: int) -> bool:
    """The tokens after those of `version`; False when the session was signed out meanwhile."""
    return _changed(
        secret,
        "SET sealed_tokens = :tokens, version = :next REMOVE renewing_until",
        "version = :version",
        {":tokens": _seal(secret, tokens), ":next": version + 1, ":version": version},
    )


def delete(secret: str) -> None:
    """Raises Unreachable."""
    _asked(lambda: _ops().delete_item(Key=keys.console_session(_digest(secret))))


def _changed(secret: str, update: str, condition: str, values: dict[str, Any]) -> bool:
    table = _ops()
    try:
        _asked(
            lambda: table.update_item(
                Key=keys.console_session(_digest(secret)),
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeValues=values,
            )
        )
    except table.meta.client.exceptions.ConditionalCheckFailedException:
        return False
    return True


def _asked(call: Callable[[], T]) -> T:
    try:
        return call()
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") == "ConditionalCheckFailedException":
            raise
        raise Unreachable(f"The ops table does not answer ({type(error).__name__}).") from None
    except BotoCoreError as error:
        raise Unreachable(f"The ops table does not answer ({type(error).__name__}).") from None


def _ops() -> Any:
    return clients.table(settings().names.table("ops"))


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


def _cipher(secret: str) -> Fernet:
    # The secret has 256 random bits, so a plain hash of it is a good key; the prefix keeps the key
    # apart from the item's own, which is the hash without it.
    return Fernet(urlsafe_b64encode(sha256(b"console session tokens:" + secret.encode()).digest()))


def _seal(secret: str, tokens: Tokens) -> str:
    return _cipher(secret).encrypt(json.dumps(asdict(tokens)).encode()).decode()


def _unseal(secret: str, sealed: str) -> Tokens | None:
    try:
        return Tokens(**json.loads(_cipher(secret).decrypt(sealed.encode())))
    except (InvalidToken, TypeError, ValueError):
        return None
