"""Takes the pictures of docs/console.md from the running shop: every page, on a desk and a phone.

    make up prove load DURATION=60; .venv/bin/python -m tests.e2e.screenshots [page …]

The first three give the pages something to show. Afterwards look at each picture.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from itertools import product
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from iac.local.browser import CHROMIUM_OPTIONS
from iac.local.ports import ROOT, Addresses
from iac.local.supervise import Supervisor
from tests.integration.console_page import session_cookie

PASSWORD = "demo-Shop-2026!"
FOLDER = ROOT / "docs" / "images"
MAX_BYTES = 120_000
WAIT_MS = 90_000
DESK, PHONE = (1440, 1500), (390, 1700)


def _nothing(page: Page) -> None:
    """Opening the page is all."""


def _run_query(page: Page) -> None:
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("in DuckDB")).to_be_visible()


def _stop_a_replica(page: Page) -> None:
    Supervisor(Addresses.from_environ(os.environ)).stop_program("catalog-b")
    expect(page.get_by_text("Catalog-b is down")).to_be_visible()


@dataclass(frozen=True, slots=True)
class Picture:
    """`path` is opened, `prepare` done, and `words` waited for."""

    name: str
    path: str
    words: str
    prepare: Callable[[Page], None] = _nothing
    scheme: str = "light"
    on_phone: bool = True


PICTURES = (
    Picture("overview", "/", "The last proof"),
    Picture("today", "/today", "Newest order"),
    Picture("sales", "/sales?range=28d", "sells best"),
    Picture("customers", "/customers", "brought"),
    Picture("behaviour", "/behaviour", "come by"),
    Picture("explore", "/explore", "Tables", _run_query),
    Picture("proof", "/proof", "Proofs so far"),
    Picture("load", "/load", "Envoy counted"),
    Picture("traces", "/traces", "Requests, newest first"),
    Picture("reconciliation", "/reconciliation", "Reconciliations so far"),
    Picture("system", "/system", "What people did today"),
    Picture("system-down", "/system", "What people did today", _stop_a_replica, "dark", False),
    Picture("health", "/health", "The edge passes on"),
    Picture("slos", "/slos", "Correctness: "),
    Picture("alarms", "/alarms", "What changed"),
    Picture("quarantine", "/quarantine", "Every case is in one state"),
    Picture("logs", "/logs", "of them errors"),
)


@contextmanager
def signed_in(browser: Browser, url: str, size: tuple[int, int], scheme: Any) -> Iterator[Page]:
    context = browser.new_context(
        base_url=url, viewport={"width": size[0], "height": 900}, color_scheme=scheme
    )
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    page.goto("/")
    page.get_by_label("E-mail").fill("operator@demo.shop")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("As of").first).to_be_visible()
    session_cookie(context)
    yield page
    context.close()


def take(page: Page, picture: Picture, size: tuple[int, int]) -> bytes:
    """A PNG from the top of the page down to its end, or to the height of `size`."""
    width, most = size
    page.set_viewport_size({"width": width, "height": most})
    page.goto(picture.path)
    expect(page.get_by_text(picture.words).first).to_be_attached()
    picture.prepare(page)
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    expect(page.locator("[data-test-script-state=notRunning]")).to_be_attached()
    page.wait_for_timeout(2500)  # charts grow into their places, which nothing tells
    long = page.evaluate(
        "document.querySelector('[data-testid=stMainBlockContainer]').getBoundingClientRect().height"
    )
    page.set_viewport_size({"width": width, "height": max(700, min(most, int(long)))})
    page.wait_for_timeout(700)
    return page.screenshot()


def small(png: bytes) -> bytes:
    """With as many colours as fit: flat areas and text need few."""
    image = Image.open(BytesIO(png)).convert("RGB")
    for colours in (128, 64, 32, 16):
        sink = BytesIO()
        image.quantize(colours, dither=Image.Dither.NONE).save(sink, "PNG", optimize=True)
        if sink.tell() <= MAX_BYTES:
            break
    return sink.getvalue()


def take_all(browser: Browser, url: str, wanted: list[Picture]) -> None:
    # The dark ones last: for them something is broken.
    for scheme, size in product(("light", "dark"), (DESK, PHONE)):
        is_phone = size == PHONE
        group = [p for p in wanted if p.scheme == scheme and (p.on_phone or not is_phone)]
        if not group:
            continue
        with signed_in(browser, url, size, scheme) as page:
            for picture in group:
                png = small(take(page, picture, size))
                path = FOLDER / f"console-{picture.name}{'-phone' if is_phone else ''}.png"
                path.write_bytes(png)
                sys.stdout.write(f"{path.name}: {len(png) // 1000} KB\n")


def main(names: list[str]) -> None:
    at = Addresses.from_environ(os.environ)
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**CHROMIUM_OPTIONS)
        try:
            take_all(
                browser, at.url(at.console), [p for p in PICTURES if p.name in names or not names]
            )
        finally:
            browser.close()
            Supervisor(at).start_program("catalog-b")


if __name__ == "__main__":
    main(sys.argv[1:])
