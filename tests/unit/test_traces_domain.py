"""A trace is read rightly whatever order, holes, rings and clocks its documents come with."""

import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st
from ulid import ULID

from console.queries.traces_memory import Memory
from console.traces import analysis, domain, search, service_map, waterfall
from console.traces.documents import Kind
from console.traces.domain import Trace, build
from pipeline.runtime.calls import resource_of

ID = "1-6b05c22e-a8e1bef401b9e72a42c43e05"
SECOND = timedelta(seconds=1)
T0 = 1_795_539_500.0
Document = dict[str, Any]


def document(
    own_id: str, name: str, start_ms: float, took_ms: float | None, parent: str = "", **more: Any
) -> Document:
    made: Document = {"id": own_id, "name": name, "trace_id": ID, "start_time": T0 + start_ms / 1e3}
    if took_ms is None:
        made["in_progress"] = True
    else:
        made["end_time"] = T0 + (start_ms + took_ms) / 1e3
    return made | ({"parent_id": parent} if parent else {}) | more


def call(own_id: str, name: str, start_ms: float, took_ms: float, parent: str) -> Document:
    return document(own_id, name, start_ms, took_ms, parent, type="subsegment", namespace="aws")


def purchase() -> list[Document]:
    """An order: checkout writes it, relay publishes it, payment charges, landing keeps it."""
    http = {
        "request": {"method": "POST", "url": "/api/checkout/orders"},
        "response": {"status": 201},
    }
    write = call("b1", "DynamoDB", 10, 15, "a1")
    write["aws"] = {"operation": "TransactWriteItems", "table_name": "has-local-orders"}
    return [
        document("a1", "checkout", 0, 40, "f0", http=http, annotations={"order_id": "O1"}),
        write,
        document("c1", "relay", 140, 20, "b1"),
        call("c2", "SNS.Publish", 145, 5, "c1") | {"aws": {"topic_arn": "arn:x:has-local-orders"}},
        document("d1", "has-local-payment", 400, 100, "c2", fault=True,
                 cause={"exceptions": [{"type": "Declined", "message": "no funds"}]}),
        document("e1", "landing", 900, 60, "c1"),
        call("e2", "S3.PutObject", 910, 30, "e1"),
    ]  # fmt: skip


def built(documents: list[Document]) -> Trace:
    trace = build(ID, [json.dumps(each) for each in documents])
    assert trace is not None
    return trace


@given(st.randoms(use_true_random=False))
def test_the_order_in_which_documents_arrive_changes_nothing(chance: random.Random) -> None:
    shuffled = purchase()
    chance.shuffle(shuffled)
    assert built(shuffled) == built(purchase())


def test_a_purchase_reads_from_the_request_to_the_lake() -> None:
    trace = built(purchase())
    assert [(step.depth, step.segment.label) for step in trace.steps] == [
        (0, "checkout"),
        (1, "DynamoDB orders TransactWriteItems"),
        (2, "relay"),
        (3, "SNS orders Publish"),
        (4, "payment"),
        (3, "landing"),
        (4, "S3 PutObject"),
    ]
    assert (trace.entry.segment.label, trace.outcome) == ("checkout", "ok")
    assert trace.entry.is_orphan  # its caller, the browser, keeps no record
    assert round(trace.response_ms, 2) == 40
    assert round(trace.path_ms, 2) == 960
    assert trace.annotation("order_id") == "O1"
    waits = {step.segment.label: (round(step.wait_ms), step.wait) for step in trace.steps}
    assert waits["relay"] == (115, "in the table's stream")
    assert waits["payment"] == (250, "in the queue")
    assert waits["landing"] == (740, "in the Kinesis stream")
    assert waits["S3 PutObject"] == (0, "")
    (failed,) = trace.faults
    assert failed.segment.causes == ("Declined: no funds",)


def test_what_follows_a_later_change_of_a_row_waited_since_that_change() -> None:
    trace = built(
        [
            document("a", "checkout", 0, 40),
            call("b", "DynamoDB/TransactWriteItems", 10, 20, "a"),
            document("c", "relay", 100, 10, "a"),
            document("d", "payment", 3_000, 50, "c"),
            call("e", "DynamoDB/GetItem", 3_005, 5, "d"),
            call("f", "DynamoDB/TransactWriteItems", 3_020, 20, "d"),
            document("g", "relay", 3_100, 10, "a"),
        ]
    )
    waits = [round(step.wait_ms) for step in trace.steps if step.segment.label == "relay"]
    assert waits == [70, 60]


def test_a_call_names_what_it_acts_on() -> None:
    names = [
        {"TableName": "t", "Key": {}},
        {"TransactItems": [{"Put": {"TableName": "t"}}, {"Update": {"TableName": "u"}}]},
        {"RequestItems": {"t": {"Keys": []}}},
    ]
    assert [resource_of(each) for each in names] == [("table_name", "t")] * 3
    assert resource_of({"QueueUrl": "http://x/0/q"}) == ("queue_url", "http://x/0/q")
    assert [resource_of(each) for each in ({}, {"TransactItems": [{}]})] == [None, None]


def test_a_callee_whose_clock_is_behind_is_moved_with_all_below_it() -> None:
    trace = built(
        [
            document("a", "checkout", 100, 50),
            document("b", "users", 70, 20, "a"),
            call("c", "DynamoDB.GetItem", 75, 5, "b"),
        ]
    )
    moved = {
        step.segment.id: (round(step.offset_ms), round(step.shifted_ms)) for step in trace.steps
    }
    assert moved == {"a": (0, 0), "b": (0, 30), "c": (5, 30)}
    assert round(trace.path_ms) == 50


def test_what_is_under_way_has_no_duration_until_it_is_sent_again_as_done() -> None:
    early = document("a", "checkout", 0, None)
    assert built([early]).is_running
    for order in ([early, document("a", "checkout", 0, 30)],
                  [document("a", "checkout", 0, 30), early]):  # fmt: skip
        done = built(order)
        assert not done.is_running
        assert round(done.response_ms) == 30


def test_what_cannot_be_read_is_counted_and_the_rest_is_shown() -> None:
    good = json.dumps(document("a", "checkout", 0, 1))
    bad = ["{", "[]", '{"id": "x"}', '{"id": "x", "name": "y", "start_time": NaN}', "17"]
    trace = build(ID, [*bad, good])
    assert trace is not None
    assert (len(trace.steps), trace.unreadable) == (1, len(bad))
    assert build(ID, bad) is None


_IDS = st.sampled_from([f"s{index}" for index in range(8)])
_ANY = st.builds(
    document,
    own_id=_IDS,
    name=st.sampled_from(["checkout", "relay", "SQS.SendMessage", "work"]),
    start_ms=st.integers(-5_000, 5_000),
    took_ms=st.none() | st.integers(0, 5_000),
    parent=st.just("") | _IDS | st.just("gone"),
    type=st.sampled_from(["subsegment", "segment"]),
)


@given(st.lists(_ANY, min_size=1, max_size=20))
def test_any_documents_make_a_tree_in_which_each_segment_stands_once(
    documents: list[Document],
) -> None:
    trace = built(documents)
    assert sorted(step.segment.id for step in trace.steps) == sorted({d["id"] for d in documents})
    for index, step in enumerate(trace.steps):
        assert step.offset_ms >= -1e-3
        assert step.wait_ms >= 0
        assert 0 <= step.own_ms <= (step.duration_ms or 0.0) + 1e-6
        if step.parent is None:
            assert step.depth == 0
        else:
            assert step.parent < index
            assert step.depth == trace.steps[step.parent].depth + 1
    assert min(step.offset_ms for step in trace.steps) < 1e-3


@given(st.lists(st.integers(0, 50), min_size=1, max_size=12))
def test_own_times_of_calls_one_after_another_add_up_to_the_response(took: list[int]) -> None:
    documents = [document("root", "checkout", 0, sum(took) + 7)]
    reached = 0
    for index, each in enumerate(took):
        documents.append(call(f"c{index}", "DynamoDB.GetItem", reached, each, "root"))
        reached += each
    trace = built(documents)
    assert abs(sum(step.own_ms for step in trace.steps) - (sum(took) + 7)) < 0.01
    found = analysis.shares([trace], with_waits=False)
    assert abs(sum(share.share for share in found) - 100) < 1e-6
    assert sum(share.count for share in found) == len(documents)


def test_the_map_shows_browser_edge_stores_and_the_channels_between() -> None:
    drawn = service_map.draw([built(purchase()), built(purchase())])
    edges = {(e.source, e.target): (e.numbers.count, e.is_asynchronous) for e in drawn.edges}
    assert edges == {
        ("browser", "edge"): (2, False),
        ("edge", "checkout"): (2, False),
        ("checkout", "DynamoDB orders"): (2, False),
        ("DynamoDB orders", "relay"): (2, True),
        ("relay", "SNS orders"): (2, False),
        ("SNS orders", "SQS payment"): (2, True),
        ("SQS payment", "payment"): (2, True),
        ("relay", "Kinesis events"): (2, True),
        ("Kinesis events", "landing"): (2, True),
        ("landing", "S3"): (2, False),
    }
    nodes = {node.name: node for node in drawn.nodes}
    assert nodes["payment"].numbers.error_percent == 100
    assert nodes["checkout"].kind is Kind.SERVICE
    assert nodes["checkout"].numbers.errors == 0
    assert {name for name, node in nodes.items() if node.is_inferred} == {
        "browser", "edge", "SQS payment", "Kinesis events",
    }  # fmt: skip


def test_a_retried_request_with_a_record_of_the_edge_is_told_from_what_it_cost() -> None:
    http = {"request": {"method": "GET", "url": "/api/x"}, "response": {"status": 200}}
    trace = built(
        [
            document("e", "edge", 0, 260, http=http),
            document("s", "catalog", 250, 9, "e", http=http, annotations={"attempt": "2"}),
        ]
    )
    (found,) = search.to_found(trace)
    assert (found.service, found.attempt, round(found.duration_ms)) == ("catalog", 2, 9)
    assert round(trace.response_ms) == 260
    drawn = service_map.draw([trace])
    assert {node.name for node in drawn.nodes if node.is_inferred} == {"browser"}
    names = [(row.name, row.depth, row.is_inferred) for row in waterfall.rows(trace)]
    assert names == [("browser", 0, True), ("edge", 1, False), ("catalog", 2, False)]


def test_comparing_aligns_by_name_and_adds_up_repeats() -> None:
    left = built([document("a", "checkout", 0, 40), call("b", "DynamoDB.GetItem", 5, 10, "a")])
    right = built(
        [
            document("x", "checkout", 900, 90),
            call("y", "DynamoDB.GetItem", 905, 10, "x"),
            call("z", "DynamoDB.GetItem", 925, 30, "x"),
            call("w", "Kinesis.PutRecord", 960, 20, "x"),
        ]
    )
    found = {d.place[-1]: (d.left_count, d.right_count, round(d.change_ms))
             for d in analysis.compare(left, right)}  # fmt: skip
    assert found == {
        "checkout": (1, 1, 50),
        "DynamoDB GetItem": (1, 2, 30),
        "Kinesis PutRecord": (0, 1, 20),
    }
    assert all(d.change_ms == 0 for d in analysis.compare(left, left))


def test_a_health_check_and_loose_ends_are_noise() -> None:
    http = {"request": {"url": "/api/users/readyz"}, "response": {"status": 200}}
    assert built([document("a", "users", 0, 1, http=http)]).is_noise
    assert built([document("a", "work", 0, 1, type="subsegment")]).is_noise
    assert not built(purchase()).is_noise
    assert [domain.outcome_of(status) for status in (201, 404, 503)] == ["ok", "4xx", "5xx"]


@given(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)))
def test_an_id_of_ours_says_when_to_look_for_it(made: datetime) -> None:
    made = made.replace(tzinfo=UTC)
    window = search.around_id(str(ULID.from_datetime(made)))
    assert window is not None
    since, until = window
    assert since < made < until
    assert search.around_id(str(uuid4())) is None


def test_what_the_search_asks_for_is_what_it_takes() -> None:
    at = datetime(2026, 11, 24, 17, tzinfo=UTC)
    item = {
        "trace_id": ID, "at": "2026-11-24T17:00:00Z", "service": "checkout", "zone": "a",
        "route": "POST /api/checkout/orders", "status": 503, "duration_ms": 240, "order_id": "O1",
    }  # fmt: skip
    found = search.from_index(dict(item))
    assert found is not None
    hour = search.Search(at, at + timedelta(hours=1))
    good = [
        {}, {"service": "checkout"}, {"outcome": "5xx"}, {"min_ms": 240.0}, {"zone": "a"},
        {"route": "/CHECKOUT/"}, {"order_id": "O1"}, {"either_id": "O1"},
    ]  # fmt: skip
    bad = [
        {"service": "users"}, {"outcome": "ok"}, {"min_ms": 241.0}, {"zone": "b"},
        {"route": "/cart"}, {"order_id": "O2"}, {"correlation_id": "O1"}, {"since": at + SECOND},
        {"until": at},
    ]  # fmt: skip
    assert all(replace(hour, **fields).matches(found) for fields in good)  # type: ignore[arg-type]
    assert not any(replace(hour, **fields).matches(found) for fields in bad)  # type: ignore[arg-type]
    assert search.from_index({**item, "at": "yesterday"}) is None
    assert search.from_index({"sk": ID}) is None


def test_what_is_remembered_ends_in_time_and_the_oldest_makes_room() -> None:
    clock = [0.0]
    memory = Memory[str](2, lambda: clock[0])
    memory.keep("passing", "a", 5.0)
    memory.keep("lasting", "b", None)
    clock[0] = 4.9
    assert memory.find("passing") == "a"
    clock[0] = 5.0
    assert memory.find("passing") is None
    assert memory.find("lasting") == "b"
    memory.keep("third", "c", None)
    assert (memory.find("passing"), memory.find("lasting"), memory.find("third")) == (
        None,
        "b",
        "c",
    )
