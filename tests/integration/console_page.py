"""The console as a person finds it in a browser, for the tests of its pages."""

import re
from collections.abc import Callable
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Cookie, Error, Page, expect

from tests.conftest import PATIENCE_MS, Stack, wait_until

PASSWORD = "demo-Shop-2026!"
_AS_OF = re.compile(r"As of (\d\d \w{3} \d{4} \d\d:\d\d:\d\d) UTC")
_REDRAWN = 3
# Streamlit's own markup, which a page cannot change: the sections of its navigation stand between
# <ul> and <li>, and a sparkline's hidden marks have no name. Everything else must be clean.
_NOT_OURS = {"exclude": [["[data-testid=stSidebarNavItems]"], ["[data-testid=stMetricChart]"]]}

# A wide table scrolls inside itself on a phone. Chromium and Firefox let the keyboard in by
# themselves, and Markdown, of which the tables are made, has no tabindex.
_RULES = {"rules": {"scrollable-region-focusable": {"enabled": False}}}


def sign_in(page: Page, who: str, path: str = "/") -> None:
    """As somebody whom the console lets in. Back once the browser holds the session: who goes to
    another address before has not signed in."""
    ask_to_sign_in(page, who, path)
    session_cookie(page.context)


def ask_to_sign_in(page: Page, who: str, path: str = "/") -> None:
    """Fills in and sends the form that stands in the place of the page."""
    page.set_default_timeout(PATIENCE_MS)
    page.goto(path)
    page.get_by_label("E-mail").fill(f"{who}@demo.shop")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


# Of a button whose words hold a name; an icon is a word, too.
_COUNT_CLICKS = """name => {
    window.pressed = 0
    addEventListener("click", event => {
        if (event.target.closest("button")?.innerText.includes(name)) window.pressed += 1
    }, true)
}"""


def session_cookie(context: BrowserContext) -> Cookie:
    """That of the session, once the page has had it set; Streamlit has one of its own, too."""
    return wait_until(
        lambda: next((c for c in context.cookies() if c["name"].startswith("has_console")), None),
    )


def wait_for_whole_page(page: Page) -> None:
    expect(page.get_by_text("As of").first).to_be_visible()
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    expect(page.locator("[data-test-script-state=notRunning]")).to_be_attached()


def wait_until_live(page: Page) -> None:
    """The first drawing, which takes a browser longest, is over: the page follows the shop."""
    stated = page.get_by_text(_AS_OF).first
    moments: set[str] = set()

    def is_followed() -> bool:
        found = _AS_OF.search(stated.inner_text())
        assert found
        moments.add(found[1])
        return len(moments) > _REDRAWN

    wait_until(is_followed)


def press(page: Page, name: str) -> None:
    """A button, on a page that may be drawn anew meanwhile.

    A click may arrive and yet be reported as late: many a button is gone once it was pressed.
    """
    button = page.get_by_role("button", name=name, exact=True)
    page.evaluate(_COUNT_CLICKS, name)

    def click() -> None:
        if not page.evaluate("window.pressed"):
            button.click(timeout=5_000)

    persist(click)


def persist(act: Callable[[], None]) -> None:
    """Do it again where a drawing came in between: for a moment an element is there twice, or is
    taken away under the pointer. What `act` does may be done twice."""

    def is_done() -> bool:
        try:
            act()
        except Error as problem:
            raise AssertionError(str(problem)) from None
        return True

    wait_until(is_done, pause_s=0.2)


def assert_no_barriers(page: Page) -> None:
    """None that lasts: what is drawn anew is pale for a moment, and comes back."""

    def is_clean() -> bool:
        assert barriers(page) == []
        return True

    wait_until(is_clean, pause_s=0.5)


def barriers(page: Page) -> list[str]:
    """What axe finds serious or critical."""
    found = Axe().run(page, context=_NOT_OURS, options=_RULES).response["violations"]
    return [
        f"{violation['id']}: {violation['nodes'][0]['html'][:200]}"
        for violation in found
        if violation["impact"] in ("serious", "critical")
    ]


def audit_entries(stack: Stack, action: str) -> list[dict[str, Any]]:
    """Entries of an action, the latest first."""
    return [entry for entry in reversed(stack.audit()) if entry["action"] == action]
