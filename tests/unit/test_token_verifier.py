"""How the keys that check tokens are kept: one look for many askers, and old keys over none."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jwt
import pytest
from botocore.exceptions import EndpointConnectionError

from pipeline.contracts.errors import Unauthenticated
from storefront_api import security
from storefront_api.security import TokenVerifier
from storefront_api.settings import ServiceSettings
from storefront_api.users.signing_keys import new_key, public_half

KEY, OTHER = new_key(), new_key()
SETTINGS = ServiceSettings(stage="unit")


class Keys:
    """Secrets Manager as a verifier sees it: slow, countable, and sometimes away."""

    def __init__(self) -> None:
        self.published = [public_half(KEY)]
        self.looks = 0
        self.is_away = False

    def __call__(self) -> dict[str, Any]:
        self.looks += 1
        time.sleep(0.02)
        if self.is_away:
            raise EndpointConnectionError(endpoint_url="http://nowhere")
        return {"keys": self.published}


def a_token(key: dict[str, Any] = KEY) -> str:
    at = int(time.time())
    claims = {
        "sub": "u1", "role": "shopper", "iss": SETTINGS.token_issuer,
        "aud": SETTINGS.token_audience, "iat": at, "exp": at + 60,
    }  # fmt: skip
    return jwt.encode(claims, key["private_pem"], "RS256", headers={"kid": key["kid"]})


def test_the_first_askers_wait_for_one_look() -> None:
    keys = Keys()
    verifier = TokenVerifier(SETTINGS, keys)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(verifier.verify, [a_token()] * 8))
    assert {principal.user_id for principal in found} == {"u1"}
    assert keys.looks == 1


def test_forged_key_ids_do_not_become_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security, "_RELOAD_AFTER_S", 3600)  # however slow the machine
    keys = Keys()
    verifier = TokenVerifier(SETTINGS, keys)
    verifier.verify(a_token())
    for number in range(50):
        with pytest.raises(Unauthenticated):
            verifier.verify(a_token(OTHER | {"kid": f"forged-{number}"}))
    assert keys.looks == 1


def test_a_new_key_is_found_and_one_that_was_withdrawn_is_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(security, "_RELOAD_AFTER_S", 0)
    keys = Keys()
    verifier = TokenVerifier(SETTINGS, keys)
    verifier.verify(a_token())
    keys.published = [public_half(OTHER)]
    verifier.verify(a_token(OTHER))
    with pytest.raises(Unauthenticated):
        verifier.verify(a_token())


def test_old_keys_go_on_counting_while_there_are_no_new_ones_to_be_had(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(security, "_RELOAD_AFTER_S", 0)
    monkeypatch.setattr(security, "MAX_KEYS_AGE_S", 0)
    keys = Keys()
    verifier = TokenVerifier(SETTINGS, keys)
    verifier.verify(a_token())
    keys.is_away = True
    assert verifier.verify(a_token()).user_id == "u1"
    assert keys.looks == 2


def test_without_any_key_the_dependency_is_what_failed() -> None:
    keys = Keys()
    keys.is_away = True
    verifier = TokenVerifier(SETTINGS, keys)
    with pytest.raises(EndpointConnectionError):
        verifier.verify(a_token())
    keys.is_away = False
    assert verifier.verify(a_token()).user_id == "u1"
