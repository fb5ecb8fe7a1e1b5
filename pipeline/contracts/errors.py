"""The one tree of expected failures.

ShopError
├── BadRequest            400  the request cannot be understood
├── Unauthenticated       401  no valid token
├── Forbidden             403  a valid token without the role
├── NotFound              404  absent, or not yours
├── Conflict              409  the state does not allow it
│   ├── OutOfStock             lines: [{sku, requested, available}]
│   └── PriceChanged           lines: [{sku, expected, actual}]
├── PreconditionFailed    412  If-Match is stale
├── TooLarge              413  the body is over the limit
├── Unprocessable         422  understood, but a field is wrong
├── PreconditionRequired  428  If-Match is missing
├── TooManyRequests       429  slow down
└── Unavailable           503  a dependency did not answer; may be retried

The HTTP services turn any of them into RFC 9457 problem+json in one handler.
"""

from typing import Any, ClassVar


class ShopError(Exception):
    """An expected failure: `slug` names the problem type, `status` is the HTTP status.

    `errors` is a list of {field, message}; `extensions` are extra members of the problem document.
    """

    slug: ClassVar[str] = "error"
    title: ClassVar[str] = "The request failed"
    status: ClassVar[int] = 500

    def __init__(
        self,
        detail: str = "",
        *,
        errors: list[dict[str, str]] | None = None,
        headers: dict[str, str] | None = None,
        **extensions: Any,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = errors or []
        self.headers = headers or {}
        self.extensions = extensions


class BadRequest(ShopError):
    slug, title, status = "bad-request", "The request is not valid", 400


class Unauthenticated(ShopError):
    slug, title, status = "unauthenticated", "Sign in to do this", 401


class Forbidden(ShopError):
    slug, title, status = "forbidden", "Your account may not do this", 403


class NotFound(ShopError):
    slug, title, status = "not-found", "There is nothing here", 404


class Conflict(ShopError):
    slug, title, status = "conflict", "The current state does not allow this", 409


class OutOfStock(Conflict):
    slug, title = "out-of-stock", "Some lines are out of stock"


class PriceChanged(Conflict):
    slug, title = "price-changed", "A price has changed"


class PreconditionFailed(ShopError):
    slug, title, status = "precondition-failed", "Somebody changed this first", 412


class TooLarge(ShopError):
    slug, title, status = "too-large", "The request body is too large", 413


class Unprocessable(ShopError):
    slug, title, status = "unprocessable", "A field is not valid", 422


class PreconditionRequired(ShopError):
    slug, title, status = "precondition-required", "An If-Match header is required", 428


class TooManyRequests(ShopError):
    slug, title, status = "too-many-requests", "Too many requests", 429


class Unavailable(ShopError):
    slug, title, status = "unavailable", "A dependency did not answer; try again", 503
