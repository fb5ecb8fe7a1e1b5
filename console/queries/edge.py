"""The shop's own API, through the edge, with the signed-in person's token."""

import time
from dataclasses import dataclass
from functools import cache
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import quote

import httpx

from console.settings import settings
from pipeline.runtime.clock import new_id

_TIMEOUT = httpx.Timeout(6.0, connect=1.5)


class Unreachable(Exception):
    """The edge, or a service behind it, does not answer; the text is for the person."""


class SignedOut(Exception):
    """The session cannot be renewed: the person has to sign in again."""


class Problem(Exception):
    """The API refused: its problem document's `status` and `detail`."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Tokens:
    """`expires_at` in epoch seconds; `cookies` is the header that carries the refresh token."""

    access: str
    expires_at: float
    cookies: str


@cache
def _client() -> httpx.Client:
    limits = httpx.Limits(max_connections=16)
    return httpx.Client(base_url=settings().edge_url, timeout=_TIMEOUT, limits=limits)


def call(
    method: str,
    path: str,
    *,
    token: str | None = None,
    headers: dict[str, str] | None = None,
    **options: Any,
) -> httpx.Response:
    """One request. Raises Unreachable (no answer, or 5xx), SignedOut (401), Problem (other 4xx)."""
    sent = {"X-Correlation-Id": new_id(), **(headers or {})}
    if token:
        sent["Authorization"] = f"Bearer {token}"
    try:
        response = _client().request(method, path, headers=sent, **options)
    except httpx.HTTPError as error:
        raise Unreachable(f"The shop's edge does not answer ({type(error).__name__}).") from None
    finally:
        _client().cookies.clear()  # the client is everybody's; cookies belong to one session
    if response.status_code >= 500:
        service = quote(path.split("/")[2] if path.count("/") > 2 else path)
        raise Unreachable(f"The {service} service is not available ({response.status_code}).")
    if response.status_code == 401 and token:
        raise SignedOut
    if response.status_code >= 400:
        raise Problem(response.status_code, _detail(response))
    return response


def get(path: str, token: str, **params: Any) -> dict[str, Any]:
    """The JSON object at `path`; parameters that are None are left out."""
    query = {name: value for name, value in params.items() if value is not None}
    answer = call("GET", path, token=token, params=query).json()
    if not isinstance(answer, dict):
        raise Unreachable(f"{path} did not answer with an object.")
    return answer


def log_in(email: str, password: str) -> tuple[dict[str, Any], Tokens]:
    """(the user, tokens). Raises Problem when refused, Unreachable."""
    body = {"email": email, "password": password}
    response = call("POST", "/api/users/login", json=body)
    return dict(response.json().get("user") or {}), _tokens(response, "")


def renew(tokens: Tokens) -> Tokens:
    """Raises SignedOut when the refresh token is spent, Problem when it is busy, Unreachable."""
    try:
        response = call("POST", "/api/users/refresh", headers={"Cookie": tokens.cookies})
    except Problem as problem:
        if problem.status == 401:
            raise SignedOut from None
        raise
    return _tokens(response, tokens.cookies)


def log_out(tokens: Tokens) -> None:
    """Revokes the refresh token as far as possible; never raises."""
    headers = {"Cookie": tokens.cookies}
    try:
        call("POST", "/api/users/logout", token=tokens.access, headers=headers)
    except (Unreachable, SignedOut, Problem):
        return


def _tokens(response: httpx.Response, cookies: str) -> Tokens:
    body = response.json()
    jar: SimpleCookie = SimpleCookie()
    for header in response.headers.get_list("set-cookie"):
        jar.load(header)
    sent = "; ".join(f"{morsel.key}={morsel.coded_value}" for morsel in jar.values())
    expires_at = time.time() + float(body.get("expires_in", 900))
    return Tokens(str(body["access_token"]), expires_at, sent or cookies)


def _detail(response: httpx.Response) -> str:
    try:
        document = response.json()
        faults = "; ".join(f"{e['field']}: {e['message']}" for e in document.get("errors") or [])
        return str(faults or document.get("detail") or document.get("title"))
    except (ValueError, KeyError, AttributeError, TypeError):
        return f"The request was refused ({response.status_code})."
