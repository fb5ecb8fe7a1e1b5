"""The console's sessions and its audit log against the real users service and the ops table."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256

import httpx
import pytest
from console_page import PASSWORD, audit_entries

from console import actions
from console.audit import Failed, Refused
from console.queries import edge
from console.sessions import Refused as NotSignedIn
from console.sessions import Session, SessionStore, access_token
from console.settings import settings
from pipeline.contracts import keys
from pipeline.runtime.clock import new_id
from tests.conftest import Stack, wait_until


@pytest.fixture(autouse=True, scope="module")
def this_stack(stack: Stack) -> Iterator[None]:
    """What the console knows of its surroundings in this process is this stack."""
    settings.cache_clear()
    edge._client.cache_clear()
    yield
    edge._client().close()
    edge._client.cache_clear()


def signed_in(store: SessionStore, who: str = "analyst") -> Session:
    secret, _ = store.sign_in(f"{who}@demo.shop", PASSWORD)
    session = store.find(secret)
    assert session is not None
    return session


def test_an_access_token_near_its_end_is_renewed_once_for_all_who_ask() -> None:
    here, there = SessionStore(), SessionStore()
    session = signed_in(here)
    copy = there.find(session.secret)  # another console of the same person
    assert copy is not None
    first = session.tokens
    session.tokens = copy.tokens = replace(first, expires_at=time.time() + 1)
    with ThreadPoolExecutor(6) as pool:
        tokens = set(pool.map(access_token, [session, copy] * 3))
    assert len(tokens) == 1
    assert tokens != {first.access}
    assert edge.get("/api/users/me", tokens.pop())["role"] == "analyst"

    here.sign_out(session.secret)
    session.tokens = replace(session.tokens, expires_at=0)
    with pytest.raises(edge.SignedOut):
        access_token(session)


def test_a_session_is_known_to_consoles_started_later_until_it_is_signed_out_on_any() -> None:
    session = signed_in(SessionStore())
    later, other = SessionStore(), SessionStore()
    found = later.find(session.secret)
    assert found is not None
    assert (found.email, found.role) == ("analyst@demo.shop", "analyst")
    assert edge.get("/api/users/me", access_token(found))["email"] == "analyst@demo.shop"
    assert other.find(session.secret) is not None
    assert other.sign_out(session.secret)
    wait_until(lambda: later.find(session.secret) is None, timeout_s=6)
    assert SessionStore().find(session.secret) is None
    with pytest.raises(edge.SignedOut):
        edge.renew(session.tokens)


def test_the_kept_item_tells_neither_the_tokens_nor_the_cookie(stack: Stack) -> None:
    session = signed_in(SessionStore())
    key = keys.console_session(sha256(session.secret.encode()).hexdigest())
    item = stack.table("ops").get_item(Key=key)["Item"]
    refresh = session.tokens.cookies.partition("=")[2]
    assert len(refresh) > 20
    for secret in (session.secret, session.tokens.access, refresh):
        assert secret not in str(item)
    assert item["expires_at_epoch_s"] == int(session.ends_at)
    stranger = SessionStore()
    assert stranger.find(str(item["pk"]).rpartition("#")[2]) is None
    assert stranger.find("made-up") is None


def test_a_ticket_sets_a_cookie_once_and_only_for_our_own_page(stack: Stack) -> None:
    url = f"{stack.console_url}/session"
    assert httpx.post(url, content="made-up").status_code == 403
    refused = httpx.post(url, content="made-up", headers={"X-Has-Console": "1"})
    assert (refused.status_code, refused.headers.get("set-cookie")) == (410, None)
    for path, headers in (("session", {"X-Has-Console": "1"}), ("painted", {})):
        long = httpx.post(f"{stack.console_url}/{path}", content=b"x" * 10_000, headers=headers)
        assert long.status_code == 413


def test_an_entry_of_the_audit_log_tells_how_the_action_ended(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SessionStore()
    analyst, operator = signed_in(store), signed_in(store, "operator")
    with pytest.raises(Refused, match="Only an operator"):
        actions.act_on_replica(analyst, "stop", "catalog-b")
    actions.act_on_replica(operator, "start", "catalog-b")  # it runs: that is no fault
    monkeypatch.setenv("HAS_SUPERVISOR_SOCKET", "nowhere.sock")
    settings.cache_clear()
    with pytest.raises(Failed, match="Supervisor does not answer"):
        actions.act_on_replica(operator, "start", "catalog-b")
    monkeypatch.undo()
    settings.cache_clear()
    (failed, ok, *_), (refused, *_) = (
        audit_entries(stack, "replica.start"), audit_entries(stack, "replica.stop"),
    )  # fmt: skip
    assert [entry["result"] for entry in (ok, refused, failed)] == ["ok", "refused", "failed"]
    assert (refused["actor"], refused["role"]) == ("analyst@demo.shop", "analyst")
    assert "Only an operator" in refused["detail"]
    assert "Supervisor does not answer" in failed["detail"]


def test_sign_ins_are_entries_whether_they_worked_or_not(stack: Stack) -> None:
    nobody = f"{new_id()}@demo.shop".lower()
    with pytest.raises(NotSignedIn, match="not right"):
        SessionStore().sign_in(nobody, PASSWORD)
    with pytest.raises(NotSignedIn, match="shopper's account"):
        SessionStore().sign_in("shopper@demo.shop", PASSWORD)
    shopper, stranger, *_ = audit_entries(stack, "sign-in")
    assert [(e["actor"], e["result"]) for e in (shopper, stranger)] == [
        ("shopper@demo.shop", "refused"), (nobody, "refused"),
    ]  # fmt: skip
