"""What all pages have in common: the session, the line above them, no barrier, room on a phone."""

import os
import re
from collections.abc import Iterator
from typing import Literal

import httpx
import pytest
from console_page import assert_no_barriers, session_cookie, sign_in, wait_for_whole_page
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from console import settings
from console.pages import ENTRIES
from console.queries import edge
from console.sessions import SessionStore
from iac.local.browser import CHROMIUM_OPTIONS
from tests.conftest import PATIENCE_MS, Stack, wait_until

DESK: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(**CHROMIUM_OPTIONS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def phone(browser: Browser, stack: Stack) -> Iterator[Page]:
    """An operator's, in the dark theme."""
    yield from an_operators(browser, stack, "dark", PHONE)


@pytest.fixture(scope="module")
def desk(browser: Browser, stack: Stack) -> Iterator[Page]:
    """An operator's, in the light theme."""
    yield from an_operators(browser, stack, "light", DESK)


def an_operators(
    browser: Browser, stack: Stack, scheme: Literal["dark", "light"], size: ViewportSize
) -> Iterator[Page]:
    context = browser.new_context(base_url=stack.console_url, color_scheme=scheme, viewport=size)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto("/sales")
    expect(page.get_by_label("E-mail")).to_be_visible()
    assert_no_barriers(page)
    sign_in(page, "operator")
    expect(page.get_by_text("As of").first).to_be_visible()
    yield page
    context.close()


@pytest.fixture(autouse=True)
def _leave(request: pytest.FixtureRequest) -> Iterator[None]:
    """Nobody looks at a page any longer than its test: its live parts would go on."""
    yield
    for name in {"phone", "desk"} & set(request.fixturenames):
        request.getfixturevalue(name).goto("about:blank")


@pytest.mark.parametrize("name", [entry.name for entry in ENTRIES])
def test_a_page_tells_its_age_has_no_serious_barrier_and_fits_a_phone(
    phone: Page, stack: Stack, name: str
) -> None:
    phone.goto(f"/{name}")
    wait_for_whole_page(phone)
    line = phone.get_by_test_id("stMarkdownContainer").filter(has_text="As of").first
    expect(line).to_have_text(
        re.compile(rf"{stack.at.stage} As of \d\d \w+ \d{{4}} \d\d:\d\d:\d\d UTC .*times in UTC")
    )
    assert_no_barriers(phone)
    assert too_wide(phone) == [0, 0]
    expect(phone.get_by_text("on our side")).to_have_count(0)
    expect(phone.get_by_text("Page not found")).to_have_count(0)


@pytest.mark.parametrize("name", [entry.name for entry in ENTRIES])
def test_a_page_has_no_serious_barrier_in_the_light_theme(desk: Page, name: str) -> None:
    desk.goto(f"/{name}")
    wait_for_whole_page(desk)
    assert_no_barriers(desk)
    assert too_wide(desk) == [0, 0]


def too_wide(page: Page) -> list[int]:
    """By how many pixels the page, and its main part, must be scrolled sideways."""
    widths: list[int] = page.evaluate(
        "[document.documentElement, document.querySelector('[data-testid=stMain]')]"
        ".map(box => box.scrollWidth - box.clientWidth)"
    )
    return widths


def test_a_session_outlives_its_console_and_a_sign_out_elsewhere_ends_it(
    browser: Browser, stack: Stack
) -> None:
    context = browser.new_context(base_url=stack.console_url)
    page = context.new_page()
    sign_in(page, "analyst", "/sales?range=7d")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    secret = session_cookie(context)["value"]
    before = stack.supervisor.running()["console"].pid
    os.kill(before, 9)
    wait_until(lambda: _console_pid(stack) not in (None, before))
    page.reload()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    expect(page.get_by_test_id("stMetric").first).to_be_visible()

    settings.settings.cache_clear()
    edge._client.cache_clear()
    other_console = SessionStore()
    assert other_console.find(secret) is not None
    assert other_console.sign_out(secret)
    expect(page.get_by_text("Your session has ended.")).to_be_visible(timeout=10_000)
    edge._client().close()
    context.close()


def _console_pid(stack: Stack) -> int | None:
    """Of a console that answers."""
    process = stack.supervisor.running().get("console")
    try:
        is_well = httpx.get(f"{stack.console_url}/_stcore/health").status_code == 200
    except httpx.HTTPError:
        return None
    return process.pid if process and is_well else None
