"""From a load run's slowest request to its trace and its log lines, and one run beside another."""

import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from console_page import press
from load_page import a_page, choose, ended, pick, records
from playwright.sync_api import Locator, Page, expect, sync_playwright

from iac.local.browser import CHROMIUM_OPTIONS
from iac.local.ports import ROOT, process_environment
from pipeline.runtime.clock import new_id
from tests.conftest import PATIENCE_MS, Stack, wait_until

SECONDS = 10


@pytest.fixture
def earlier_run(stack: Stack) -> str:
    """A small run that has ended; its id."""
    run_id = new_id()
    options = ["--users", "5", "--ramp", "0", "--duration", str(SECONDS), "--run-id", run_id]
    done = subprocess.run(
        [sys.executable, "-m", "loadgen", *options],
        cwd=ROOT, env=process_environment(stack.at) | stack.env,
        stdout=subprocess.DEVNULL, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), "0 passed, 1 did not meet the objectives"
    return run_id


@pytest.fixture
def page(stack: Stack) -> Iterator[Page]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(**CHROMIUM_OPTIONS)
        page = a_page(chromium, stack, "operator")
        page.set_default_timeout(PATIENCE_MS)
        yield page
        chromium.close()


def has_kept_traces(stack: Stack, run_id: str) -> bool:
    """Whether the shop has kept the trace of a request among the slowest of a run."""
    minutes = records(stack).minutes(run_id).values()
    return any(slow["is_kept"] for minute in minutes for slow in minute["slowest"])


def follow(link: Locator) -> Page:
    """The page that a link opens, in a tab of its own."""
    with link.page.context.expect_page() as opened:
        link.click()
    return opened.value


def test_an_operator_follows_a_slow_request_of_a_run_and_compares_it_with_the_last(
    page: Page, stack: Stack, earlier_run: str
) -> None:
    # Longer than anything below may wait: it ends because somebody stops it.
    choose(page, "Flash sale", users=25, ramp=0, duration=600)
    press(page, "Start")
    expect(page.get_by_text("Flash-sale is running, 25 users")).to_be_visible()
    run_id = str(records(stack).list_runs()[0]["run_id"])
    assert run_id != earlier_run
    # One in twenty is sampled, so that some of hundreds of requests have a trace.
    wait_until(lambda: has_kept_traces(stack, run_id))
    press(page, "Stop")
    wait_until(lambda: ended(stack, run_id), timeout_s=300)
    # What stands below a run that is over, not what a live part still draws.
    expect(page.get_by_role("link", name=re.compile("^Every kept request of this"))).to_be_visible()
    expect(page.get_by_role("heading", name="Slowest requests")).to_be_visible()

    trace = follow(page.get_by_role("link", name="Trace", exact=True).first)
    # A request of a moment ago; its last steps may still be on their way.
    expect(
        trace.get_by_role("heading", name=re.compile(r"answered \d+ in .* m?s$"))
    ).to_be_visible()
    logs = follow(trace.get_by_role("link", name="Its log lines"))
    expect(logs.get_by_text(re.compile(r"^\d+ lines?, \d+ of them errors$"))).to_be_visible()
    assert f"correlation_id=load-{run_id}-" in logs.url

    page.bring_to_front()
    pick(page, "Compare with", re.compile("normal, 5 users"))
    expect(page.get_by_role("heading", name=re.compile("^p95 is "))).to_be_visible()
    expect(page.get_by_role("columnheader", name="Change")).to_be_visible()
    assert f"with={earlier_run}" in page.url
