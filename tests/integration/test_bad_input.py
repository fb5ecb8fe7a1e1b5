"""A corpus of what nobody should send, at every route that takes it: each gets its 4xx, as a
problem of ours, which no browser takes for a page."""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

import httpx
import pytest

from iac.local.ports import ROOT
from pipeline.contracts import keys
from pipeline.runtime.clock import new_id
from tests.conftest import Stack
from tests.integration.users_door import PASSWORD

SERVICES = ("analytics", "catalog", "checkout", "users")
NOTHING = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
HEADERS = {
    "X-Synthetic": "1", "If-Match": "*", "Idempotency-Key": "corpus",
    "Content-Type": "application/json",
}  # fmt: skip
DEEP = 2_000  # beyond any parser's recursion, below the smallest body limit

# Whatever a route expects, none of these is it. (name, body, statuses one of which is right)
BODIES: list[tuple[str, bytes, set[int]]] = [
    ("nothing", b"", {422}),
    ("no JSON", b"{not json", {400}),
    ("half a document", b'{"email": "a@b.c', {400}),
    ("no text", b"\xff\xfe\x00\x01", {400}),
    ("lists in lists", b"[" * DEEP + b"]" * DEEP, {400, 422}),
    ("objects in objects", b'{"a":' * DEEP + b"1" + b"}" * DEEP, {400, 422}),
    ("a list", b"[]", {422}),
    ("a text", b'"text"', {422}),
    ("a number", b"1e400", {400, 422}),
    ("many digits", b"9" * 5_000, {400, 422}),
    ("null", b"null", {422}),
    ("not a number", b"NaN", {400, 422}),
    ("an object of nothing known", b'{"__proto__": {}, "$where": "1", "\\u0000": 1}', {422}),
    ("too much", b'{"a": "' + b"x" * 2_000_000 + b'"}', {413}),
]
# In a path these name nothing, and must reach nothing else.
NAMES = [
    "..%2F..%2Fetc%2Fpasswd", "%00", "'%20OR%20'1'='1", "%3Cscript%3Ealert(1)%3C%2Fscript%3E",
    "$%7Bjndi:ldap:x%7D", "%7B%7B7*7%7D%7D", "%E2%80%AEtxt.exe", "%ED%A0%80", "%F0%9F%91%97",
    "A" * 2_000, "-1", "NaN", "%0d%0aSet-Cookie:%20a=b", "*", "%25s%25n",
]  # fmt: skip


def _operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for service in SERVICES:
        document = json.loads((ROOT / f"docs/contracts/openapi/{service}.json").read_text())
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                yield method.upper(), path, operation


# A notice of the card gateway is asked for its signature before anybody reads it.
SIGNED = "/api/checkout/payments/webhook"
WITH_BODY = [
    (method, path)
    for method, path, operation in _operations()
    if "application/json" in operation.get("requestBody", {}).get("content", {})
    and operation["requestBody"].get("required")
    and path != SIGNED
]
WITH_NAME = [(m, path) for m, path, _ in _operations() if m == "GET" and "{" in path]


@pytest.fixture(scope="module")
def operator(stack: Stack) -> Iterator[httpx.Client]:
    """Somebody who may call everything, so that no refusal hides another."""
    person = {"email": f"{new_id().lower()}@shop.test", "password": PASSWORD}
    with stack.http() as http:
        user = http.post("/api/users/register", json=person | {"name": "Corpus"}).json()["user"]
        stack.table("users").update_item(
            Key=dict(keys.user(user["user_id"])),
            UpdateExpression="SET #role = :role",
            ExpressionAttributeNames={"#role": "role"},
            ExpressionAttributeValues={":role": "admin"},
        )
        token = http.post("/api/users/login", json=person).json()["access_token"]
        http.headers.update(HEADERS | {"Authorization": f"Bearer {token}"})
        yield http


@pytest.mark.parametrize(("method", "path"), WITH_BODY, ids=lambda part: str(part))
def test_a_bad_body_gets_its_refusal(operator: httpx.Client, method: str, path: str) -> None:
    url = re.sub(r"\{\w+\}", NOTHING, path)
    wrong = []
    for name, body, statuses in BODIES:
        answer = operator.request(method, url, content=body)
        if answer.status_code not in statuses or not _is_problem(answer):
            wrong.append((name, answer.status_code, answer.text[:200]))
    assert wrong == []


@pytest.mark.parametrize(("method", "path"), WITH_NAME, ids=lambda part: str(part))
def test_a_bad_name_leads_nowhere(operator: httpx.Client, method: str, path: str) -> None:
    wrong = []
    for name in NAMES:
        answer = operator.request(method, re.sub(r"\{\w+\}", lambda _, n=name: n, path))
        is_refused = answer.status_code in {400, 404, 422}
        if not is_refused or not _is_problem(answer) or "set-cookie" in answer.headers:
            wrong.append((name, answer.status_code, answer.text[:200]))
    assert wrong == []


ADDRESS = {
    "name": "Ada", "line1": "1 Hill Road", "city": "Leeds", "postal_code": "LS1 1AA",
    "country": "GB",
}  # fmt: skip
PRODUCT = {
    "title": "Kettle", "category": ["Home"], "brand": "Acme", "description": "Boils.",
    "tags": ["new"],
    "variants": [{"sku": "BAD-1", "price": {"amount_minor": 5, "currency": "GBP"}}],
}  # fmt: skip
ORDER = {"email": "a@shop.test", "shipping_address": ADDRESS, "payment": {"card_token": "tok_visa"}}
# Where people write what other people read. (method, path, a good body, the text's place in it)
WRITTEN: list[tuple[str, str, dict[str, Any], str]] = [
    ("POST", "/api/users/register",
     {"email": "written@shop.test", "password": PASSWORD, "name": "Ada"}, "name"),
    ("PATCH", "/api/users/me", {"name": "Ada"}, "name"),
    *(("POST", "/api/users/me/addresses", ADDRESS, part) for part in ADDRESS),
    *(("POST", "/api/checkout/orders", ORDER, f"shipping_address.{part}") for part in ADDRESS),
    *(("POST", "/api/catalog/products", PRODUCT, part)
      for part in ("title", "brand", "category.0", "tags.0", "variants.0.sku")),
    ("POST", "/api/catalog/stock/OD-001-5/adjustments", {"delta": 1, "reason": "found"}, "reason"),
    ("POST", f"/api/checkout/orders/{NOTHING}/refunds", {"reason": "damaged"}, "reason"),
]  # fmt: skip
UNREADABLE = [
    "", " ", "\u200b", "\ufeff\u2060", "\u3164", "a\x00b", "a\nb", "a\x1b[31m", "a\u2028b",
    "\u202eadA", "\u2066a", "\ud800",
]  # fmt: skip
# Harmless as long as nobody takes them for anything but text.
ONLY_TEXT = [
    "Robert'); DROP TABLE orders;--", "<script>alert(1)</script>", "{{7*7}}", "${jndi:ldap:x}",
    "=cmd|' /C calc'!A0", "%s%n", "../../etc/passwd", "O\u2019Neill \U0001f469\u200d\U0001f4bb",
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "place"), WRITTEN, ids=lambda part: str(part))
def test_text_that_nobody_can_read_is_refused_by_its_place(
    operator: httpx.Client, method: str, path: str, body: dict[str, Any], place: str
) -> None:
    wrong = []
    for text in UNREADABLE:
        answer = operator.request(method, path, content=json.dumps(_with(body, place, text)))
        fields = [one["field"] for one in answer.json().get("errors", [])]
        is_named = any(field.startswith(place.partition(".0")[0]) for field in fields)
        if answer.status_code != 422 or not _is_problem(answer) or not is_named:
            wrong.append((text, answer.status_code, fields))
    assert wrong == []


@pytest.mark.parametrize("text", ONLY_TEXT)
def test_text_that_is_code_elsewhere_is_text_here(operator: httpx.Client, text: str) -> None:
    renamed = operator.patch("/api/users/me", json={"name": text})
    assert (renamed.status_code, renamed.json()["name"]) == (200, text)
    found = operator.get("/api/catalog/products", params={"q": text})
    assert found.status_code == 200
    assert operator.get("/api/users/me").json()["name"] == text


def _with(body: dict[str, Any], place: str, text: str) -> dict[str, Any]:
    """The body with this text at `shipping_address.name` or `tags.0`."""
    copy: Any = json.loads(json.dumps(body))
    *way, last = place.split(".")
    at = copy
    for step in way:
        at = at[int(step) if step.isdigit() else step]
    at[int(last) if last.isdigit() else last] = text
    return dict(copy)


def _is_problem(answer: httpx.Response) -> bool:
    """Of ours, with its own status; nothing in it is read as a page by a browser."""
    is_ours = answer.headers.get("content-type", "").startswith("application/problem+json")
    return is_ours and bool(answer.json()["status"] == answer.status_code)


def test_a_refused_method_is_told_every_method_of_its_path(stack: Stack) -> None:
    with stack.http() as http:
        refused = http.request("PUT", "/api/users/me")
        assert (refused.status_code, refused.headers["allow"]) == (405, "DELETE, GET, HEAD, PATCH")
        refused = http.request("POST", "/api/catalog/products/any")
        assert (refused.status_code, refused.headers["allow"]) == (405, "DELETE, GET, HEAD, PUT")


@pytest.mark.parametrize("text", ["0", "1700000000", "2026-1-1", "2026-13-01", "tomorrow"])
def test_a_date_is_written_as_iso_8601_has_it(stack: Stack, text: str) -> None:
    with stack.http() as http:
        answer = http.get("/api/analytics/sales", params={"to": text})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "to"


def test_a_body_too_large_is_refused_while_it_comes_and_its_connection_stays(stack: Stack) -> None:
    half = b"x" * 2_000_000
    replica = HTTPConnection("127.0.0.1", stack.at.zone_a, timeout=20)
    with closing(replica):
        replica.putrequest("POST", "/api/catalog/searches")
        replica.putheader("Content-Length", str(2 * len(half)))
        replica.endheaders(half)
        refused = replica.getresponse()
        assert refused.status == 413
        refused.read()
        replica.sock.sendall(half)
        replica.request("GET", "/api/catalog/healthz")
        assert replica.getresponse().status == 200
