"""A body as people may see it: bounded, without control characters, personal data masked."""

import json
import re
from typing import Any

MAX_SHOWN = 6_000
MASK = "•••"
# Names of fields that hold a person's data or a secret, whatever the value looks like.
_PERSONAL = frozenset({
    "email", "name", "first_name", "last_name", "phone", "line1", "line2", "city", "postal_code",
    "address", "shipping_address", "billing_address", "card_token", "card", "password", "token",
    "access_token", "refresh_token", "authorization", "cookie", "ip", "ip_address", "owner",
})  # fmt: skip
_PATTERNS = (
    re.compile(r"[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+"),
    re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"),
    re.compile(r"\btok_\w+"),
    re.compile(r"(?<![\d-])(?:\d[ -]?){13,19}(?![\d-])"),
    re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])"),
)
_MAX_DEPTH = 40


def shown(body: str, limit: int = MAX_SHOWN) -> str:
    """Pretty JSON where it is JSON, masked and cut; what is cut off is said."""
    try:
        document = json.loads(body)
        text = json.dumps(_masked(document), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        # No JSON to mask by name: a name and a value that are still legible are masked by pattern.
        text = _named(words(body))
    text = "".join(sign if sign == "\n" or sign.isprintable() else "�" for sign in text)
    left = len(text) - limit
    return text if left <= 0 else f"{text[:limit]}\n… {left:,} more characters"


def words(text: str) -> str:
    """Text in which addresses, cards, tokens and network addresses are masked."""
    for pattern in _PATTERNS:
        text = pattern.sub(MASK, text)
    return text


def _named(text: str) -> str:
    names = "|".join(sorted(_PERSONAL, key=len, reverse=True))
    return re.sub(
        rf'(?i)("(?:{names})"\s*:\s*)(?:"(?:[^"\\]|\\.)*"?|[^",}}\]\s]+)', rf'\1"{MASK}"', text
    )


def _masked(value: Any, depth: int = 0) -> Any:
    if depth > _MAX_DEPTH:
        return "…"
    if isinstance(value, dict):
        return {
            words(name): MASK
            if name.lower() in _PERSONAL and inner not in (None, "")
            else _masked(inner, depth + 1)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_masked(inner, depth + 1) for inner in value]
    return words(value) if isinstance(value, str) else value
