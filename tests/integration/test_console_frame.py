"""What all pages have in common: the session, the line above them, no barrier, room on a phone."""

import os
import re
from collections.abc import Iterator

import httpx
import pytest
from console_page import barriers, sign_in, wait_for_whole_page
from playwright.sync_api import Browser, Page, expect, sync_playwright

from console import settings
from console.pages import ENTRIES
from console.queries import edge
from console.sessions import SessionStore
from iac.local.browser import CHROMIUM_OPTIONS
from tests.conftest import Stack, wait_until

DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
SCREENS = {"light": DESK, "dark": PHONE}
expect.set_options(timeout=20_000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(**CHROMIUM_OPTIONS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module", params=list(SCREENS))
def screen(request: pytest.FixtureRequest, browser: Browser, stack: Stack) -> Iterator[Page]:
    """An operator's, on a desk in the light theme and on a phone in the dark one."""
    context = browser.new_context(
        base_url=stack.console_url, color_scheme=request.param, viewport=SCREENS[request.param]
    )
    page = context.new_page()
    page.goto("/sales")
    expect(page.get_by_label("E-mail")).to_be_visible()
    assert barriers(page) == []
    sign_in(page, "operator")
    expect(page.get_by_text("As of").first).to_be_visible()
    wait_until(context.cookies, timeout_s=10)
    yield page
    context.close()


@pytest.mark.parametrize("name", [entry.name for entry in ENTRIES])
def test_a_page_tells_its_age_has_no_serious_barrier_and_fits(
    screen: Page, stack: Stack, name: str
) -> None:
    screen.goto(f"/{name}")
    wait_for_whole_page(screen)
    line = screen.get_by_test_id("stMarkdownContainer").filter(has_text="As of").first
    expect(line).to_have_text(
        re.compile(rf"{stack.at.stage} As of \d\d \w+ \d{{4}} \d\d:\d\d:\d\d UTC .*times in UTC")
    )
    assert barriers(screen) == []
    widths = screen.evaluate(
        "[document.documentElement, document.querySelector('[data-testid=stMain]')]"
        ".map(box => box.scrollWidth - box.clientWidth)"
    )
    assert widths == [0, 0]
    expect(screen.get_by_text("on our side")).to_have_count(0)


def test_a_session_outlives_its_console_and_a_sign_out_elsewhere_ends_it(
    browser: Browser, stack: Stack
) -> None:
    context = browser.new_context(base_url=stack.console_url)
    page = context.new_page()
    sign_in(page, "analyst", "/sales?range=7d")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    cookie = wait_until(lambda: next(iter(context.cookies()), None), timeout_s=10)
    assert cookie is not None
    before = stack.supervisor.running()["console"].pid
    os.kill(before, 9)
    wait_until(lambda: _console_pid(stack) not in (None, before), timeout_s=40)
    page.reload()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    expect(page.get_by_test_id("stMetric").first).to_be_visible()

    settings.settings.cache_clear()
    edge._client.cache_clear()
    other_console = SessionStore()
    assert other_console.find(cookie["value"]) is not None
    assert other_console.sign_out(cookie["value"])
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
