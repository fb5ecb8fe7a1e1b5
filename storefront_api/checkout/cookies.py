"""The guest's identity: a random id in a signed cookie, which is all a guest has."""

from collections.abc import Callable
from functools import cached_property
from typing import Annotated

from fastapi import Depends, Request, Response
from itsdangerous import BadSignature, TimestampSigner

from pipeline.contracts.names import Names
from pipeline.runtime import aws, clock
from storefront_api.checkout.carts import Shopper
from storefront_api.security import MaybePrincipal

COOKIE = "has_cart"
MAX_AGE_S = 30 * 86_400
_PATH = "/api"


def key_from_secret(names: Names) -> Callable[[], str]:
    name = names.secret("cart-signing")

    def read() -> str:
        return str(aws.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"])

    return read


class GuestCookies:
    """Signs and reads the cookie; the key is fetched once, at the first use."""

    def __init__(self, key: Callable[[], str], is_secure: bool) -> None:
        self._key = key
        self._is_secure = is_secure

    @cached_property
    def _signer(self) -> TimestampSigner:
        return TimestampSigner(self._key(), salt=COOKIE)

    def read(self, value: str) -> str | None:
        """The guest's id, or None if the cookie is forged, altered or too old."""
        try:
            return self._signer.unsign(value, max_age=MAX_AGE_S).decode()
        except BadSignature:
            return None

    def write(self, response: Response, guest_id: str) -> None:
        response.set_cookie(
            COOKIE,
            self._signer.sign(guest_id).decode(),
            max_age=MAX_AGE_S,
            path=_PATH,
            secure=self._is_secure,
            httponly=True,
            samesite="lax",
        )

    def clear(self, response: Response) -> None:
        response.delete_cookie(
            COOKIE, path=_PATH, secure=self._is_secure, httponly=True, samesite="lax"
        )


async def find_shopper(request: Request, response: Response, principal: MaybePrincipal) -> Shopper:
    """Who is asking: the user of the token, or else the guest of the cookie.

    A guest gets a cookie with the first change and a fresh one with each later change; merely
    looking sets none. The cookie outlives orders and sign-in, for it alone opens a guest's orders.
    """
    cookies: GuestCookies = request.app.state.guest_cookies
    given = request.cookies.get(COOKIE)
    guest_id = cookies.read(given) if given else None
    is_forged = bool(given) and guest_id is None
    if principal:
        if is_forged:
            cookies.clear(response)
        return Shopper(
            owner=f"user:{principal.user_id}",
            user_id=principal.user_id,
            guest=f"guest:{guest_id}" if guest_id else None,
            is_operator=principal.role in {"operator", "admin"},
        )
    guest_id = guest_id or clock.new_id()
    if is_forged or request.method != "GET":
        cookies.write(response, guest_id)
    return Shopper(owner=f"guest:{guest_id}", guest=f"guest:{guest_id}")


CurrentShopper = Annotated[Shopper, Depends(find_shopper)]
