"""The analytics routes at the edge: browser events in, reports out, bad input refused by name."""

import json
from typing import Any

import httpx
import pytest

from pipeline.contracts import keys
from pipeline.runtime import clock
from storefront_api.analytics.settings import AnalyticsSettings
from tests.conftest import Stack, wait_until

ROOT = "/api/analytics"


def an_event(**changes: Any) -> dict[str, Any]:
    return {
        "event_type": "shopper.product_viewed.v1", "session_id": "session-1",
        "payload": {"product_id": "p1"}, **changes,
    }  # fmt: skip


def send(stack: Stack, body: Any, **headers: str) -> httpx.Response:
    with stack.http() as http:
        # Not httpx's own encoder: it cannot write an unpaired surrogate, as a browser can.
        json_type = {"Content-Type": "application/json"}
        return http.post(f"{ROOT}/events", content=json.dumps(body), headers=json_type | headers)


def get(stack: Stack, path: str, **params: Any) -> httpx.Response:
    with stack.http() as http:
        return http.get(f"{ROOT}/{path}", params={k.rstrip("_"): v for k, v in params.items()})


def assert_problem(response: httpx.Response, status: int, field: str) -> None:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert field in [error["field"] for error in response.json()["errors"]]


def synthetic_views(stack: Stack) -> int:
    key = keys.clicks("synthetic", keys.bucket(clock.now(), "day"))
    item = stack.table("analytics").get_item(Key=key).get("Item", {})
    return int(item.get("events|shopper.product_viewed.v1", 0))


def test_a_browser_event_reaches_the_aggregates_and_a_bad_one_does_not_cost_the_others(
    stack: Stack,
) -> None:
    before = synthetic_views(stack)
    answer = send(
        stack,
        {
            "events": [
                an_event(),
                an_event(payload={"product_id": "p1", "results_count": -1}),
                an_event(event_type="order.placed.v1"),
                an_event(occurred_at="yesterday"),
                an_event(event_id="another-order:1"),
                "text",
                an_event(payload={"query": "\ud800"}),
                an_event(occurred_at="1999-01-01T00:00:00Z", event_id="0123456789"),
            ]
        },
        **{"X-Synthetic": "1"},
    )
    assert answer.status_code == 202
    assert answer.json()["accepted"] == 2
    reasons = {one["index"]: one["reason"] for one in answer.json()["rejected"]}
    assert sorted(reasons) == [1, 2, 3, 4, 5, 6]
    for index, named in ((1, "results_count"), (2, "event_type"), (3, "occurred_at"),
                         (4, "event_id"), (6, "payload")):  # fmt: skip
        assert named in reasons[index]
    # The clock of 1999 is not believed: both count today.
    wait_until(lambda: synthetic_views(stack) == before + 2)
    steps = get(stack, "funnel", synthetic="true").json()["steps"]
    viewed = next(s for s in steps if s["event_type"] == "shopper.product_viewed.v1")
    assert viewed["count"] >= before + 2
    freshness = get(stack, "freshness").json()
    assert freshness["age_s"] < 60
    assert freshness["fold_delay_s"] < 20


def test_a_browser_that_floods_the_stream_is_told_when_to_go_on(stack: Stack) -> None:
    flood = {"events": [an_event(session_id="a-flood", payload={})] * 100}
    answers: list[httpx.Response] = []

    def is_refused() -> bool:
        answers.append(send(stack, flood, **{"X-Synthetic": "1"}))
        return answers[-1].status_code != 202

    # Each replica counts for itself, and its minute may end meanwhile.
    wait_until(is_refused, pause_s=0)
    refused = answers[-1]
    assert refused.status_code == 429
    assert len(answers) > AnalyticsSettings(stage="local").events_per_client // 100
    assert 0 < int(refused.headers["retry-after"]) == refused.json()["retry_after_s"] <= 60
    others = {"events": [an_event(session_id="somebody-else", payload={})]}
    assert send(stack, others, **{"X-Synthetic": "1"}).json()["accepted"] == 1


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 422, "events"),
        ({"events": []}, 422, "events"),
        ({"events": {}}, 422, "events"),
        ({"events": [an_event()] * 101}, 422, "events"),
        ({"events": [an_event(payload={"path": "x" * 300_000})]}, 413, "body"),
    ],
)
def test_a_body_that_is_no_batch_of_events_is_refused(
    stack: Stack, body: Any, status: int, field: str
) -> None:
    assert_problem(send(stack, body), status, field)


@pytest.mark.parametrize(
    ("path", "params", "field"),
    [
        ("sales", {"from_": "2011-01-01", "to": "2011-01-01"}, "to"),
        ("sales", {"from_": "last week"}, "from"),
        ("sales", {"from_": "2010-01-01", "to": "2011-01-01", "grain": "hour"}, "grain"),
        ("sales", {"grain": "week"}, "grain"),
        ("sales", {"group_by": "sku"}, "group_by"),
        ("sales", {"synthetic": "maybe"}, "synthetic"),
        ("sales", {"to": "0001-01-02"}, "to"),
        ("top-products", {"limit": 101}, "limit"),
        ("top-products", {"from_": "1000-01-01"}, "from"),
        ("funnel", {"from_": "2000-01-01"}, "from"),
        ("searches-without-results", {"from_": "2000-01-01"}, "from"),
        ("searches-without-results", {"limit": 101}, "limit"),
    ],
)
def test_a_report_names_the_parameter_that_is_wrong(
    stack: Stack, path: str, params: dict[str, Any], field: str
) -> None:
    assert_problem(get(stack, path, **params), 422, field)


@pytest.mark.parametrize(
    "path", ["sales", "top-products", "funnel", "searches-without-results", "freshness"]
)
def test_a_forged_token_is_refused_even_where_reports_are_public(stack: Stack, path: str) -> None:
    with stack.http() as http:
        answer = http.get(f"{ROOT}/{path}", headers={"Authorization": "Bearer forged"})
    assert answer.status_code == 401


def test_grouped_and_ungrouped_sales_of_every_grain_say_the_same(stack: Stack) -> None:
    """Whatever other tests sold by now; a purchase of its own is not needed to compare."""
    wide = {"from_": "1900-01-01", "to": "9999-12-31"}
    totals = get(stack, "sales", **wide).json()["totals"]
    for grain in ("day", "month"):
        for group_by in ("country", "category"):
            report = get(stack, "sales", **wide, grain=grain, group_by=group_by).json()
            assert report["totals"] == totals
            for total in totals:
                points = [p for p in report["series"] if p["currency"] == total["currency"]]
                for name in ("units", "gross", "refunds", "net"):
                    assert sum(point[name] for point in points) == total[name]
