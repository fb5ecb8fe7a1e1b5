"""What an operator does on the Reconciliation page, each with its entry in the audit log."""

from collections.abc import Iterator
from typing import Any

import pytest
from console_page import PASSWORD, audit_entries
from streamlit.testing.v1 import AppTest
from test_console_pages import opened, signed_in, words

from console.audit import Refused
from console.panels import recount_actions
from console.queries import edge, recounts
from console.sessions import STORE, Session
from console.settings import settings
from pipeline.runtime import generations
from tests.conftest import Stack, wait_until

pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)


@pytest.fixture(scope="module")
def console(stack: Stack) -> Iterator[AppTest]:
    settings.cache_clear()
    edge._client.cache_clear()
    yield signed_in("operator")
    edge._client().close()
    edge._client.cache_clear()


def person(who: str) -> Session:
    secret, _ = STORE.sign_in(f"{who}@demo.shop", PASSWORD)
    found = STORE.find(secret)
    assert found is not None
    return found


def says(console: AppTest, wanted: str) -> None:
    def is_said() -> bool:
        recounts.forget()
        page = opened(console, "reconciliation")
        assert not page.exception
        assert wanted in words(page), words(page)
        return True

    wait_until(is_said, pause_s=0.3)


def result_of(stack: Stack, action: str) -> Any:
    return audit_entries(stack, action)[0]["result"]


def test_the_button_compares_and_the_page_says_what_was_found(
    console: AppTest, stack: Stack
) -> None:
    page = opened(console, "reconciliation")
    (button,) = [one for one in page.button if one.label == "Reconcile now"]
    button.click().run()
    says(console, "started by operator@demo.shop")
    assert result_of(stack, "reconciliation.run") == "ok"


def test_a_rebuild_is_swapped_in_rolled_back_and_discarded(console: AppTest, stack: Stack) -> None:
    operator = person("operator")
    with pytest.raises(Refused, match="run a rebuild first"):
        recount_actions.swap(operator)
    assert result_of(stack, "rebuild.swap") == "refused"
    before = generations.read(stack.names).live
    recount_actions.rebuild(operator)
    says(console, "ready to be swapped in")
    recount_actions.swap(operator)
    says(console, "of before the swap are kept")
    assert generations.read(stack.names).live != before
    recount_actions.roll_back(operator)
    recount_actions.discard(operator)
    says(console, "can be rebuilt from the lake")
    assert generations.read(stack.names).written == (before,)
    for action in ("run", "swap", "roll-back", "discard"):
        assert result_of(stack, f"rebuild.{action}") == "ok"


def test_nobody_but_an_operator_may_touch_the_aggregates(console: AppTest, stack: Stack) -> None:
    analyst = person("analyst")
    for act in (recount_actions.rebuild, recount_actions.swap, recount_actions.discard):
        with pytest.raises(Refused, match="Only an operator"):
            act(analyst)
    with pytest.raises(Refused, match="Only an operator"):
        recount_actions.reconcile(analyst, repairs=True)
    assert result_of(stack, "reconciliation.repair") == "refused"
