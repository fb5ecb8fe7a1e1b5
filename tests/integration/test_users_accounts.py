"""Accounts through their HTTP door, against the emulator."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from pipeline.runtime.clock import now
from storefront_api.users.domain import MAX_ADDRESSES
from storefront_api.users.seed import ACCOUNTS, seed
from tests.conftest import Stack
from tests.integration.users_door import PASSWORD, Service, assert_problem, own_service

HOME = {"name": "Ada", "line1": "12 St James's Square", "city": "London",
        "postal_code": "SW1Y 4JH", "country": "GB"}  # fmt: skip


@pytest.fixture(scope="module")
def users(emulator: Stack) -> Iterator[Service]:
    with own_service(emulator) as service:
        yield service


def test_a_shopper_registers_signs_in_and_reads_their_profile(users: Service) -> None:
    browser = users.browser()
    email = f"Ada.{uuid4().hex}@Shop.test"
    created = browser.register(email=email, name=" Ada Lovelace ")
    assert set(created) == {"user_id", "email", "name", "role", "email_verified"}
    assert (created["email"], created["name"]) == (email.lower(), "Ada Lovelace")
    assert created["role"] == "shopper"
    answer = browser.post("/login", email=email.upper(), password=PASSWORD)
    session = answer.json()
    assert answer.status_code == 200
    assert (session["token_type"], session["expires_in"]) == ("Bearer", 900)
    assert session["user"] == created
    assert answer.headers["cache-control"] == "no-store"
    me = browser.request(
        "GET", "/me", headers={"Authorization": f"Bearer {session['access_token']}"}
    )
    assert (me.status_code, me.json()) == (200, created)


def test_an_email_is_taken_once_however_it_is_written(users: Service) -> None:
    browser = users.browser()
    email = browser.register()["email"]
    again = browser.post("/register", email=email.upper(), password=PASSWORD, name="Eve")
    assert_problem(again, 409, "conflict", "email")


def test_the_refresh_cookie_is_out_of_reach_of_scripts_and_other_sites(users: Service) -> None:
    browser = users.browser()
    email = browser.register()["email"]
    cookie = browser.post("/login", email=email, password=PASSWORD).headers["set-cookie"]
    assert cookie.startswith("has_refresh=")
    for attribute in ("HttpOnly", "SameSite=strict", "Path=/api/users", "Secure"):
        assert attribute in cookie


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": "ada"}, "email"), ({"email": 7}, "email"), ({"email": None}, "email"),
        ({"email": "a" * 250 + "@shop.test"}, "email"),
        ({"password": "short"}, "password"), ({"password": "x" * 129}, "password"),
        ({"password": "password1234"}, "password"), ({"password": ["x"]}, "password"),
        ({"name": ""}, "name"), ({"name": "   "}, "name"), ({"name": "x" * 101}, "name"),
        ({"name": "a\u0000b"}, "name"), ({"role": "operator"}, "role"),
    ],
)  # fmt: skip
def test_a_registration_with_a_wrong_field_is_refused_by_its_name(
    users: Service, change: dict[str, Any], field: str
) -> None:
    body = {"email": "new@shop.test", "password": PASSWORD, "name": "Ada", **change}
    assert_problem(users.browser().post("/register", **body), 422, "unprocessable", field)


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", 422), (b"no json", 400), (b"[]", 422), (b"null", 422), (b"\xff\xfe", 400),
        (b'{"email": "a@b.de"}', 422), (b'{"\\ud800": 1}', 422),
        (b'{"email":"a@b.de","name":"A","password":"half \\ud83d a character"}', 422),
        (b'{"email":"a@b.de","name":"\\udc00","password":"correct horse battery"}', 422),
    ],
)  # fmt: skip
def test_a_body_that_is_no_registration_is_refused(users: Service, raw: bytes, status: int) -> None:
    for path in ("/register", "/login"):
        headers = {"content-type": "application/json"}
        answer = users.browser().request("POST", path, content=raw, headers=headers)
        assert answer.status_code == status, answer.text
        assert answer.json()["errors"]


def test_a_wrong_password_and_an_unknown_email_get_the_same_answer(users: Service) -> None:
    browser = users.browser()
    email = browser.register()["email"]
    answers = [
        browser.post("/login", email=address, password="not the password")
        for address in (email, f"nobody-{email}", "not even an address")
    ]
    for answer in answers:
        assert_problem(answer, 401, "unauthenticated")
    first, *others = [answer.json() | {"correlation_id": ""} for answer in answers]
    assert others == [first, first]
    assert all("set-cookie" not in answer.headers for answer in answers)


def test_a_guesser_is_slowed_down_at_one_account_and_others_are_not(users: Service) -> None:
    victim, other = users.browser().register()["email"], users.browser().register()["email"]
    for _ in range(5):
        wrong = users.browser().post("/login", email=victim, password="a wild guess")
        assert_problem(wrong, 401, "unauthenticated")
    for _ in range(4):  # as from elsewhere; the wait is then longer than a slow machine stalls
        users.app.state.users.accounts.add_failure(f"account:{victim}", now(), 900)
    answer = users.browser().post("/login", email=victim, password=PASSWORD)
    assert_problem(answer, 429, "too-many-requests")
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    users.browser().sign_in(other)


def test_a_guesser_is_slowed_down_at_one_network_address(users: Service) -> None:
    email = users.browser().register()["email"]
    network = f"net-{uuid4().hex}"
    for _ in range(49):
        users.app.state.users.accounts.add_failure(f"network:{network}", now(), 900)
    last_free = users.browser(network).post("/login", email="a@shop.test", password="guess")
    assert_problem(last_free, 401, "unauthenticated")
    for _ in range(4):
        users.app.state.users.accounts.add_failure(f"network:{network}", now(), 900)
    slowed = users.browser(network).post("/login", email=email, password=PASSWORD)
    assert_problem(slowed, 429, "too-many-requests")
    users.browser().sign_in(email)


def test_signing_in_rightly_is_never_slowed_down(users: Service) -> None:
    browser = users.browser()
    email = browser.register()["email"]
    for _ in range(4):
        assert browser.post("/login", email=email, password="wrong one").status_code == 401
        browser.sign_in(email)
    for _ in range(10):
        browser.sign_in(email)


def test_a_profile_is_renamed_and_nothing_else_changes(users: Service) -> None:
    browser = users.browser()
    created = browser.register()
    header = browser.sign_in(created["email"])
    changed = browser.request("PATCH", "/me", json={"name": "Ada King"}, headers=header)
    assert (changed.status_code, changed.json()) == (200, created | {"name": "Ada King"})
    for body, field in (
        ({}, "name"), ({"name": ""}, "name"), ({"name": "A", "role": "operator"}, "role")
    ):  # fmt: skip
        refused = browser.request("PATCH", "/me", json=body, headers=header)
        assert_problem(refused, 422, "unprocessable", field)


def test_an_address_book_is_ones_own_and_pages(users: Service) -> None:
    browser = users.browser()
    header = browser.sign_in(browser.register()["email"])
    stranger = browser.sign_in(browser.register()["email"])
    made = [
        browser.request("POST", "/me/addresses", json=HOME | {"name": f"A{n}"}, headers=header)
        for n in range(3)
    ]
    assert [answer.status_code for answer in made] == [201] * 3
    seen, path = [], "/me/addresses?page_size=2"
    while path:
        page = browser.request("GET", path, headers=header).json()
        seen += page["items"]
        path = page["next_cursor"] and f"/me/addresses?page_size=2&cursor={page['next_cursor']}"
    assert seen == [answer.json() for answer in made]
    assert seen[0] == HOME | {"name": "A0", "line2": None, "address_id": seen[0]["address_id"]}
    mine = f"/me/addresses/{seen[0]['address_id']}"
    assert_problem(browser.request("DELETE", mine, headers=stranger), 404, "not-found")
    assert browser.request("DELETE", mine, headers=header).status_code == 204
    assert_problem(browser.request("DELETE", mine, headers=header), 404, "not-found")
    left = browser.request("GET", "/me/addresses", headers=header).json()
    assert left == {"items": seen[1:], "next_cursor": None}
    nothing = browser.request("GET", "/me/addresses", headers=stranger).json()
    assert nothing == {"items": [], "next_cursor": None}


def test_an_address_is_edited_whole_and_by_nobody_else(users: Service) -> None:
    browser = users.browser()
    header = browser.sign_in(browser.register()["email"])
    stranger = browser.sign_in(browser.register()["email"])
    kept = browser.request("POST", "/me/addresses", json=HOME, headers=header).json()
    mine = f"/me/addresses/{kept['address_id']}"
    moved = HOME | {"line1": "1 Rue de Rivoli", "city": "Paris", "country": "France"}
    assert_problem(browser.request("PUT", mine, json=moved, headers=stranger), 404, "not-found")
    refused = browser.request("PUT", mine, json=moved | {"city": " "}, headers=header)
    assert_problem(refused, 422, "unprocessable", "city")
    answer = browser.request("PUT", mine, json=moved, headers=header)
    assert answer.json() == kept | moved | {"country": "FR"}  # a name is kept as its code
    assert browser.request("GET", "/me/addresses", headers=header).json()["items"] == [
        answer.json()
    ]
    assert browser.request("DELETE", mine, headers=header).status_code == 204
    gone = browser.request("PUT", mine, json=moved, headers=header)
    assert_problem(gone, 404, "not-found")


@pytest.mark.parametrize("country", ["Narnia", "XX", "G\u200bB", "GBR"])
def test_a_country_is_one_of_the_worlds(users: Service, country: str) -> None:
    browser = users.browser()
    header = browser.sign_in(browser.register()["email"])
    answer = browser.request(
        "POST", "/me/addresses", json=HOME | {"country": country}, headers=header
    )
    assert_problem(answer, 422, "unprocessable", "country")


def test_an_address_book_has_an_end(users: Service) -> None:
    browser = users.browser()
    header = browser.sign_in(browser.register()["email"])
    answers = [
        browser.request("POST", "/me/addresses", json=HOME, headers=header)
        for _ in range(MAX_ADDRESSES + 1)
    ]
    assert {answer.status_code for answer in answers[:-1]} == {201}
    assert_problem(answers[-1], 409, "conflict")
    mine = f"/me/addresses/{answers[0].json()['address_id']}"
    assert browser.request("DELETE", mine, headers=header).status_code == 204
    again = browser.request("POST", "/me/addresses", json=HOME, headers=header)
    assert again.status_code == 201


@pytest.mark.parametrize("field", ["name", "line1", "city", "postal_code", "country"])
@pytest.mark.parametrize("value", [None, "", " ", "x" * 201, 5, "a\u0007b"])
def test_an_address_with_a_wrong_line_is_refused_by_its_name(
    users: Service, field: str, value: Any
) -> None:
    browser = users.browser()
    header = browser.sign_in(browser.register()["email"])
    answer = browser.request("POST", "/me/addresses", json=HOME | {field: value}, headers=header)
    assert_problem(answer, 422, "unprocessable", field)


def test_the_demo_accounts_are_seeded_once_and_healed(users: Service) -> None:
    accounts = users.app.state.users
    for password in ("first demo password", "second demo password", "second demo password"):
        seed(accounts.accounts, accounts.passwords, password)
    browser = users.browser()
    for email, name, role in ACCOUNTS:
        browser.sign_in(email, "second demo password")
        user = accounts.accounts.find_by_email(email)
        assert (user.name, user.role) == (name, role)
