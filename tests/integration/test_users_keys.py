"""Rotating the keys that sign access tokens: nobody is signed out, unless a key is compromised."""

from collections.abc import Iterator
from typing import Any

import jwt
import pytest

from pipeline.runtime.clock import new_id, now
from pipeline.runtime.lease import Lease
from storefront_api.users import rotate
from tests.conftest import Stack, wait_until
from tests.integration.users_door import Browser, Service, own_service


@pytest.fixture
def users(emulator: Stack) -> Iterator[Service]:
    with own_service(emulator) as service:
        yield service


def rotate_keys(users: Service, *arguments: str) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HAS_STAGE", users.names.stage)
        patch.setattr("sys.argv", ["rotate", "--settle-s", "0", *arguments])
        return rotate.main()


def kid_of(header: dict[str, str]) -> str:
    token = header["Authorization"].removeprefix("Bearer ")
    return str(jwt.get_unverified_header(token)["kid"])


def is_let_in(browser: Browser, header: dict[str, str]) -> bool:
    return bool(browser.request("GET", "/me", headers=header).status_code == 200)


def published(users: Service, app: Any) -> list[str]:
    document = users.browser(app=app).request("GET", "/.well-known/jwks.json").json()
    assert all(set(key) == {"kty", "use", "alg", "kid", "n", "e"} for key in document["keys"])
    return [key["kid"] for key in document["keys"]]


def test_tokens_of_the_old_key_and_of_the_new_one_are_good_on_every_replica(
    users: Service,
) -> None:
    browser = users.browser()
    email = browser.register()["email"]
    old = browser.sign_in(email)
    assert is_let_in(browser, old)  # this replica knows the old key alone
    assert rotate_keys(users) == 0
    started_later = users.another_replica()
    elsewhere = users.browser(app=started_later)
    new = elsewhere.sign_in(email)
    assert kid_of(new) != kid_of(old)
    assert is_let_in(elsewhere, new)
    assert is_let_in(elsewhere, old)
    assert is_let_in(browser, old)
    # It has just looked for keys, and does not look for each unknown one.
    wait_until(lambda: is_let_in(browser, new))
    assert published(users, started_later) == [kid_of(new), kid_of(old)]


def test_keys_go_when_their_last_token_has_run_out(users: Service) -> None:
    from storefront_api.users.signing_keys import KeyStore, Rotation

    first = users.secret("token-signing")["kid"]
    store = KeyStore(users.names)
    times = iter([now().replace(hour=hour, minute=0) for hour in (10, 10, 12)])
    rotation = Rotation(store, lambda: next(times), lambda _: None, life_s=1260)
    second, counting = rotation.rotate(0)
    assert counting == [second, first]
    third, counting = rotation.rotate(0)  # too soon after: nobody is signed out for that
    assert counting == [third, second, first]
    fourth, counting = rotation.rotate(0)
    assert counting == [fourth, third]
    assert users.secret("token-signing")["kid"] == fourth


def test_a_rotation_that_broke_off_is_done_again_from_the_start(users: Service) -> None:
    from storefront_api.users.signing_keys import KeyStore, Rotation

    def crash(seconds: float) -> None:
        raise KeyboardInterrupt

    browser = users.browser()
    header = browser.sign_in(browser.register()["email"])
    store = KeyStore(users.names)
    with pytest.raises(KeyboardInterrupt):
        Rotation(store, now, crash, life_s=1260).rotate(0)
    assert is_let_in(users.browser(app=users.another_replica()), header)
    kid, counting = Rotation(store, now, lambda _: None, life_s=1260).rotate(0)
    assert counting == [kid, kid_of(header)]


def test_a_compromised_key_counts_no_more(users: Service) -> None:
    browser = users.browser()
    email = browser.register()["email"]
    old = browser.sign_in(email)
    assert rotate_keys(users, "--compromised") == 0
    elsewhere = users.browser(app=users.another_replica())
    assert not is_let_in(elsewhere, old)
    new = elsewhere.sign_in(email)
    # Whoever meets a token of the new key takes up the new set, and drops the old key with it.
    wait_until(lambda: is_let_in(browser, new))
    assert not is_let_in(browser, old)


def test_one_rotation_at_a_time(users: Service) -> None:
    from pipeline.runtime import aws

    lease = Lease(aws.table(users.names.table("ops")), "key-rotation")
    somebody = new_id()
    assert lease.take(somebody, now(), 60)
    before = users.secret("token-signing")
    assert rotate_keys(users) == 1
    assert users.secret("token-signing") == before
    lease.drop(somebody)
    assert rotate_keys(users) == 0
