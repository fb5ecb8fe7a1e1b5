"""Access tokens, the keys that check them, and refresh tokens in the wrong hands."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.conftest import Stack
from tests.integration.users_door import (
    PASSWORD,
    Browser,
    Service,
    assert_problem,
    own_service,
)


@pytest.fixture(scope="module")
def users(emulator: Stack) -> Iterator[Service]:
    with own_service(emulator) as service:
        yield service


def the_claims(users: Service, **changes: Any) -> dict[str, Any]:
    now, stage = int(time.time()), users.names.stage
    return {
        "sub": "somebody", "role": "operator", "iss": f"has-{stage}", "aud": f"has-{stage}-shop",
        "iat": now, "exp": now + 900, "jti": "1", **changes,
    }  # fmt: skip


def raw_token(header: dict[str, str], claims: dict[str, Any], key: bytes | None) -> str:
    """A token that no honest library would make; HMAC-SHA-256 with `key`, or unsigned."""

    def part(content: bytes) -> str:
        return base64.urlsafe_b64encode(content).rstrip(b"=").decode()

    signed = f"{part(json.dumps(header).encode())}.{part(json.dumps(claims).encode())}"
    signature = hmac.digest(key, signed.encode(), hashlib.sha256) if key else b""
    return f"{signed}.{part(signature)}"


def ask_me(browser: Browser, token: str) -> Any:
    return browser.request("GET", "/me", headers={"Authorization": f"Bearer {token}"})


def test_the_published_key_checks_what_login_signs_and_holds_no_secret(users: Service) -> None:
    browser = users.browser()
    user = browser.register()
    token = browser.sign_in(user["email"])["Authorization"].removeprefix("Bearer ")
    answer = browser.request("GET", "/.well-known/jwks.json")
    assert answer.headers["cache-control"] == "public, max-age=300"
    (key,) = [
        k for k in answer.json()["keys"] if k["kid"] == jwt.get_unverified_header(token)["kid"]
    ]
    assert set(key) == {"kty", "use", "alg", "kid", "n", "e"}
    claims = jwt.decode(
        token, jwt.PyJWK(key), ["RS256"],
        issuer=f"has-{users.names.stage}", audience=f"has-{users.names.stage}-shop",
    )  # fmt: skip
    assert (claims["sub"], claims["role"]) == (user["user_id"], "shopper")
    assert claims["exp"] - claims["iat"] == 900
    assert claims["jti"]


def test_a_token_that_the_test_signs_like_the_service_is_let_in(users: Service) -> None:
    """So that the refusals below are for their one fault and no other."""
    browser = users.browser()
    signing = users.secret("token-signing")
    claims = the_claims(users, sub=browser.register()["user_id"])
    token = jwt.encode(claims, signing["private_pem"], "RS256", headers={"kid": signing["kid"]})
    assert ask_me(browser, token).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "somebody-else"}, {"aud": "another-shop"}, {"exp": 1_700_000_000},
        {"exp": None}, {"sub": None}, {"role": None}, {"iss": None}, {"aud": None},
    ],
)  # fmt: skip
def test_a_token_with_a_wrong_or_missing_claim_is_refused(
    users: Service, changes: dict[str, Any]
) -> None:
    signing = users.secret("token-signing")
    claims = {name: value for name, value in the_claims(users, **changes).items() if value}
    token = jwt.encode(claims, signing["private_pem"], "RS256", headers={"kid": signing["kid"]})
    assert_problem(ask_me(users.browser(), token), 401, "unauthenticated")


def test_forged_signatures_are_refused(users: Service) -> None:
    signing = users.secret("token-signing")
    public = jwt.PyJWK(users.secret("token-verification")["keys"][0]).key
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    claims, kid = the_claims(users), signing["kid"]
    honest = jwt.encode(claims, signing["private_pem"], "RS256", headers={"kid": kid})
    forged = {
        "no algorithm": raw_token({"alg": "none", "kid": kid}, claims, None),
        "public key as HMAC secret": raw_token({"alg": "HS256", "kid": kid}, claims, pem),
        "another key": jwt.encode(claims, other, "RS256", headers={"kid": kid}),
        "unknown kid": jwt.encode(claims, other, "RS256", headers={"kid": "mine"}),
        "no kid": jwt.encode(claims, signing["private_pem"], "RS256"),
        "another algorithm": jwt.encode(
            claims, signing["private_pem"], "RS512", headers={"kid": kid}
        ),
        "changed claims": ".".join(
            [honest.split(".")[0], raw_token({}, claims | {"role": "admin"}, None).split(".")[1],
             honest.split(".")[2]]
        ),
        "cut off": honest[:-10],
        "no token": "x",
        "nothing": "",
    }  # fmt: skip
    for what, token in forged.items():
        answer = ask_me(users.browser(), token)
        assert answer.status_code == 401, what
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/me"), ("PATCH", "/me"), ("GET", "/me/addresses"), ("POST", "/me/addresses"),
     ("DELETE", "/me/addresses/01M874XHR3JTHHS7QZ585NHF8K"), ("DELETE", "/me"),
     ("GET", "/me/sessions"), ("DELETE", "/me/sessions"), ("POST", "/me/password"),
     ("GET", "/me/export"), ("POST", "/verification")],
)  # fmt: skip
def test_what_is_ones_own_needs_a_token(users: Service, method: str, path: str) -> None:
    assert_problem(users.browser().request(method, path, json={}), 401, "unauthenticated")


def test_a_refresh_token_is_traded_once_for_the_next(users: Service) -> None:
    browser = users.browser()
    user = browser.register()
    browser.sign_in(user["email"])
    seen = {browser.cookies["has_refresh"]}
    for _ in range(3):
        answer = browser.request("POST", "/refresh")
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json()["user"] == user
        assert ask_me(browser, answer.json()["access_token"]).json() == user
        seen.add(browser.cookies["has_refresh"])
    assert len(seen) == 4


def test_a_refresh_token_used_twice_ends_the_whole_family_and_no_other(users: Service) -> None:
    browser, elsewhere = users.browser(), users.browser()
    email = browser.register()["email"]
    browser.sign_in(email)
    elsewhere.sign_in(email)
    stolen = browser.cookies["has_refresh"]
    assert browser.request("POST", "/refresh").status_code == 200
    thief = users.browser()
    thief.cookies.set("has_refresh", stolen)
    reuse = thief.request("POST", "/refresh")
    assert_problem(reuse, 401, "unauthenticated")
    assert 'has_refresh=""' in reuse.headers["set-cookie"]
    assert_problem(browser.request("POST", "/refresh"), 401, "unauthenticated")
    assert elsewhere.request("POST", "/refresh").status_code == 200


def test_of_refreshes_at_the_same_moment_one_wins_and_none_gives_a_second_token(
    users: Service,
) -> None:
    browser = users.browser()
    browser.sign_in(browser.register()["email"])
    answers = browser.at_once(4, "POST", "/refresh")
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses[0] == 200
    assert set(statuses[1:]) <= {401, 409}


def test_signing_out_ends_the_session_for_good(users: Service) -> None:
    browser = users.browser()
    browser.sign_in(browser.register()["email"])
    kept = browser.cookies["has_refresh"]
    assert browser.request("POST", "/logout").status_code == 204
    assert "has_refresh" not in browser.cookies
    browser.cookies.set("has_refresh", kept)
    assert_problem(browser.request("POST", "/refresh"), 401, "unauthenticated")
    assert users.browser().request("POST", "/logout").status_code == 204


@pytest.mark.parametrize(
    "cookie", ["", "x", ".", "a.b", "01M874XHR3JTHHS7QZ585NHF8K.zzz", "z" * 4000]
)
def test_a_cookie_that_nobody_was_given_is_no_session(users: Service, cookie: str) -> None:
    browser = users.browser()
    answer = browser.request("POST", "/refresh", headers={"Cookie": f"has_refresh={cookie}"})
    assert_problem(answer, 401, "unauthenticated")


FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def test_sessions_are_listed_with_their_devices_and_ended_one_by_one(users: Service) -> None:
    here, there = users.browser(agent=FIREFOX), users.browser()
    email = here.register()["email"]
    there.sign_in(email)
    header = here.sign_in(email)
    page = here.request("GET", "/me/sessions", headers=header).json()
    assert [(s["device"], s["is_current"]) for s in page["items"]] == [
        ("Firefox on Linux", True), ("", False)
    ]  # fmt: skip
    other = f"/me/sessions/{page['items'][1]['session_id']}"
    stranger = users.browser()
    strangers = stranger.sign_in(stranger.register()["email"])
    assert_problem(stranger.request("DELETE", other, headers=strangers), 404, "not-found")
    assert here.request("DELETE", other, headers=header).status_code == 204
    assert_problem(here.request("DELETE", other, headers=header), 404, "not-found")
    assert_problem(there.request("POST", "/refresh"), 401, "unauthenticated")
    assert here.request("POST", "/refresh").status_code == 200
    left = here.request("GET", "/me/sessions", headers=header).json()
    assert [session["is_current"] for session in left["items"]] == [True]


def test_signing_out_everywhere_ends_every_session(users: Service) -> None:
    browsers = [users.browser() for _ in range(3)]
    email = browsers[0].register()["email"]
    headers = [browser.sign_in(email) for browser in browsers]
    done = browsers[0].request("DELETE", "/me/sessions", headers=headers[0])
    assert done.status_code == 204
    assert "has_refresh" not in browsers[0].cookies
    for browser in browsers:
        assert_problem(browser.request("POST", "/refresh"), 401, "unauthenticated")
    header = browsers[0].sign_in(email)
    listed = browsers[0].request("GET", "/me/sessions", headers=header).json()
    assert len(listed["items"]) == 1


def test_a_changed_password_ends_every_session_but_the_one_that_changed_it(
    users: Service,
) -> None:
    here, there = users.browser(), users.browser()
    email = here.register()["email"]
    there.sign_in(email)
    header = here.sign_in(email)
    new = "another good password"
    wrong = {"current_password": "not my password", "new_password": new}
    answer = here.request("POST", "/me/password", json=wrong, headers=header)
    assert_problem(answer, 422, "unprocessable", "current_password")
    weak = {"current_password": PASSWORD, "new_password": "password1234"}
    answer = here.request("POST", "/me/password", json=weak, headers=header)
    assert_problem(answer, 422, "unprocessable", "new_password")
    change = {"current_password": PASSWORD, "new_password": new}
    answer = here.request("POST", "/me/password", json=change, headers=header)
    assert answer.status_code == 200, answer.text
    assert ask_me(here, answer.json()["access_token"]).status_code == 200
    assert here.request("POST", "/refresh").status_code == 200
    assert_problem(there.request("POST", "/refresh"), 401, "unauthenticated")
    assert_problem(there.post("/login", email=email, password=PASSWORD), 401, "unauthenticated")
    there.sign_in(email, new)
    assert "changed" in users.letters(email)[0]["subject"]


def test_of_two_password_changes_at_once_one_wins(users: Service) -> None:
    browser = users.browser()
    header = browser.sign_in(browser.register()["email"])
    body = {"current_password": PASSWORD, "new_password": "another good password"}
    answers = browser.at_once(3, "POST", "/me/password", json=body, headers=header)
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses[0] == 200
    assert set(statuses[1:]) <= {409, 422}
