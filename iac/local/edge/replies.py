"""What the edge says when it answers itself: the same problem+json as the services."""

from pathlib import Path

from iac.local.edge.types import Json, message_of, set_header

_AWAY = Path(__file__).with_name("away.html")
# Envoy takes a percent sign for the beginning of a command.
_AWAY_PAGE = _AWAY.read_text(encoding="utf-8").replace("%", "%%")
_MEDIA_TYPE = "application/problem+json"
SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "strict-origin-when-cross-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
# status → (slug, title, detail); the slugs of pipeline/contracts/errors.py where there is one.
_PROBLEMS = {
    400: ("bad-request", "The request is not valid", "The request could not be read as HTTP"),
    404: ("not-found", "There is nothing here", "No page, picture or route has this address"),
    405: ("method-not-allowed", "This method is not allowed here", "Pages are read with GET"),
    408: ("timeout", "The request took too long to arrive", "Send the request again"),
    413: ("too-large", "The request body is too large", "At most 1048576 bytes"),
    429: ("too-many-requests", "Too many requests", "Wait a moment, then try again"),
    431: (
        "headers-too-large",
        "The request headers are too large",
        "Send fewer or shorter headers",
    ),
    502: ("bad-gateway", "A service answered with nonsense", "Try again"),
    503: ("unavailable", "A dependency did not answer; try again", "No replica could answer"),
    504: (
        "timeout",
        "A service took too long",
        "Try again; an order sent with a key is not doubled",
    ),
}


def local_replies() -> Json:
    """A page for people, a mapper for each status, and a general body for the rest."""
    return {
        "mappers": [_page(), *(_mapper(status) for status in _PROBLEMS)],
        "body_format": _format(_body("%RESPONSE_CODE%", "error", "The request failed", "")),
    }


def hidden_bucket_errors(headers: dict[str, str]) -> Json:
    """Per-route configuration: a missing object is our 404, not the bucket's XML."""
    status_is_404 = {
        "single_predicate": {
            "input": {
                "name": "status",
                "typed_config": message_of("type.matcher.v3.HttpResponseStatusCodeMatchInput"),
            },
            "value_match": {"exact": "404"},
        }
    }
    headers = (
        SECURITY_HEADERS
        | headers
        | {
            "cache-control": "no-store",
            "x-correlation-id": "%REQ(X-CORRELATION-ID)%",
        }
    )
    policy = message_of(
        "extensions.http.custom_response.local_response_policy.v3.LocalResponsePolicy",
        status_code=404,
        body_format=_format(_body(404, *_PROBLEMS[404])),
        # This answer passes no other filter on its way out.
        response_headers_to_add=[set_header(key, value) for key, value in headers.items()],
    )
    matcher = {
        "predicate": status_is_404,
        "on_match": {"action": {"name": "not-found", "typed_config": policy}},
    }
    return message_of(
        "extensions.filters.http.custom_response.v3.CustomResponse",
        custom_response_matcher={"matcher_list": {"matchers": [matcher]}},
    )


def _page() -> Json:
    """Whoever opens a page of a shop that is away gets one; programs get problems."""
    asks_for_a_page = {"name": "accept", "string_match": {"contains": "text/html"}}
    of_a_service = {"name": ":path", "string_match": {"prefix": "/api/"}, "invert_match": True}
    is_away = {"op": "GE", "value": {"default_value": 500, "runtime_key": "edge.reply.page"}}
    return {
        "filter": {
            "and_filter": {
                "filters": [
                    {"status_code_filter": {"comparison": is_away}},
                    {"header_filter": {"header": asks_for_a_page}},
                    {"header_filter": {"header": of_a_service}},
                ]
            }
        },
        "body_format_override": {
            "text_format_source": {"inline_string": _AWAY_PAGE},
            "content_type": "text/html; charset=utf-8",
        },
        "headers_to_add": [
            set_header("retry-after", "10"),
            set_header("cache-control", "no-store"),
        ],
    }


def _mapper(status: int) -> Json:
    return {
        "filter": {
            "status_code_filter": {
                "comparison": {
                    "op": "EQ",
                    "value": {"default_value": status, "runtime_key": f"edge.reply.{status}"},
                }
            }
        },
        "body_format_override": _format(_body(status, *_PROBLEMS[status])),
        "headers_to_add": [set_header("retry-after", "1")] if status in (429, 503) else [],
    }


def _body(status: int | str, slug: str, title: str, detail: str) -> Json:
    return {
        "type": f"/problems/{slug}",
        "title": title,
        "status": status,
        "detail": detail or title,
        "instance": "%PATH(NQ)%",
        "correlation_id": "%REQ(X-CORRELATION-ID)%",
        "errors": [{"field": "body", "message": detail}] if status == 413 else [],
    }


def _format(body: Json) -> Json:
    return {"json_format": body, "content_type": _MEDIA_TYPE}
