"""Rules of accounts that need no store."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.errors import Unprocessable
from storefront_api.users.domain import (
    ACCOUNT_THROTTLE,
    Failures,
    RefreshToken,
    to_email,
    to_password,
)
from storefront_api.users.passwords import Passwords

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        (" Ada@Example.COM ", "ada@example.com"),
        ("load-7@shop.test", "load-7@shop.test"),
        ("ada+tag@example.co.uk", "ada+tag@example.co.uk"),
    ],
)
def test_an_email_has_one_spelling(given_text: str, expected: str) -> None:
    assert to_email(given_text) == expected


@pytest.mark.parametrize(
    "text", ["", "ada", "ada@", "@example.com", "a b@example.com", "Ada <ada@example.com>"]
)
def test_what_is_no_email_is_refused_by_name(text: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        to_email(text)
    assert refused.value.errors[0]["field"] == "email"


@pytest.mark.parametrize(
    "password",
    ["short", "x" * 129, "aaaaaaaaaaaa", "Password123", "qwertyuiop", "ada@example.com"],
)
def test_a_password_that_is_easy_to_guess_is_refused_by_name(password: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        to_password(password, "ada@example.com", Passwords().common)
    assert refused.value.errors[0]["field"] == "password"


def test_a_password_is_the_same_from_every_keyboard() -> None:
    composed, decomposed = "caf\u00e9-au-lait", "cafe\u0301-au-lait"
    assert to_password(composed, "", ()) == to_password(decomposed, "", ())


def test_a_hash_fits_its_password_alone_and_nobody_has_one() -> None:
    passwords = Passwords()
    hashed = passwords.hash("correct horse battery")
    assert passwords.is_right(hashed, "correct horse battery")
    assert not passwords.is_right(hashed, "correct horse batterY")
    assert not passwords.is_right(None, "the password of nobody at all")
    assert not passwords.is_outdated(hashed)


@given(st.integers(0, 10_000), st.integers(0, 2_000))
def test_a_guesser_waits_longer_each_time_and_nobody_is_locked_out(count: int, ago: int) -> None:
    last_at = NOW - timedelta(seconds=ago)
    wait = ACCOUNT_THROTTLE.wait(Failures(count, last_at), NOW)
    more = ACCOUNT_THROTTLE.wait(Failures(count + 1, last_at), NOW)
    assert timedelta(0) <= wait <= more <= ACCOUNT_THROTTLE.longest
    assert (count >= ACCOUNT_THROTTLE.free) or not wait
    assert not ACCOUNT_THROTTLE.wait(Failures(count, last_at), NOW + ACCOUNT_THROTTLE.longest)


def test_the_sixth_attempt_in_a_row_waits_and_the_wait_doubles() -> None:
    waits = [ACCOUNT_THROTTLE.wait(Failures(n, NOW), NOW).total_seconds() for n in range(4, 13)]
    assert waits == [0, 1, 2, 4, 8, 16, 32, 60, 60]


@given(st.text(max_size=200))
def test_any_text_as_a_cookie_is_a_token_or_none(text: str) -> None:
    token = RefreshToken.parse(text)
    assert token is None or str(token) == text
