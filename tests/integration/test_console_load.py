"""Load runs from the console and the command line: one at a time, no orphan, nothing left."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any

import pytest
from boto3.dynamodb.conditions import Attr
from console_page import press
from load_page import a_page, choose, ended, records
from playwright.sync_api import Browser, expect, sync_playwright

from iac.local.browser import CHROMIUM_OPTIONS
from iac.local.ports import ROOT, process_environment
from loadgen import lease
from loadgen.remote import InstanceLauncher, NotStarted
from loadgen.scenarios import correlation_prefix, make_plan
from pipeline.contracts import keys
from pipeline.proof.lake import Journals
from pipeline.runtime.clock import new_id, now
from tests.conftest import Stack, most_of_three, wait_until

IMAGE = PurePosixPath("/opt/has")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(**CHROMIUM_OPTIONS)
        yield chromium
        chromium.close()


def real_sales(stack: Stack) -> Any:
    period = {"from": "2000-01-01", "to": "2100-01-01", "grain": "month"}
    with stack.http() as http:
        return http.get("/api/analytics/sales", params=period).raise_for_status().json()["totals"]


def everything(table: Any, **condition: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    start: dict[str, Any] = {}
    while True:
        page = table.scan(**condition, **start)
        items += page["Items"]
        if "LastEvaluatedKey" not in page:
            return items
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def test_a_run_outlives_its_browser_is_everybodys_and_leaves_nothing_behind(
    browser: Browser, stack: Stack
) -> None:
    before = real_sales(stack)
    page = a_page(browser, stack, "operator")
    # Longer than anything below may wait: it ends because somebody stops it.
    choose(page, "Flash sale", users=12, ramp=1, duration=600)
    expect(page.get_by_text("Everybody wants the same product at once")).to_be_visible()
    press(page, "Start")
    expect(page.get_by_text("Flash-sale is running, 12 users")).to_be_visible()
    page.context.close()

    other = a_page(browser, stack, "operator")
    expect(other.get_by_text("Flash-sale is running, 12 users")).to_be_visible()
    expect(other.get_by_role("button", name="Start", exact=True)).to_have_count(0)
    expect(other.get_by_text("Slowest route:").first).to_be_visible()
    # What is delivered cannot be cancelled any more: its goods have to be put back.
    wait_until(
        lambda: any(order["status"] == "delivered" for order in orders(stack)),
        pause_s=0.5,
    )
    press(other, "Stop")
    expect(other.get_by_role("button", name="Start", exact=True)).to_be_visible()

    run_id = str(records(stack).list_runs()[0]["run_id"])
    head = wait_until(lambda: ended(stack, run_id), timeout_s=300)
    summary = head["summary"]
    reason = "was stopped by operator@demo.shop"
    assert (head["status"], summary["reason"], summary["failures"]) == ("stopped", reason, 0)
    expect(other.get_by_text(f"the run {reason}").first).to_be_visible()
    assert summary["envoy"]["difference"] <= 0.01
    assert head["cleaned"]["under_way"] == 0
    assert head["cleaned"]["not_synthetic"] == []
    assert real_sales(stack) == before
    owners = {f"CART#{order['owner']}" for order in orders(stack, run_id)}
    carts = everything(stack.table("orders"), FilterExpression=Attr("pk").begins_with("CART#"))
    assert owners & {cart["pk"] for cart in carts} == set()
    assert not everything(stack.table("users"), FilterExpression=Attr("pk").contains("@load.test"))
    expect(other.get_by_text("Envoy counted")).to_be_visible()
    other.context.close()
    assert_goods_are_back(stack, run_id)
    (journal,) = (one for one in Journals(stack.names).read() if one.name == f"load-{run_id}")
    noted = {(line.order_id, line.total_minor) for line in journal.told}
    assert noted <= {(str(o["order_id"]), int(o["total_minor"])) for o in orders(stack, run_id)}
    assert noted
    assert journal.closing is not None
    assert (journal.closing.lines, journal.closing.lost, journal.missing) == (len(noted), 0, 0)
    audit = everything(stack.table("ops"), FilterExpression=Attr("action").begins_with("load."))
    written = {entry["action"] for entry in audit if run_id in entry["target"]}
    assert written == {"load.start", "load.stop", "load.clean"}


def assert_goods_are_back(stack: Stack, run_id: str) -> None:
    """What kept orders hold of a SKU has come in again, and the counters of each row agree."""
    kept: dict[str, int] = {}
    for order in orders(stack, run_id):
        assert order["synthetic"] is True
        for line in order["lines"] if order["status"] == "delivered" else ():
            kept[line["sku"]] = kept.get(line["sku"], 0) + int(line["quantity"])
    assert kept, "a run that sells nothing shows nothing"
    for sku in kept:
        row = stack.table("products").get_item(Key={"pk": f"SKU#{sku}", "sk": "STOCK"})["Item"]
        assert row["received"] == row["available"] + row["held"] + row["sold"]
    parts = everything(
        stack.table("ops"),
        FilterExpression=Attr("pk").eq(f"LOAD#{run_id}") & Attr("units").exists(),
    )
    restocked = {sku: int(units) for part in parts for sku, units in part["units"].items()}
    assert restocked == kept


def orders(stack: Stack, run_id: str = "") -> list[dict[str, Any]]:
    wanted = correlation_prefix(run_id) if run_id else "load-"
    condition = Attr("sk").eq("ORDER") & Attr("correlation_id").begins_with(wanted)
    return everything(stack.table("orders"), FilterExpression=condition)


def test_a_run_that_is_stopped_makes_room_within_eight_seconds(
    browser: Browser, stack: Stack
) -> None:
    page = a_page(browser, stack, "operator")
    start = page.get_by_role("button", name="Start", exact=True)

    def start_and_stop() -> None:
        expect(start).to_be_visible()
        choose(page, "Normal", users=3, ramp=1, duration=600)
        press(page, "Start")
        expect(page.get_by_text("Normal is running, 3 users")).to_be_visible()
        press(page, "Stop")
        expect(start).to_be_visible(timeout=8_000)

    most_of_three(start_and_stop)
    page.context.close()


def test_an_analyst_is_refused_the_load_page(browser: Browser, stack: Stack) -> None:
    page = a_page(browser, stack, "analyst")
    expect(page.get_by_text("This page is for operators.")).to_be_visible()
    expect(page.get_by_role("button", name="Start", exact=True)).to_have_count(0)


def test_the_lease_is_one_runs_until_it_expires(stack: Stack) -> None:
    table, moment = stack.table("ops"), now()
    lease.take(table, "first", moment)
    with pytest.raises(lease.AlreadyRunning, match="first"):
        lease.take(table, "second", moment + timedelta(seconds=lease.TTL_S - 1))
    lease.take(table, "second", moment + timedelta(seconds=lease.TTL_S + 1))
    lease.release(table, "first")
    assert lease.find_holder(table, moment) == "second"
    lease.release(table, "second")
    assert lease.find_holder(table, moment) is None


def test_a_run_that_loses_its_lease_ends_by_itself(stack: Stack) -> None:
    run_id = new_id()
    environment = process_environment(stack.at) | stack.env
    options = ["--users", "2", "--ramp", "0", "--duration", "600", "--run-id", run_id]
    process = subprocess.Popen(
        [sys.executable, "-m", "loadgen", *options],
        cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        wait_until(lambda: records(stack).minutes(run_id))
        assert os.getpgid(process.pid) == process.pid
        stolen = {**keys.lease("load"), "owner": "thief", "expires_at_epoch_s": 2**40}
        stack.table("ops").put_item(Item=stolen)
        assert process.wait(300) in (0, 1)
    finally:
        process.kill()
        process.wait()
        stack.table("ops").delete_item(Key=keys.lease("load"))
    head = records(stack).find(run_id)
    assert head is not None
    assert head["summary"]["reason"] == "lost its lease to thief"


def test_on_aws_a_run_needs_an_instance_that_answers(stack: Stack) -> None:
    plan = make_plan(new_id(), "normal", "operator@demo.shop")
    with pytest.raises(NotStarted, match="No instance is in service"):
        InstanceLauncher("load-nobody", IMAGE).start(plan)
    ec2, groups = stack.aws("ec2"), stack.aws("autoscaling")
    template = ec2.create_launch_template(
        LaunchTemplateName="load-test",
        LaunchTemplateData={"ImageId": "ami-12345678", "InstanceType": "t3.micro"},
    )["LaunchTemplate"]
    try:
        groups.create_auto_scaling_group(
            AutoScalingGroupName="load-test", MinSize=1, MaxSize=1, DesiredCapacity=1,
            AvailabilityZones=["eu-west-2a"],
            LaunchTemplate={"LaunchTemplateId": template["LaunchTemplateId"]},
            Tags=[{"Key": "component", "Value": "load-test", "PropagateAtLaunch": True}],
        )  # fmt: skip
        # The emulator's instances are records without a machine: the command has nobody to run it.
        with pytest.raises(NotStarted, match=r"Instance i-\w+ does not answer Systems Manager"):
            wait_until(lambda: InstanceLauncher("load-test", IMAGE).start(plan), timeout_s=5)
    finally:
        groups.delete_auto_scaling_group(AutoScalingGroupName="load-test", ForceDelete=True)
        ec2.delete_launch_template(LaunchTemplateId=template["LaunchTemplateId"])
