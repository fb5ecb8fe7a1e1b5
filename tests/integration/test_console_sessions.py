"""The console's sessions against the real users service: renewal, sign-out, the cookie's route."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest

from console import settings
from console.queries import edge
from console.sessions import SessionStore, access_token
from tests.conftest import Stack

PASSWORD = "demo-Shop-2026!"


def test_an_access_token_near_its_end_is_renewed_once_for_all_who_ask(stack: Stack) -> None:
    settings.settings.cache_clear()
    edge._client.cache_clear()
    store = SessionStore()
    secret, _ = store.sign_in("analyst@demo.shop", PASSWORD)
    session = store.find(secret)
    assert session is not None
    first = session.tokens
    session.tokens = replace(first, expires_at=time.time() + 1)
    with ThreadPoolExecutor(6) as pool:
        tokens = set(pool.map(lambda _: access_token(session), range(6)))
    assert len(tokens) == 1
    assert tokens != {first.access}
    assert edge.get("/api/users/me", tokens.pop())["role"] == "analyst"

    store.sign_out(secret)
    session.tokens = replace(session.tokens, expires_at=0)
    with pytest.raises(edge.SignedOut):
        access_token(session)
    edge._client().close()


def test_a_ticket_sets_a_cookie_once_and_only_for_our_own_page(stack: Stack) -> None:
    url = f"{stack.console_url}/session"
    assert httpx.post(url, content="made-up").status_code == 403
    refused = httpx.post(url, content="made-up", headers={"X-Has-Console": "1"})
    assert (refused.status_code, refused.headers.get("set-cookie")) == (410, None)
