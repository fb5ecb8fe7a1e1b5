"""The console's Load page as an operator finds it, for the tests of load runs."""

import re
from typing import Any

from console_page import persist, sign_in
from playwright.sync_api import Browser, Locator, Page, expect

from loadgen.record import Records
from loadgen.scenarios import SHAPES, Scenario
from tests.conftest import Stack


def a_page(browser: Browser, stack: Stack, who: str, path: str = "/load") -> Page:
    """The load page of somebody who has just signed in, in a browser of their own."""
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, base_url=stack.console_url
    )
    page = context.new_page()
    sign_in(page, who, path)
    return page


def choose(page: Page, scenario: str, **values: int) -> None:
    """Fill in the form: `users`, `ramp`, `duration`."""
    option = page.get_by_role("radiogroup", name="Scenario").get_by_text(scenario)
    # Until then the fields are those of the scenario before, and forget what they are given.
    meaning = page.get_by_text(SHAPES[Scenario(scenario.lower().replace(" ", "-"))].meaning)

    def pick_scenario() -> None:
        option.click(timeout=5_000)
        expect(meaning).to_be_visible(timeout=5_000)

    persist(pick_scenario)
    settled = page.locator("[data-test-script-state=notRunning]")
    expect(settled).to_be_attached()
    labels = {"users": "Users", "ramp": "Ramp, seconds", "duration": "Duration, seconds"}
    for name, value in values.items():
        field = page.get_by_role("spinbutton", name=labels[name])
        persist(lambda field=field, text=str(value): _enter(field, text))
        expect(settled).to_be_attached()
        expect(field).to_have_value(str(value))


def _enter(field: Locator, text: str) -> None:
    field.fill(text, timeout=5_000)
    field.press("Enter", timeout=5_000)


def pick(page: Page, label: str, option: re.Pattern[str]) -> None:
    """Choose from a list, opening it again where the page was drawn anew and closed it."""
    choice = page.get_by_role("option", name=option).first

    def choose_it() -> None:
        page.get_by_role("combobox", name=label).click(timeout=5_000)
        choice.click(timeout=5_000)

    persist(choose_it)


def records(stack: Stack) -> Records:
    return Records(stack.table("ops"))


def ended(stack: Stack, run_id: str) -> dict[str, Any] | None:
    head = records(stack).find(run_id)
    return head if head and head["status"] in ("stopped", "finished", "failed") else None
