"""A shopper buys on a phone, follows the order, and the analyst sees the sale.

One journey through every box: edge, storefront, four services, relay, workers, stream, folding,
report and console.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Response, expect, sync_playwright

from iac.local.browser import CHROMIUM_OPTIONS
from loadgen.journal import Journal
from pipeline.runtime.clock import new_id, now
from tests.conftest import PATIENCE_MS, Stack, wait_until

PHONE = {"width": 390, "height": 844}
SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(**CHROMIUM_OPTIONS)
        yield chromium
        chromium.close()


@pytest.fixture
def phone(browser: Browser, stack: Stack) -> Iterator[Page]:
    context = browser.new_context(viewport=PHONE, base_url=stack.edge_url, has_touch=True)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    yield page
    context.close()


def assert_accessible(page: Page) -> None:
    found = Axe().run(page)
    serious = [v["id"] for v in found.response["violations"] if v["impact"] in SERIOUS]
    assert serious == [], found.generate_report()


def assert_fits(page: Page) -> None:
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"], f"{page.url} scrolls sideways: {width} px"


def gross_of(stack: Stack) -> int:
    with stack.http() as http:
        report = http.get("/api/analytics/sales", params={"from": "2000-01-01", "to": "2100-01-01"})
        report.raise_for_status()
    totals: list[dict[str, Any]] = report.json()["totals"]
    return sum(row["gross"] for row in totals)


def test_a_guest_buys_on_a_phone_and_the_sale_is_reported(phone: Page, stack: Stack) -> None:
    gross_before = gross_of(stack)
    problems: list[str] = []
    phone.on("pageerror", lambda error: problems.append(str(error)))

    phone.goto("/")
    phone.get_by_role("button", name="Allow").click()
    assert_accessible(phone)
    assert_fits(phone)

    search = phone.get_by_role("combobox", name="Search the shop")
    search.fill("bots")  # a typo still finds boots
    search.press("Enter")
    results = phone.get_by_role("main").get_by_role("link", name=re.compile("boot", re.I))
    expect(results.first).to_be_visible()
    assert_accessible(phone)
    assert_fits(phone)

    results.first.click()
    add = phone.get_by_role("button", name=re.compile("add to cart", re.I))
    expect(add).to_be_visible()
    for fieldset in phone.get_by_role("main").locator("fieldset").all():
        fieldset.get_by_role("radio", disabled=False).first.check(force=True)
    assert_accessible(phone)
    add.click()
    expect(phone.get_by_role("link", name=re.compile("^cart, 1 item", re.I))).to_be_visible()

    phone.goto("/cart")
    assert_accessible(phone)
    assert_fits(phone)
    phone.get_by_role("link", name=re.compile("checkout", re.I)).first.click()
    fill_checkout(phone)
    assert_accessible(phone)
    with phone.expect_response(
        lambda answer: answer.url.endswith("/orders") and answer.request.method == "POST"
    ) as placed:
        phone.get_by_role("button", name=re.compile("place order", re.I)).click()
    note_in_a_journal(stack, placed.value)

    phone.wait_for_url("**/orders/*")
    progress = phone.get_by_role("list", name="Progress of the order")
    expect(progress).to_be_visible()
    assert_accessible(phone)
    assert_fits(phone)
    expect(progress.get_by_text("Delivered")).to_be_visible()
    # Its last step has its time only once it happened.
    expect(progress.get_by_text("(still to come)")).to_have_count(0, timeout=60_000)
    order_id = phone.url.split("?")[0].rsplit("/", 1)[1]
    order = phone.evaluate(f"fetch('/api/checkout/orders/{order_id}').then(r => r.json())")
    states = [entry["status"] for entry in order["timeline"]]
    assert states[:2] == ["placed", "paid"]
    wait_until(
        lambda: gross_of(stack) == gross_before + order["subtotal"]["amount_minor"], timeout_s=10
    )
    assert problems == []


def note_in_a_journal(stack: Stack, answer: Response) -> None:
    """What this client was told, for the proof to hold against the shop."""
    told = answer.json()
    journal = Journal(stack.names, f"browser-{new_id()}", now)
    journal.note(told["order_id"], told["total"], answer.headers["x-correlation-id"])
    journal.close()


def fill_checkout(page: Page) -> None:
    page.get_by_label("E-mail").fill("guest@example.com")
    page.get_by_label("Full name").fill("Ada Example")
    page.get_by_label("Street and number").fill("1 Test Street")
    page.get_by_label("Town or city").fill("London")
    page.get_by_label("Postcode").fill("N1 1AA")


def test_after_the_purchases_every_claim_holds(stack: Stack) -> None:
    proved = stack.run("run", "--", "-m", "pipeline.proof", timeout_s=600)
    assert proved.returncode == 0, proved.stdout
