"""The health pages: what is up, counted right, promised, watched and written, in a real browser."""

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from console_page import audit_entries, persist, press, sign_in, wait_until_live
from load_page import pick
from playwright.sync_api import Browser, Page, expect, sync_playwright

from console.queries import metrics
from iac.local.browser import CHROMIUM_OPTIONS
from iac.local.ports import ROOT, process_environment
from pipeline.runtime.clock import now
from tests.conftest import PATIENCE_MS, Stack, most_of_three, wait_until

CORRELATION = f"health-{int(time.time())}"
REQUESTS = 25
ALARM = "dead-letters-stream-failures"
GIVEN_UP = "A message was given up after its last attempt."
NOTED = "noted by operator@demo.shop"
VICTIMS = ("analytics-b", "catalog-b", "users-b")
WELL = "Edge, services, streams, queues, functions and stores are well"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(**CHROMIUM_OPTIONS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def counted_before(stack: Stack) -> tuple[datetime, int]:
    """Sends the requests that later tests look for: (the minute they begin in, how many of their
    kind there were in it before)."""
    minute = now().replace(second=0, microsecond=0)
    (before,) = wait_until(lambda: [_answers_of_categories(minute)])
    with stack.http() as http:
        for _ in range(REQUESTS):
            trace = f"Root=1-{int(time.time()):08x}-{uuid4().hex[:24]};Sampled=1"  # so it is logged
            headers = {"X-Correlation-Id": CORRELATION, "X-Amzn-Trace-Id": trace}
            http.get("/api/catalog/categories?probe=1", headers=headers).raise_for_status()
    return minute, before


@pytest.fixture(scope="module")
def page(browser: Browser, stack: Stack, counted_before: tuple[datetime, int]) -> Iterator[Page]:
    context = browser.new_context(
        base_url=stack.console_url, viewport={"width": 1440, "height": 900}
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    _sign_in(page, "/health")
    yield page
    context.close()


def _sign_in(page: Page, path: str) -> None:
    sign_in(page, "operator", path)
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def _answers_of_categories(since: datetime) -> int:
    frame = metrics.History(metrics.SPANS["1h"]).read()
    rows = frame.filter(
        (frame["service"] == "catalog")
        & (frame["route"] == "GET /categories")
        & (frame["at"] >= since)
    )
    return sum(metrics.histogram(rows))


def test_the_strip_names_a_killed_replica_within_five_seconds(page: Page, stack: Stack) -> None:
    expect(page.get_by_text("The edge passes on")).to_be_visible()  # all is drawn
    # Whatever was restarted before is named for a minute.
    expect(page.get_by_text(WELL)).to_be_visible(timeout=3 * PATIENCE_MS)
    killed: list[str] = []

    def kill_and_see() -> None:
        # Another one each time: the one before is named for a minute, and nobody waits for that.
        killed.append(VICTIMS[len(killed)])
        expect(page.get_by_text(re.compile("is down"))).to_have_count(0)
        wait_until_live(page)
        stack.kill(killed[-1])
        try:
            said = page.get_by_text(re.compile(f"{killed[-1]} is down", re.IGNORECASE))
            expect(said).to_be_visible(timeout=5_000)
        finally:
            stack.supervisor.start_program(killed[-1])

    most_of_three(kill_and_see)
    again = re.compile(rf"{killed[-1]} started again \d+ s ago", re.IGNORECASE)
    expect(page.get_by_text(again)).to_be_visible()


def test_cloudwatch_counts_exactly_the_requests_that_were_made(
    counted_before: tuple[datetime, int],
) -> None:
    minute, before = counted_before

    def all_arrived() -> bool:
        found = _answers_of_categories(minute) - before
        assert found >= REQUESTS, f"{found} so far"
        return found == REQUESTS

    wait_until(all_arrived, pause_s=0.5)


def test_an_alarm_goes_off_and_an_operator_takes_note_of_it(
    page: Page, stack: Stack, given_up: str
) -> None:
    sqs, sns = stack.aws("sqs"), stack.aws("sns")
    url = sqs.create_queue(QueueName="listens-to-alarms")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    topic = sns.create_topic(Name=stack.names.of("alarms"))["TopicArn"]
    told = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn["QueueArn"])
    try:
        _give_up_a_message(stack, given_up)
        page.goto("/alarms")
        _take_note(page)
        name = stack.names.of(ALARM)

        def ours() -> dict[str, Any] | None:
            found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)  # others may burn too
            bodies = [
                json.loads(json.loads(m["Body"])["Message"]) for m in found.get("Messages", [])
            ]
            return next((b for b in bodies if b["AlarmName"] == name), None)

        body = wait_until(ours)
    finally:
        sns.unsubscribe(SubscriptionArn=told["SubscriptionArn"])
        sqs.delete_queue(QueueUrl=url)
    assert body is not None and body["NewStateValue"] == "ALARM"
    entry = audit_entries(stack, "alarm.acknowledge")[0]
    assert (entry["target"], entry["result"]) == (ALARM, "ok")


def test_an_alarm_that_goes_off_again_has_been_noted_by_nobody(
    page: Page, stack: Stack, given_up: str
) -> None:
    _give_up_a_message(stack, given_up)
    page.goto("/alarms")
    _take_note(page)
    # The message stays, so the next look at the queue sets the alarm off once more.
    stack.aws("cloudwatch").set_alarm_state(
        AlarmName=stack.names.of(ALARM), StateValue="OK", StateReason="It was redriven"
    )
    expect(page.get_by_text(NOTED)).to_have_count(0)
    expect(page.get_by_text(GIVEN_UP)).to_be_visible()
    expect(page.get_by_text(NOTED)).to_have_count(0)


@pytest.fixture
def given_up(stack: Stack) -> Iterator[str]:
    """The streams' dead-letter queue, empty again at the end. A message keeps its alarm on for as
    long as it is there; a datum alone does so for a minute, which a slow machine needs for less."""
    sqs = stack.aws("sqs")
    url = sqs.get_queue_url(QueueName=stack.names.of("stream-failures"))["QueueUrl"]
    yield url
    sqs.purge_queue(QueueUrl=url)


def _give_up_a_message(stack: Stack, url: str) -> None:
    """And say so at once, as the observer does within ten seconds."""
    stack.aws("sqs").send_message(QueueUrl=url, MessageBody="{}")
    stack.aws("cloudwatch").put_metric_data(
        Namespace="HighAvailabilityShop",
        MetricData=[{
            "MetricName": "DeadLetters", "Value": 1.0,
            "Dimensions": [{"Name": "Queue", "Value": "stream-failures"}],
        }],
    )  # fmt: skip


def _take_note(page: Page) -> None:
    expect(page.get_by_text(GIVEN_UP)).to_be_visible()
    persist(lambda: page.get_by_role("button", name="Acknowledge…").click(timeout=5_000))
    # On a slow machine the latency's budget may burn as well, and stand first in the list.
    pick(page, "Alarm", re.compile(re.escape(ALARM)))
    persist(lambda: page.get_by_label("Note", exact=True).fill("Looking at it", timeout=5_000))
    press(page, "Acknowledge")
    expect(page.get_by_text(NOTED)).to_be_visible()


def test_the_log_of_a_request_is_found_by_its_correlation_id(page: Page) -> None:
    page.goto(f"/logs?correlation_id={CORRELATION}&minutes=60")
    expect(page.get_by_text(f"{REQUESTS} lines, 0 of them errors")).to_be_visible()


@pytest.fixture
def lonely_console(stack: Stack, tmp_path: Path) -> Iterator[str]:
    """A console whose CloudWatch and X-Ray refuse, and whose file of objectives has a fault."""
    document: dict[str, Any] = json.loads((ROOT / "iac/topology/slo.json").read_text())
    document["objectives"]["latency"]["objective"] = 99.5
    (tmp_path / "slo.json").write_text(json.dumps(document))
    with socket.socket() as free, socket.socket() as dead:
        free.bind(("127.0.0.1", 0))
        dead.bind(("127.0.0.1", 0))  # bound and not listening: it refuses
        port = free.getsockname()[1]
        free.close()
        refusing = f"http://127.0.0.1:{dead.getsockname()[1]}"
        env = process_environment(stack.at) | {
            "AWS_ENDPOINT_URL_CLOUDWATCH": refusing,
            "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": refusing,
            "AWS_ENDPOINT_URL_XRAY": refusing,
            "HAS_SLO_FILE": str(tmp_path / "slo.json"),
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


def test_a_bad_file_a_dead_cloudwatch_and_a_dead_x_ray_each_say_so_and_the_rest_works(
    browser: Browser, lonely_console: str
) -> None:
    page = browser.new_page(base_url=lonely_console)
    _sign_in(page, "/slos")
    expect(page.get_by_text("objectives.latency.objective", exact=True)).to_be_visible()
    expect(page.get_by_text("less than 1 (it is 99.5)")).to_be_visible()
    expect(page.get_by_text("The objective availability: refuses connections")).to_be_visible()
    expect(page.get_by_text("Correctness: ")).to_be_visible()
    page.goto("/health")
    expect(page.get_by_text("CloudWatch: refuses connections. Rate, errors")).to_be_visible()
    expect(page.get_by_text("The edge passes on")).to_be_visible()
    page.goto("/alarms")
    expect(page.get_by_text("Whether an alarm is on is unknown")).to_be_visible()
    page.goto("/logs")
    expect(page.get_by_text("CloudWatch Logs does not answer")).to_be_visible()
    page.goto("/traces?last=24h&service=catalog")
    expect(page.get_by_text("X-Ray does not answer").first).to_be_visible()
    expect(page.get_by_text("Requests, newest first")).to_be_visible()  # from the index
    expect(page.get_by_text("Traceback")).to_have_count(0)
    page.close()
