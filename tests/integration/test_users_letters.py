"""Letters: confirming an address, a forgotten password, and what a letter is good for."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from pipeline.runtime import aws
from pipeline.runtime.clock import now
from storefront_api.users.domain import MAIL_THROTTLE, Letter
from tests.conftest import Stack
from tests.integration.users_door import PASSWORD, Service, assert_problem, own_service

NEW = "another good password"


@pytest.fixture(scope="module")
def users(emulator: Stack) -> Iterator[Service]:
    with own_service(emulator) as service:
        yield service


def test_a_new_shopper_confirms_the_address_with_the_letter_once(users: Service) -> None:
    browser = users.browser()
    user = browser.register(name="Ada Lovelace")
    assert user["email_verified"] is False
    (letter,) = users.letters(user["email"])
    assert "Ada Lovelace" in letter["text"]
    assert letter["link"].startswith("http://127.0.0.1")
    code = users.code(user["email"])
    # On another device, where nobody is signed in.
    assert users.browser().post("/verification/confirm", code=code).status_code == 204
    again = users.browser().post("/verification/confirm", code=code)
    assert_problem(again, 422, "unprocessable", "code")
    header = browser.sign_in(user["email"])
    assert browser.request("GET", "/me", headers=header).json()["email_verified"] is True
    done = browser.request("POST", "/verification", headers=header)
    assert_problem(done, 409, "conflict")


def test_letters_to_one_mailbox_are_slowed_down(users: Service) -> None:
    browser = users.browser()
    email = browser.register()["email"]
    header = browser.sign_in(email)
    answers = [browser.request("POST", "/verification", headers=header) for _ in range(4)]
    # The wait doubles with each letter, so that the slowest machine comes too early soon.
    while answers[-1].status_code == 202 and len(answers) < 12:
        answers.append(browser.request("POST", "/verification", headers=header))
    assert [answer.status_code for answer in answers[:2]] == [202, 202]
    assert_problem(answers[-1], 429, "too-many-requests")
    assert len(users.letters(email)) == [a.status_code for a in answers].count(202) + 1


def test_a_forgotten_password_is_chosen_anew_and_every_session_ends(users: Service) -> None:
    browser, elsewhere = users.browser(), users.browser()
    email = browser.register()["email"]
    elsewhere.sign_in(email)
    assert browser.post("/password-reset", email=email.upper()).status_code == 202
    code = users.code(email)
    weak = browser.post("/password-reset/confirm", code=code, new_password="password1234")
    assert_problem(weak, 422, "unprocessable", "new_password")
    done = browser.post("/password-reset/confirm", code=code, new_password=NEW)
    assert done.status_code == 204, done.text
    assert_problem(elsewhere.request("POST", "/refresh"), 401, "unauthenticated")
    assert_problem(browser.post("/login", email=email, password=PASSWORD), 401, "unauthenticated")
    header = browser.sign_in(email, NEW)
    # Who reads the mailbox owns it.
    assert browser.request("GET", "/me", headers=header).json()["email_verified"] is True


def test_of_several_letters_for_one_password_only_one_is_good(users: Service) -> None:
    browser = users.browser()
    email = browser.register()["email"]
    codes = []
    for _ in range(2):
        browser.post("/password-reset", email=email)
        codes.append(users.code(email))
    answers = [
        browser.post("/password-reset/confirm", code=code, new_password=NEW) for code in codes
    ]
    assert answers[0].status_code == 204
    assert_problem(answers[1], 422, "unprocessable", "code")


@pytest.mark.parametrize("path", ["/verification/confirm", "/password-reset/confirm"])
def test_a_code_used_many_times_at_once_works_once(users: Service, path: str) -> None:
    browser = users.browser()
    email = browser.register()["email"]
    body = {"code": users.code(email)}
    if path.startswith("/password"):
        browser.post("/password-reset", email=email)
        body = {"code": users.code(email), "new_password": NEW}
    answers = browser.at_once(5, "POST", path, json=body)
    assert sorted(answer.status_code for answer in answers) == [204, 422, 422, 422, 422]


def test_whether_an_email_is_known_shows_nowhere(users: Service) -> None:
    known = users.browser().register()["email"]
    unknown = f"nobody-{known}"
    answers = [
        users.browser().post("/password-reset", email=email)
        for email in (known, unknown, "not even an address")
    ]
    told = [
        (a.status_code, a.content, sorted(set(a.headers) - {"x-amzn-trace-id"})) for a in answers
    ]
    assert told == [told[0]] * 3
    assert told[0][0] == 202
    assert len(users.letters(known)) == 2
    assert users.letters(unknown) == []


def test_a_mailbox_that_has_had_enough_gets_no_further_letter_and_that_is_not_said(
    users: Service,
) -> None:
    email = users.browser().register()["email"]
    accounts = users.app.state.users.accounts
    for _ in range(MAIL_THROTTLE.free + 4):
        accounts.add_failure(f"mail:{email}", now(), 3600)
    assert users.browser().post("/password-reset", email=email).status_code == 202
    assert len(users.letters(email)) == 1


def test_a_guessers_victim_gets_in_with_a_new_password(users: Service) -> None:
    browser = users.browser()
    email = browser.register()["email"]
    for _ in range(12):
        users.app.state.users.accounts.add_failure(f"account:{email}", now(), 900)
    assert browser.post("/login", email=email, password=PASSWORD).status_code == 429
    browser.post("/password-reset", email=email)
    code = users.code(email)
    assert browser.post("/password-reset/confirm", code=code, new_password=NEW).status_code == 204
    browser.sign_in(email, NEW)


@pytest.mark.parametrize("code", ["x", "z" * 43, "z" * 200, "", None, 7, "\u0000", "ü"])
def test_a_code_that_nobody_was_sent_is_refused_by_name(users: Service, code: Any) -> None:
    browser = users.browser()
    answer = browser.post("/verification/confirm", code=code)
    assert_problem(answer, 422, "unprocessable", "code")
    answer = browser.post("/password-reset/confirm", code=code, new_password=NEW)
    assert_problem(answer, 422, "unprocessable", "code")


def test_a_code_is_good_for_its_purpose_and_its_time_only(users: Service) -> None:
    browser = users.browser()
    email = browser.register()["email"]
    verify = users.code(email)
    answer = browser.post("/password-reset/confirm", code=verify, new_password=NEW)
    assert_problem(answer, 422, "unprocessable", "code")
    recovery = users.app.state.recovery
    browser.post("/password-reset", email=email)
    code = users.code(email)
    user = recovery.accounts.find_by_email(email)
    later = now() + timedelta(minutes=31)
    assert not recovery.codes.reset_with(code, user, user.password_hash, later)


def test_the_table_holds_no_code_that_could_be_used(users: Service) -> None:
    browser = users.browser()
    email = browser.register()["email"]
    code = users.code(email)
    rows = aws.table(users.names.table("users")).scan(ConsistentRead=True)["Items"]
    holders = {row["pk"] for row in rows if code in str(row)}
    assert holders == {"MAILBOX"}  # the mailbox itself, which is a laptop's only


def test_only_a_laptop_has_an_open_mailbox(users: Service) -> None:
    from storefront_api.users.main import build_app
    from storefront_api.users.settings import UsersSettings

    with pytest.raises(ValidationError, match="HAS_MAILBOX"):
        UsersSettings(stage="prod", mailbox=True)
    closed = build_app(UsersSettings(stage=users.names.stage, trace_ratio=0, mailbox=False))
    answer = users.browser(app=closed).request("GET", "/mailbox")
    assert_problem(answer, 404, "not-found")


def test_elsewhere_letters_go_through_ses(emulator: Stack) -> None:
    from storefront_api.users.mailbox import SesMailbox

    aws.client("sesv2").create_email_identity(EmailIdentity="shop@shop.test")
    to = "ada-by-ses@shop.test"
    letter = Letter(to, "u1", "Confirm", "Hello Ada", "Confirm my address", "/verify#abc")
    SesMailbox("shop@shop.test", "https://shop.example").send(letter)
    url = f"{emulator.at.url(emulator.at.emulator)}/_ministack/ses/messages"
    sent = str(httpx.get(url, trust_env=False).json())
    assert to in sent
    assert "Confirm my address: https://shop.example/verify#abc" in sent
