"""Entity tags: conditional reads (304) and optimistic edits (428, 412)."""

import re
from collections.abc import Mapping

from fastapi import Request, Response

from pipeline.contracts.errors import PreconditionFailed, PreconditionRequired

_TAG = re.compile(r'(?:W/)?"([^"]*)"')
_EDIT_TAG = re.compile(r'(?:W/)?"(\d{1,15})(?:-[0-9a-f]+)?"')


def cached_json(
    request: Request, body: bytes, etag: str, cache_control: str, headers: Mapping[str, str] = {}
) -> Response:
    """The body, or 304 when the client holds this very representation."""
    headers = {"ETag": etag, "Cache-Control": cache_control, **headers}
    if is_held(request, etag):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def is_held(request: Request, etag: str) -> bool:
    """Weak comparison, as RFC 9110 (section 13.1.2) asks for If-None-Match."""
    given = request.headers.get("if-none-match", "")
    return given.strip() == "*" or etag.removeprefix("W/").strip('"') in _TAG.findall(given)


def expected_version(if_match: str | None) -> int | None:
    """The version an edit was made from; None for `*`.

    A proxy that compresses turns a strong tag into a weak one, so both are taken.
    Raises PreconditionRequired without one, PreconditionFailed for one that was never given out.
    """
    if not if_match:
        raise PreconditionRequired(
            "Send the ETag of the product you edited as If-Match",
            errors=[{"field": "If-Match", "message": "required"}],
        )
    if if_match.strip() == "*":
        return None
    match = _EDIT_TAG.fullmatch(if_match.strip())
    if match is None:
        raise PreconditionFailed(
            "If-Match is not an ETag of this product",
            errors=[{"field": "If-Match", "message": "not an ETag of this product"}],
        )
    return int(match.group(1))
