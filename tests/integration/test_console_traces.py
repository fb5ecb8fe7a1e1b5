"""A purchase is found, opened and read in the console's traces, from the request to the lake."""

import re
import secrets
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import ReadTimeoutError
from checkout_shop import an_order, put_on_sale
from console_page import sign_in
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from console.queries import clients, traces
from console.queries.edge import Unreachable
from console.traces import service_map
from console.traces.domain import Trace
from console.traces.search import Search
from iac.local.browser import CHROMIUM_OPTIONS
from pipeline.runtime.clock import now
from tests.conftest import PATIENCE_MS, Stack, wait_until


@pytest.fixture(scope="module")
def purchase(stack: Stack) -> tuple[str, str]:
    """(trace id, order id) of a guest's order that the browser chose to sample."""
    trace_id = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    header = {"X-Amzn-Trace-Id": f"Root={trace_id};Sampled=1", "Idempotency-Key": uuid4().hex}
    sku = put_on_sale(stack, 10)
    with stack.http() as http:
        http.put(f"/api/checkout/cart/items/{sku}", json={"quantity": 1}).raise_for_status()
        placed = http.post("/api/checkout/orders", json=an_order(), headers=header)
    assert placed.status_code == 201, placed.text
    return trace_id, str(placed.json()["order_id"])


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(**CHROMIUM_OPTIONS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def operators(browser: Browser, stack: Stack) -> BrowserContext:
    """The browser of an operator who has signed in."""
    context = browser.new_context(base_url=stack.console_url)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    sign_in(page, "operator", "/traces")
    page.close()
    return context


@pytest.fixture
def page(operators: BrowserContext) -> Iterator[Page]:
    page = operators.new_page()
    yield page
    page.close()


@pytest.fixture
def silent_minute(stack: Stack) -> Iterator[datetime]:
    """The third last minute: as if the table did not answer for it."""
    silent = now().replace(second=0, microsecond=0) - timedelta(minutes=2)
    events = clients.quick("dynamodb").meta.events

    def refuse(request: AWSPreparedRequest, **_: Any) -> None:
        if f"TRACE#{silent:%Y-%m-%dT%H:%M}".encode() in (request.body or b""):
            raise ReadTimeoutError(endpoint_url=request.url)

    events.register("before-send.dynamodb.Query", refuse)
    yield silent
    events.unregister("before-send.dynamodb.Query", refuse)


def waits_of(trace: Trace | None) -> dict[str, str]:
    """Where each step had waited, by its name."""
    steps = trace.steps if trace else ()
    return {step.segment.label: step.wait for step in steps if step.wait}


def test_a_purchase_is_found_by_its_order_and_reaches_the_lake(
    purchase: tuple[str, str],
) -> None:
    trace_id, order_id = purchase

    def whole() -> Trace | None:
        trace = traces.find(trace_id)
        done = {step.segment.label for step in trace.steps} if trace else set()
        assert {"relay", "payment", "landing"} <= done
        assert any(label.startswith("S3") for label in done)
        # A wait is reckoned from the write before it, which another process sends in its own time.
        assert {"relay", "payment", "landing"} <= waits_of(trace).keys()
        return trace

    trace = wait_until(whole, pause_s=1)
    assert trace is not None
    assert trace.outcome == "ok"
    assert trace.path_ms > trace.response_ms > 0
    waits = waits_of(trace)
    assert waits["relay"] == "in the table's stream"
    assert waits["payment"] == "in the queue"
    assert waits["landing"] == "in the Kinesis stream"
    until = now() + timedelta(minutes=1)
    hour = until - timedelta(hours=1)
    asked = Search(hour, until, order_id=order_id)
    # The index is written by another process than the documents, in its own time.
    wait_until(lambda: traces.search(asked).source == "index", pause_s=1)
    findings = traces.search(asked)
    assert [found.trace_id for found in findings.found] == [trace_id]
    assert not traces.search(Search(hour, until, order_id=order_id, service="users")).found


def test_an_operator_opens_it_by_its_order_and_reads_every_step(
    page: Page, purchase: tuple[str, str]
) -> None:
    trace_id, order_id = purchase
    page.goto(f"/traces?order_id={order_id}")
    heading = page.get_by_role("heading", name=f"1 request with order id {order_id}")
    expect(heading).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_label("Order, correlation or trace id").fill(trace_id)
    page.get_by_label("Order, correlation or trace id").press("Enter")
    opened = page.get_by_role("heading", name=re.compile(r"POST .*orders answered 201 in"))
    expect(opened).to_be_visible(timeout=PATIENCE_MS)
    assert f"trace_id={trace_id}" in page.url
    page.get_by_text("The same as a table").click()
    for words in ("TransactWriteItems", "in the Kinesis stream", "PutObject"):
        expect(page.get_by_role("table").get_by_text(words).first).to_be_visible()
    expect(page.get_by_test_id("stGraphVizChart").locator("svg")).to_be_visible()
    logs = page.get_by_role("link", name="Its log lines")
    expect(logs).to_have_attribute("href", re.compile(r"/logs\?correlation_id=.+"))
    expect(page.get_by_text("went wrong")).to_have_count(0)


def test_a_click_on_the_map_leaves_the_traces_through_that_node(
    page: Page, purchase: tuple[str, str]
) -> None:
    trace_id, order_id = purchase

    def is_paid() -> bool:
        trace = traces.find(trace_id)
        return trace is not None and service_map.passes(trace, "payment")

    wait_until(is_paid, pause_s=1)
    page.goto(f"/traces?order_id={order_id}")
    boxes = page.get_by_test_id("stGraphVizChart").locator("g.node a")
    payment = boxes.filter(has=page.get_by_text("payment", exact=True))
    payment.click(timeout=PATIENCE_MS)
    narrowed = page.get_by_role(
        "heading", name=f"1 request through payment with order id {order_id}"
    )
    expect(narrowed).to_be_visible(timeout=PATIENCE_MS)
    assert f"order_id={order_id}" in page.url and "node=payment" in page.url
    # Where a script does not run, or in a new tab, the same box is a link to the same view.
    relay = boxes.filter(has=page.get_by_text("relay", exact=True))
    address = relay.evaluate("link => link.href.baseVal")
    assert address == f"/traces?order_id={order_id}&node=relay"
    payment.click()
    expect(narrowed).to_have_count(0)
    assert "node=" not in page.url


def test_two_traces_are_compared_step_by_step(
    page: Page, stack: Stack, purchase: tuple[str, str]
) -> None:
    trace_id, _ = purchase
    other_id = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    with stack.http() as http:
        headers = {"X-Amzn-Trace-Id": f"Root={other_id};Sampled=1"}
        http.get("/api/checkout/cart", headers=headers).raise_for_status()
    wait_until(lambda: traces.find(other_id), pause_s=0.5)
    page.goto(f"/traces?trace_id={trace_id}&with={other_id}")
    expect(
        page.get_by_role("heading", name=re.compile("^The other took .* shorter; "))
    ).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text("Steps aligned by the names on the way to them")).to_be_visible()


def test_a_trace_opened_before_it_arrived_is_shown_when_it_has(page: Page, stack: Stack) -> None:
    # Made late: a trace is awaited for two minutes from the time in its id.
    trace_id = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    page.goto(f"/traces?trace_id={trace_id}")
    awaited = page.get_by_role("heading", name="This trace has not arrived yet")
    expect(awaited).to_be_visible(timeout=PATIENCE_MS)
    with stack.http() as http:
        headers = {"X-Amzn-Trace-Id": f"Root={trace_id};Sampled=1"}
        http.get("/api/checkout/cart", headers=headers).raise_for_status()
    opened = page.get_by_role("heading", name=re.compile(r"answered 200 in .* m?s$"))
    expect(opened).to_be_visible(timeout=PATIENCE_MS)
    expect(awaited).to_have_count(0)


@pytest.mark.parametrize(
    "begun", [f"{int(time.time()) - 3600:08x}", "ffffffff"], ids=["an hour ago", "in 2106"]
)
def test_a_trace_that_never_came_is_not_awaited_for_ever(
    page: Page, stack: Stack, begun: str
) -> None:
    page.goto(f"/traces?trace_id=1-{begun}-{secrets.token_hex(12)}")
    expect(page.get_by_role("heading", name="X-Ray has no such trace")).to_be_visible(
        timeout=PATIENCE_MS
    )
    expect(page.get_by_text("looked at again every")).to_have_count(0)


def test_an_analyst_is_refused(browser: Browser, stack: Stack) -> None:
    page = browser.new_page(base_url=stack.console_url)
    sign_in(page, "analyst", "/traces")
    expect(page.get_by_text("This page is for operators.")).to_be_visible(timeout=PATIENCE_MS)


def test_an_x_ray_that_does_not_answer_is_said_in_a_sentence(
    emulator: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_XRAY", "http://127.0.0.1:9")
    traces.forget_client()
    try:
        with pytest.raises(Unreachable, match="X-Ray does not answer"):
            traces.find(f"1-{int(time.time()):08x}-{secrets.token_hex(12)}")
    finally:
        monkeypatch.undo()
        traces.forget_client()


def test_a_minute_that_does_not_answer_hides_none_after_it(
    silent_minute: datetime, purchase: tuple[str, str]
) -> None:
    at, minute = now(), timedelta(minutes=1)
    findings = traces.search(Search(at - 30 * minute, at + minute))
    assert not findings.is_whole
    assert findings.looked_from == silent_minute + minute
    with pytest.raises(Unreachable):
        traces.search(Search(at - 30 * minute, silent_minute + minute / 2))
