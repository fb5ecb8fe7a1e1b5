"""What an analyst and an operator see in the console, in a real browser against a real shop."""

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from checkout_shop import an_order, put_on_sale
from console_page import (
    ask_to_sign_in,
    audit_entries,
    press,
    session_cookie,
    sign_in,
    wait_until_live,
)
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from console.pages import ENTRIES
from console.wording import money_short
from iac.local.browser import CHROMIUM_OPTIONS
from iac.local.ports import ROOT, process_environment
from pipeline.contracts.ids import order_number
from tests.conftest import PATIENCE_MS, Stack, most_of_three, wait_until


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(**CHROMIUM_OPTIONS)
        yield chromium
        chromium.close()


@pytest.fixture
def context(browser: Browser, stack: Stack) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=stack.console_url)
    made.set_default_timeout(PATIENCE_MS)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def buy(stack: Stack, quantity: int = 2) -> str:
    """A guest's order through the edge; returns its id."""
    sku = put_on_sale(stack, 10)
    with stack.http() as http:
        http.put(f"/api/checkout/cart/items/{sku}", json={"quantity": quantity}).raise_for_status()
        headers = {"Idempotency-Key": uuid4().hex}
        placed = http.post("/api/checkout/orders", json=an_order(), headers=headers)
    assert placed.status_code == 201, placed.text
    return str(placed.json()["order_id"])


def todays_totals(stack: Stack) -> dict[str, Any]:
    today = datetime.now(UTC).date()
    period = {"from": today.isoformat(), "to": (today + timedelta(days=1)).isoformat()}
    with stack.http() as http:
        answer = http.get("/api/analytics/sales", params=period).raise_for_status().json()
    return next((row for row in answer["totals"] if row["currency"] == "GBP"), {"orders": 0})


def figure(page: Page, label: str) -> str:
    """The value on the card with this label."""
    card = page.get_by_test_id("stMetric").filter(has_text=label).first
    return card.get_by_test_id("stMetricValue").inner_text()


def test_an_analyst_sees_the_totals_that_the_api_reports(page: Page, stack: Stack) -> None:
    buy(stack)
    wait_until(lambda: todays_totals(stack)["orders"] > 0)
    sign_in(page, "analyst", "/sales?range=today")
    expect(page.get_by_role("heading", name="Sales", exact=True)).to_be_visible()

    def agree() -> bool:
        totals = todays_totals(stack)
        shown = (figure(page, "Orders"), figure(page, "Net revenue"), figure(page, "Units"))
        wanted = (totals["orders"], money_short(totals["net"], "GBP"), totals["units"])
        assert shown == (f"{wanted[0]:,}", wanted[1], f"{wanted[2]:,}")
        return True

    wait_until(agree, pause_s=0.5)


def test_a_purchase_appears_within_ten_seconds_without_a_reload(page: Page, stack: Stack) -> None:
    sign_in(page, "analyst", "/sales?range=today")
    expect(page.get_by_test_id("stMetric").first).to_be_visible()

    def orders() -> int:
        return int(figure(page, "Orders").replace(",", ""))

    def buy_and_see() -> None:
        before, number = orders(), order_number(buy(stack))
        expect(page.get_by_role("heading", name=f"Latest order: {number}")).to_be_visible(
            timeout=10_000
        )
        wait_until(lambda: orders() > before, timeout_s=8)

    most_of_three(buy_and_see)


def test_a_refresh_keeps_the_session_and_the_browser_holds_no_token(
    page: Page, context: BrowserContext
) -> None:
    sign_in(page, "analyst", "/sales?range=7d")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    cookie = session_cookie(context)
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    page.reload()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    assert "range=7d" in page.url
    kept = page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")
    assert "eyJ" not in kept + page.url + page.content(), "a JWT begins with eyJ"
    assert cookie["value"] not in kept + page.url + page.content()

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("E-mail")).to_be_visible()
    page.reload()
    expect(page.get_by_label("E-mail")).to_be_visible()


def test_a_shopper_is_refused_with_a_reason(page: Page) -> None:
    ask_to_sign_in(page, "shopper")
    expect(page.get_by_text("This is a shopper's account.")).to_be_visible()
    expect(page.get_by_label("E-mail")).to_be_visible()


def test_an_analyst_is_refused_the_operators_pages(page: Page) -> None:
    sign_in(page, "analyst", "/system")
    expect(page.get_by_text("This page is for operators.")).to_be_visible()
    expect(page.get_by_role("link", name="System")).to_have_count(0)
    expect(page.get_by_text("Services by zone")).to_have_count(0)


def test_an_operator_stops_a_replica_and_sees_it_down_within_five_seconds(
    page: Page, stack: Stack
) -> None:
    sign_in(page, "operator", "/system")
    expect(page.get_by_text("All 8 replicas are ready in both zones")).to_be_visible()
    page.get_by_role("radiogroup", name="Zone").get_by_text("b", exact=True).click()

    def stop_and_see() -> None:
        wait_until(stack.is_well)
        press(page, "Stop")
        wait_until_live(page)
        expect(page.get_by_text("Catalog-b is down")).to_have_count(0)
        try:
            press(page, "Yes, stop catalog-b")
            expect(page.get_by_text("Done: stop catalog-b.")).to_be_visible()
            expect(page.get_by_text("Catalog-b is down")).to_be_visible(timeout=5_000)
            row = page.get_by_role("row").filter(has_text="catalog").first
            expect(row.get_by_text("down: refuses connections")).to_be_visible(timeout=5_000)
        finally:
            stack.supervisor.start_program("catalog-b")
            expect(page.get_by_text("All 8 replicas are ready in both zones")).to_be_visible()

    most_of_three(stop_and_see)
    entry = audit_entries(stack, "replica.stop")[0]
    assert (entry["actor"], entry["target"], entry["result"]) == (
        "operator@demo.shop", "catalog-b", "ok",
    )  # fmt: skip


def test_a_killed_replica_shows_as_down_within_five_seconds(page: Page, stack: Stack) -> None:
    sign_in(page, "operator", "/system")
    expect(page.get_by_text("All 8 replicas are ready in both zones")).to_be_visible()

    def kill_and_see() -> None:
        wait_until(stack.is_well)
        wait_until_live(page)
        expect(page.get_by_text("Users-b is down")).to_have_count(0)
        stack.kill("users-b")
        try:
            expect(page.get_by_text("Users-b is down")).to_be_visible(timeout=5_000)
        finally:
            expect(page.get_by_text("All 8 replicas are ready in both zones")).to_be_visible()

    most_of_three(kill_and_see)


@pytest.fixture
def lonely_console(stack: Stack) -> Iterator[str]:
    """A console of the same shop whose AWS does not answer; yields its URL."""
    with socket.socket() as free, socket.socket() as dead:
        free.bind(("127.0.0.1", 0))
        dead.bind(("127.0.0.1", 0))  # bound and not listening: it refuses
        port = free.getsockname()[1]
        free.close()
        env = process_environment(stack.at) | {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{dead.getsockname()[1]}"
        }
        process = subprocess.Popen(
            [*(sys.executable, "-m", "streamlit", "run", "console/app.py"),
             *("--server.port", str(port))],
            cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        url = f"http://127.0.0.1:{port}"
        try:
            wait_until(lambda: _answers(f"{url}/_stcore/health"))
            yield url
        finally:
            process.terminate()
            process.wait(60)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.HTTPError:
        return False


def test_a_dead_aws_shows_red_panels_beside_those_that_still_work(
    page: Page, lonely_console: str
) -> None:
    sign_in(page, "operator", f"{lonely_console}/system")
    for words in ("Queues do not answer", "Tables do not answer", "The lake does not answer"):
        expect(page.get_by_text(words)).to_be_visible()
    expect(page.get_by_text("All 8 replicas are ready in both zones")).to_be_visible()

    page.goto(f"{lonely_console}/sales?range=7d")
    expect(page.get_by_text("The orders table does not answer")).to_be_visible()
    expect(page.get_by_test_id("stMetric").first).to_be_visible()
    for entry in ENTRIES:
        page.goto(f"{lonely_console}/{entry.name}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator("[data-test-script-state=notRunning]")).to_be_attached()
        expect(page.get_by_text(re.compile("Traceback|Error:|botocore|our side"))).to_have_count(0)
