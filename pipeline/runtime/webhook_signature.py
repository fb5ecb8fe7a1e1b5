"""Signs webhooks and checks their signatures, as Stripe does.

`t=<epoch s>,v1=<hex HMAC-SHA256 of "<t>.<body>">`; several `v1` are allowed while a secret is being
changed. The time is part of what is signed, so that an old message cannot be sent again as new.
Source: Stripe, "Verify webhook signatures manually".
"""

import hmac
import re
from hashlib import sha256

HEADER = "Payment-Signature"
TOLERANCE_S = 300
_MAX_LENGTH = 512
_FORM = re.compile(r"t=(\d{1,12})((?:,v1=[0-9a-f]{64})+)")


class BadSignature(Exception):
    """The message is not from who it says, or too old; the text says which."""


def sign(secret: str, body: bytes, at_epoch_s: int) -> str:
    return f"t={at_epoch_s},v1={_digest(secret, body, at_epoch_s)}"


def verify(secret: str, body: bytes, header: str | None, now_epoch_s: int) -> None:
    """Raises BadSignature."""
    form = _FORM.fullmatch((header or "")[:_MAX_LENGTH])
    if form is None:
        raise BadSignature(f"{HEADER}: expected t=<seconds>,v1=<hex>")
    at_epoch_s = int(form[1])
    expected = _digest(secret, body, at_epoch_s)
    given = form[2].split(",v1=")[1:]
    # Every one is compared, in the same time whatever it is.
    if not sum(hmac.compare_digest(expected, one) for one in given):
        raise BadSignature(f"{HEADER}: signed with another secret, or the body was changed")
    if abs(now_epoch_s - at_epoch_s) > TOLERANCE_S:
        raise BadSignature(f"{HEADER}: signed over {TOLERANCE_S} s ago, or in the future")


def _digest(secret: str, body: bytes, at_epoch_s: int) -> str:
    return hmac.new(secret.encode(), f"{at_epoch_s}.".encode() + body, sha256).hexdigest()
