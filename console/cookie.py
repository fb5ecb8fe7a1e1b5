"""The session's cookie: set by a route, asked for by an invisible piece of the page."""

from typing import Any

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from console.sessions import SESSION_TTL_S, STORE
from console.settings import settings
from console.small_body import read_text

_MAX_TICKET = 128


def name() -> str:
    """Browsers share cookies between the ports of a host, so the name carries the port."""
    return f"has_console_{settings().stage}_{st.get_option('server.port')}"


async def _claim(request: Request) -> Response:
    # A header that no form of another site can send keeps others from signing a browser in.
    if request.headers.get("x-has-console") != "1":
        return Response(status_code=403)
    ticket = await read_text(request, _MAX_TICKET)
    response = Response(status_code=204, headers={"Cache-Control": "no-store"})
    secret = STORE.claim(ticket)
    if secret is None:
        return Response(status_code=410)
    is_https = request.headers.get("x-forwarded-proto", request.url.scheme) == "https"
    response.set_cookie(
        name(),
        secret,
        max_age=SESSION_TTL_S,
        path="/",
        httponly=True,
        secure=is_https,
        samesite="strict",
    )
    return response


ROUTES = [Route("/session", _claim, methods=["POST"])]

_JS = """
let posted = "";
export default function ({ data }) {
  if (!data.ticket || data.ticket === posted) return;
  posted = data.ticket;
  fetch("/session", {
    method: "POST",
    headers: { "X-Has-Console": "1" },
    body: data.ticket,
    credentials: "same-origin",
    keepalive: true,
  });
}
"""


def post_ticket(ticket: str | None) -> None:
    """Have the page post the ticket, once. To be called in each drawing, also without one: else
    what follows would move up a place, and what live parts are drawing then would miss theirs."""
    mount: Any = st.components.v2.component("session_cookie", js=_JS)
    mount(key="session-cookie", data={"ticket": ticket or ""}, height=1)
