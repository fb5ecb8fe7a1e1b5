"""One purchase, seen from outside: its trace through every process, its metrics, its logs."""

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest

from iac.local.ports import ROOT, process_environment
from pipeline.contracts import keys
from tests.conftest import Stack, wait_until
from tests.integration.checkout_shop import SYNTHETIC, Browser, an_order, put_on_sale

NAMESPACE = "HighAvailabilityShop"
PORT_ABOVE_EDGE = 700  # a replica of our own, inside this stack's block of ports


def a_root() -> str:
    return f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"


def segments_of(stack: Stack, root: str) -> list[dict[str, Any]]:
    answer = stack.aws("xray").batch_get_traces(TraceIds=[root])
    return [json.loads(s["Document"]) for t in answer["Traces"] for s in t["Segments"]]


@pytest.fixture(scope="module")
def purchase(stack: Stack) -> dict[str, str]:
    """An order bought under a sampled trace, and the ids it is found by."""
    root, sku = a_root(), put_on_sale(stack, units=3)
    sampled = {"X-Amzn-Trace-Id": f"Root={root};Sampled=1", **SYNTHETIC}
    with stack.http() as shopper:
        shopper.headers.update(sampled)
        put = shopper.put(f"/api/checkout/cart/items/{sku}", json={"quantity": 1})
        assert put.status_code == 200, put.text
        headers = {"Idempotency-Key": uuid4().hex}
        placed = shopper.post("/api/checkout/orders", json=an_order(), headers=headers)
        assert placed.status_code == 201, placed.text
    return {
        "root": root,
        "order_id": placed.json()["order_id"],
        "correlation_id": placed.headers["X-Correlation-Id"],
    }


def paths_of(found: list[dict[str, Any]]) -> list[list[str]]:
    """The names on the way to each segment, its own last."""
    by_id = {segment["id"]: segment for segment in found}

    def path(segment: dict[str, Any]) -> list[str]:
        above = segment.get("parent_id")
        return [*(path(by_id[above]) if above else []), segment["name"]]

    orphans = [s["name"] for s in found if s.get("parent_id", s["id"]) not in by_id]
    assert orphans == []
    return [path(segment) for segment in found]


def test_a_purchase_is_one_trace_from_the_edge_to_the_lake(
    stack: Stack, purchase: dict[str, str]
) -> None:
    placing = ["edge", "checkout"]
    expected = [
        [*placing, "DynamoDB/TransactWriteItems"],
        [*placing, "relay", "payment", "DynamoDB/TransactWriteItems"],
        [*placing, "relay", "notification"],
        [*placing, "relay", "landing", "S3/PutObject"],
        [*placing, "relay", "folding", "DynamoDB/TransactWriteItems"],
        # What payment moved the order to is told on as payment's doing.
        [*placing, "relay", "payment", "relay", "fulfilment"],
    ]

    def complete() -> list[dict[str, Any]]:
        found = segments_of(stack, purchase["root"])
        paths = paths_of(found)
        assert [path for path in expected if path not in paths] == []
        return found

    found = wait_until(complete, pause_s=0.5)
    wrote = [s for s in found if s["name"] in ("checkout", "payment", "folding")
             and s["annotations"].get("order_id") == purchase["order_id"]]  # fmt: skip
    assert {segment["name"] for segment in wrote} == {"checkout", "payment", "folding"}
    outside = {s["name"]: s["namespace"] for s in found if s.get("type") == "subsegment"}
    assert outside.pop("payment gateway") == "remote"
    assert set(outside.values()) == {"aws"}


def test_a_cancellation_belongs_to_the_request_that_asked_for_it(stack: Stack) -> None:
    sku, root = put_on_sale(stack, units=1), a_root()
    with Browser(stack) as shopper:
        assert shopper.put(sku, 1).status_code == 200
        order_id = shopper.order().json()["order_id"]
        shopper.sign_in({"X-Amzn-Trace-Id": f"Root={root};Sampled=1"})
        cancelled = shopper.cancel(order_id)
        assert cancelled.status_code == 200, cancelled.text

    def told() -> bool:
        return ["edge", "checkout", "relay", "landing"] in paths_of(segments_of(stack, root))

    wait_until(told, pause_s=0.5)


def test_a_kept_trace_is_found_by_its_order(stack: Stack, purchase: dict[str, str]) -> None:
    began = int(purchase["root"].split("-")[1], 16)

    def indexed() -> list[dict[str, Any]]:
        rows = []
        for minute in (began, began + 60):
            label = time.strftime("%Y-%m-%dT%H:%M", time.gmtime(minute))
            answer = stack.table("ops").query(
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": keys.trace_index(label, "")["pk"]},
            )
            rows += [r for r in answer["Items"] if r.get("order_id") == purchase["order_id"]]
        return rows

    row = wait_until(indexed)[0]
    assert row["trace_id"] == purchase["root"]
    assert (row["service"], row["route"], row["status"]) == ("checkout", "POST /orders", 201)
    assert row["correlation_id"] == purchase["correlation_id"]
    assert row["expires_at_epoch_s"] > time.time() + 80_000


def test_the_lines_of_an_order_are_in_cloudwatch_logs(
    stack: Stack, purchase: dict[str, str]
) -> None:
    def lines(service: str, text: str) -> list[dict[str, Any]]:
        found = stack.aws("logs").filter_log_events(
            logGroupName=f"/has/{stage}/{service}", filterPattern=f'"{text}"'
        )
        return [json.loads(event["message"]) for event in found["events"]]

    stage = stack.at.stage
    placed = wait_until(lambda: lines("checkout", purchase["order_id"]))
    assert "order.placed" in {line["event"] for line in placed}
    assert {line["trace_id"] for line in placed} == {purchase["root"]}
    settled = wait_until(lambda: lines("payment", purchase["correlation_id"]))
    assert {line["order_id"] for line in settled} == {purchase["order_id"]}
    assert "payment.settled" in {line["event"] for line in settled}
    assert all(line["level"] == "info" for line in settled)


def test_metrics_of_calls_functions_and_business_appear(
    stack: Stack, purchase: dict[str, str]
) -> None:
    wanted = {
        "DependencyDuration": {"Service": "checkout", "Dependency": "dynamodb",
                               "Operation": "TransactWriteItems", "Outcome": "ok"},
        "FunctionDuration": {"Function": "folding"},
        "FoldLatency": {},
        "OrdersPlaced": {"Synthetic": "true"},
        "OrderRevenue": {"Currency": "GBP", "Synthetic": "true"},
        "QueueDepth": {"Queue": "payment"},
        "StreamLag": {"Reader": "folding"},
        "ProcessMemory": {"Program": "checkout-a"},
        "EdgeHealthyHosts": {"Cluster": "checkout"},
    }  # fmt: skip

    def listed() -> bool:
        pages = stack.aws("cloudwatch").get_paginator("list_metrics").paginate(Namespace=NAMESPACE)
        found = [
            (metric["MetricName"], {d["Name"]: d["Value"] for d in metric["Dimensions"]})
            for page in pages
            for metric in page["Metrics"]
        ]
        missing = [name for name, of in wanted.items() if (name, of) not in found]
        assert not missing, missing
        routes = {of.get("Route", "") for name, of in found if name == "RequestDuration"}
        assert not [route for route in routes if route.endswith(("/readyz", "/healthz"))]
        return True

    wait_until(listed, pause_s=1)


@contextmanager
def _replica_without_tables(stack: Stack) -> Iterator[str]:
    """A checkout of our own whose DynamoDB does not answer; yields its URL."""
    port = stack.at.zone_b + PORT_ABOVE_EDGE
    command = [sys.executable, "-m", "uvicorn", "storefront_api.checkout.main:app"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--log-level", "warning"]
    env = os.environ | process_environment(stack.at) | {
        "HAS_SERVICE": "checkout", "HAS_REPLICA": "lonely", "HAS_TRACE_RATIO": "0",
        "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:9",
    }  # fmt: skip
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}/api/checkout"
    try:
        wait_until(lambda: _answers(f"{url}/healthz"))
        yield url
    finally:
        process.terminate()
        process.wait(60)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def test_failed_and_retried_requests_are_kept_though_nobody_sampled_them(stack: Stack) -> None:
    failed, missed, retried = a_root(), a_root(), a_root()
    with _replica_without_tables(stack) as url, httpx.Client(trust_env=False, timeout=20) as http:
        answer = http.get(
            f"{url}/orders/01M878Y2Z92MPD7HX49KWQQY75",
            headers={"X-Amzn-Trace-Id": f"Root={failed};Sampled=0"},
        )
        assert answer.status_code == 503
        assert answer.headers["X-Amzn-Trace-Id"] == f"Root={failed};Sampled=1"
        unknown = http.get(
            f"{url}/nothing-here", headers={"X-Amzn-Trace-Id": f"Root={missed};Sampled=0"}
        )
        assert unknown.status_code == 404
        assert "Sampled=1" not in unknown.headers.get("X-Amzn-Trace-Id", "")
        again = http.get(
            f"{url}/nothing-here",
            headers={"X-Amzn-Trace-Id": f"Root={retried};Sampled=0", "X-Envoy-Attempt-Count": "2"},
        )
        assert again.headers["X-Amzn-Trace-Id"] == f"Root={retried};Sampled=1"
    # The replica has stopped, and sent what it had.
    found = {segment["name"]: segment for segment in segments_of(stack, failed)}
    assert found["checkout"]["fault"]
    assert found["checkout"]["annotations"]["problem"] == "unavailable"
    cause = found["DynamoDB/GetItem"]["cause"]["exceptions"][0]
    assert cause["type"] == "EndpointConnectionError"
    assert segments_of(stack, missed) == []
    assert [each["annotations"]["attempt"] for each in segments_of(stack, retried)] == ["2"]
