"""A replica is lost under load: shoppers do not notice, and the console tells it as it was."""

import os
import re
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from checkout_shop import SYNTHETIC, an_order, put_on_sale
from load_page import a_page
from playwright.sync_api import Page, expect, sync_playwright

from console.queries import traces
from console.traces.search import RETRIED, Search
from iac.local.browser import CHROMIUM_OPTIONS
from pipeline.runtime import metric_reader
from pipeline.runtime.clock import now
from pipeline.runtime.metric_reader import Wanted, floor, named
from tests.conftest import PATIENCE_MS, Stack, wait_until

READERS, BUYERS = 3, 2
REFUSED = 5  # fewer than an alert needs: the alarms of other tests stay quiet


@pytest.fixture(scope="module")
def page(stack: Stack) -> Iterator[Page]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(**CHROMIUM_OPTIONS)
        page = a_page(chromium, stack, "operator", "/health")
        page.set_default_timeout(PATIENCE_MS)
        yield page
        chromium.close()


def counted(stack: Stack, metric: str, statistic: str, service: str) -> Counter[str]:
    """What CloudWatch holds of a service's answers in the last hours, by status class."""
    cloudwatch = stack.aws("cloudwatch")
    series = [
        found
        for found in metric_reader.list_series(cloudwatch, metric)
        if found.get("Service") == service
    ]
    wanted = [Wanted(metric, named(found), statistic) for found in series]
    until = floor(now(), 60) + timedelta(minutes=1)
    values = metric_reader.read(cloudwatch, wanted, until - timedelta(hours=2), until, 60)
    counts: Counter[str] = Counter()
    for found, by_minute in zip(series, values, strict=True):
        counts[found["Status"]] += round(sum(value for _, value in by_minute))
    return counts


def test_what_the_edge_refuses_for_want_of_a_replica_counts_as_bad(stack: Stack) -> None:
    by_edge = counted(stack, "EdgeAnswers", "Sum", "analytics")
    by_service = counted(stack, "RequestDuration", "SampleCount", "analytics")
    replicas = ("analytics-a", "analytics-b")
    try:
        for replica in replicas:
            stack.supervisor.stop_program(replica)
        with stack.http() as http:
            answers = [http.get("/api/analytics/freshness") for _ in range(REFUSED)]
    finally:
        for replica in replicas:
            stack.supervisor.start_program(replica)
    said = [(answer.status_code, answer.headers.get("retry-after")) for answer in answers]
    assert said == [(503, "1")] * REFUSED

    def told() -> bool:
        found = counted(stack, "EdgeAnswers", "Sum", "analytics")
        assert found["5xx"] - by_edge["5xx"] >= REFUSED
        return True

    wait_until(told, pause_s=0.5)
    # Nobody was there to count them: that is why the edge does.
    own = counted(stack, "RequestDuration", "SampleCount", "analytics")
    assert own["5xx"] == by_service["5xx"]


@contextmanager
def shoppers(stack: Stack, answers: Counter[str]) -> Iterator[None]:
    """A few who look at their carts and a few who buy, until the block ends."""
    sku, is_over = put_on_sale(stack, units=100_000), threading.Event()

    def look(http: httpx.Client) -> httpx.Response:
        return http.get("/api/checkout/cart")

    def buy(http: httpx.Client) -> httpx.Response:
        put = http.put(f"/api/checkout/cart/items/{sku}", json={"quantity": 1})
        if put.status_code != 200:
            return put
        headers = {"Idempotency-Key": uuid4().hex}
        return http.post("/api/checkout/orders", json=an_order(), headers=headers)

    def repeat(act: Callable[[httpx.Client], httpx.Response]) -> None:
        with stack.http() as http:
            http.headers.update(SYNTHETIC)
            while not is_over.is_set():
                try:
                    answers[f"{act.__name__} {act(http).status_code}"] += 1
                except httpx.HTTPError as error:
                    answers[f"{act.__name__} {type(error).__name__}"] += 1

    acts = [*[look] * READERS, *[buy] * BUYERS]
    people = [threading.Thread(target=repeat, args=(act,)) for act in acts]
    for person in people:
        person.start()
    try:
        yield
    finally:
        is_over.set()
        for person in people:
            person.join()


def test_a_replica_killed_under_load_is_shown_and_its_retried_requests_are_found(
    page: Page, stack: Stack
) -> None:
    began, answers = now(), Counter[str]()
    before = counted(stack, "EdgeAnswers", "Sum", "checkout")
    expect(page.get_by_text("The edge passes on")).to_be_visible()  # all is drawn
    with shoppers(stack, answers):
        wait_until(lambda: answers["look 200"] > 30 and answers["buy 201"] > 3)
        os.kill(stack.supervisor.running()["checkout-a"].pid, signal.SIGKILL)
        # It may be back before anybody looks; what the strip says of that stays for a minute.
        shown = re.compile("checkout-a:? (is down|started again)", re.IGNORECASE)
        expect(page.get_by_text(shown).first).to_be_visible()
    assert set(answers) == {"look 200", "buy 201"}, answers

    def retried() -> bool:
        until = now() + timedelta(seconds=5)
        wanted = Search(began, until, service="checkout", outcome=RETRIED)
        return bool(traces.search(wanted).found)

    wait_until(retried, pause_s=0.5)
    page.goto(f"/traces?last=15m&service=checkout&outcome={RETRIED}")
    expect(
        page.get_by_role("heading", name=re.compile(r"^\d+ requests? .* none failed"))
    ).to_be_visible()

    def told() -> bool:
        found = counted(stack, "EdgeAnswers", "Sum", "checkout")
        assert found.total() - before.total() >= answers["look 200"] + 2 * answers["buy 201"]
        return found["5xx"] == before["5xx"]

    wait_until(told, pause_s=0.5)
    wait_until(stack.is_well)


def test_a_page_whose_source_was_silent_looks_again_by_itself(stack: Stack, page: Page) -> None:
    silent = page.get_by_text("cannot be shown right now. X-Ray does not answer")
    stack.supervisor.stop_program("xray")
    try:
        page.goto("/traces")
        expect(silent.first).to_be_visible()
    finally:
        stack.supervisor.start_program("xray")
    expect(silent).to_have_count(0)
    expect(page.get_by_role("heading", name="Traces")).to_be_visible()
