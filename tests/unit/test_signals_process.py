"""What a process keeps of its work, and how it says it: metrics, traces, logs."""

import json
import random
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from iac.local.ports import Addresses, process_environment
from pipeline.runtime import calls, spans, tracing, xray
from pipeline.runtime.log_shipping import MAX_BYTES, MAX_QUEUE, LogShipper
from pipeline.runtime.metrics import MAX_VALUES, Metrics
from pipeline.runtime.trace_header import TraceHeader
from pipeline.runtime.tracing import Call, Part, cause_of, is_chosen, is_worth_keeping

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
IDS = st.integers(min_value=1, max_value=2**64 - 1)
TRACES = st.integers(min_value=1, max_value=2**128 - 1)


def a_part(took_ms: float = 5, **changes: Any) -> Part:
    started = 1_772_366_400_000_000_000
    given: dict[str, Any] = {
        "name": "checkout", "kind": SpanKind.SERVER, "trace_id": 0x6B05C669 << 96 | 7,
        "parent_id": 0, "is_sampled": False, "segment_id": 0xABC, "started_ns": started,
        "ended_ns": started + int(took_ms * 1e6),
    }  # fmt: skip
    return Part(**given | changes)


def exported(part: Part) -> list[ReadableSpan]:
    memory = InMemorySpanExporter()
    spans.emit(part, spans.build_provider(SimpleSpanProcessor(memory)))
    return list(memory.get_finished_spans())


def documents(part: Part) -> dict[str, dict[str, Any]]:
    return {span.name: xray.to_segment(span) for span in exported(part)}


@given(TRACES, IDS, st.sampled_from([True, False, None]))
def test_a_trace_header_reads_as_it_was_written(
    trace_id: int, parent_id: int, is_sampled: bool | None
) -> None:
    header = TraceHeader(trace_id, parent_id, is_sampled)
    assert TraceHeader.parse(str(header)) == header


@pytest.mark.parametrize("text", [
    "", "Root=1-zz-1", "Root=1-00000000-000000000000000000000000", "Sampled=1",
    "Root=1-6b05c669-985db5fb779beb280d6b08500;Sampled=1", "x" * 600,
])  # fmt: skip
def test_what_is_no_trace_header_starts_a_trace_of_our_own(text: str) -> None:
    assert TraceHeader.parse(text) is None


def test_every_process_makes_the_same_choice_and_one_in_twenty_is_chosen() -> None:
    draw = random.Random(7)
    ids = [draw.getrandbits(128) for _ in range(20_000)]
    chosen = [trace_id for trace_id in ids if is_chosen(trace_id, 0.05)]
    assert 0.045 < len(chosen) / len(ids) < 0.055
    assert all(is_chosen(trace_id, 0.05) for trace_id in chosen)
    assert not any(is_chosen(trace_id, 0) for trace_id in ids)
    assert all(is_chosen(trace_id, 1) for trace_id in ids)


@pytest.mark.parametrize(("part", "is_kept"), [
    (a_part(), False),
    (a_part(is_sampled=True), True),
    (a_part(took_ms=501), True),
    (a_part(fault="fault"), True),
    (a_part(fault="error"), False),  # the shopper's own mistake
    (a_part(facts={"attempt": "2"}), True),
])  # fmt: skip
def test_failures_retries_and_slow_work_are_kept_though_not_chosen(
    part: Part, is_kept: bool
) -> None:
    assert is_worth_keeping(part, slow_ms=500) is is_kept


def test_a_part_is_a_segment_below_its_caller_and_its_calls_are_subsegments() -> None:
    part = a_part(
        parent_id=0xDEF, fault="fault", cause=("KeyError", "sku"),
        facts={"order_id": "01ABC", "status": 503, "method": "POST", "path": "/api/x"},
    )  # fmt: skip
    busy = ("TransactionCanceledException", "a row was busy")
    part.note(Call("DynamoDB/TransactWriteItems", part.started_ns, part.started_ns + 2_000_000,
                   {"aws.operation": "TransactWriteItems", "aws.retries": 1},
                   "throttle", busy))  # fmt: skip
    found = documents(part)
    segment, call = found["checkout"], found["DynamoDB/TransactWriteItems"]
    assert segment["trace_id"] == "1-6b05c669-000000000000000000000007"
    assert (segment["id"], segment["parent_id"]) == ("0000000000000abc", "0000000000000def")
    assert segment["fault"] and segment["cause"]["exceptions"][0]["type"] == "KeyError"
    assert segment["annotations"]["order_id"] == "01ABC"
    assert segment["http"]["response"]["status"] == 503
    assert (call["type"], call["namespace"], call["parent_id"]) == (
        "subsegment", "aws", "0000000000000abc",
    )  # fmt: skip
    assert call["throttle"] and call["aws"] == {"operation": "TransactWriteItems", "retries": 1}
    assert call["end_time"] - call["start_time"] == pytest.approx(0.002, abs=1e-6)
    assert json.dumps(found)


def test_the_edge_is_a_segment_of_its_own_that_began_before_the_service() -> None:
    part = a_part()
    part.came_by_edge(f"{part.started_ns / 1e9 - 0.25:.3f}")
    found = documents(part)
    assert found["checkout"]["parent_id"] == found["edge"]["id"]
    assert found["checkout"]["start_time"] - found["edge"]["start_time"] == pytest.approx(
        0.25, abs=0.002
    )
    for nonsense in ("", "nan", "inf", "x", "0", None):
        other = a_part()
        other.came_by_edge(nonsense)
        assert not other.edge_id


def test_only_roots_and_what_was_kept_for_its_own_sake_are_indexed() -> None:
    root = a_part(is_sampled=True, facts={"route": "POST /orders", "status": 201,
                                          "order_id": "01ABC"})  # fmt: skip
    (span,) = exported(root)
    item = xray.to_index(span)
    assert item["pk"] == "TRACE#2026-03-01T12:00"
    assert item["sk"].startswith(item["trace_id"])
    assert (item["route"], item["status"], item["order_id"]) == ("POST /orders", 201, "01ABC")
    assert item["duration_ms"] == 5
    indexed = {
        name: any(xray.is_indexed(span) for span in exported(part))
        for name, part in {
            "root": root,
            "below": a_part(parent_id=1, is_sampled=True),
            "failed below": a_part(parent_id=1, fault="fault"),
        }.items()
    }
    assert indexed == {"root": True, "below": False, "failed below": True}


def test_a_cause_holds_no_address_and_no_card_number() -> None:
    kind, message = cause_of(ValueError("ada@shop.test paid with 4242424242424242"))
    assert (kind, message) == ("ValueError", "… paid with …")


@pytest.mark.parametrize(("code", "reasons", "status", "outcome", "fault"), [
    ("ConditionalCheckFailedException", [], 400, "ok", "error"),
    ("TransactionCanceledException", ["None", "ConditionalCheckFailed"], 400, "ok", "error"),
    ("TransactionCanceledException", ["TransactionConflict"], 400, "throttled", "throttle"),
    ("ProvisionedThroughputExceededException", [], 400, "throttled", "throttle"),
    ("InternalServerError", [], 500, "error", "fault"),
    ("ValidationException", [], 400, "error", "error"),
])  # fmt: skip
def test_a_refused_condition_is_an_answer_and_a_busy_row_is_throttling(
    code: str, reasons: list[str], status: int, outcome: str, fault: str
) -> None:
    answer = {
        "Error": {"Code": code, "Message": "no"},
        "ResponseMetadata": {"HTTPStatusCode": status},
        "CancellationReasons": [{"Code": reason} for reason in reasons],
    }
    assert calls.judge(answer)[:2] == (outcome, fault)


@given(st.lists(st.floats(min_value=0.01, max_value=60_000), min_size=1, max_size=400))
def test_every_observation_travels_once_within_cloudwatchs_limits(values: list[float]) -> None:
    metrics = Metrics(clock=lambda: NOW, is_on=True)
    for value in values:
        metrics.observe("RequestDuration", value, "Milliseconds", Service="catalog")
    data = metrics.take()
    assert sum(sum(datum["Counts"]) for datum in data) == len(values)
    assert all(len(datum["Values"]) <= MAX_VALUES for datum in data)
    total = sum(v * n for d in data for v, n in zip(d["Values"], d["Counts"], strict=True))
    assert total == pytest.approx(sum(values), rel=0.05)
    assert metrics.take() == []


def test_money_is_summed_to_the_penny_and_a_gauge_is_its_last_reading() -> None:
    metrics = Metrics(clock=lambda: NOW, is_on=True)
    for amount in (1_999, 123_457, 1):
        metrics.add("OrderRevenue", amount, "None", Currency="GBP")
        metrics.gauge("QueueDepth", amount, "Count", Queue="payment")
    found = {datum["MetricName"]: datum["Value"] for datum in metrics.take()}
    assert found == {"OrderRevenue": 125_457, "QueueDepth": 1}


def test_signals_that_are_off_cost_nothing_and_say_nothing() -> None:
    metrics = Metrics(clock=lambda: NOW, is_on=False)
    metrics.observe("RequestDuration", 1, "Milliseconds", Service="catalog")
    metrics.add("OrdersPlaced", 1)
    assert metrics.take() == []


def test_log_lines_leave_in_order_in_batches_that_cloudwatch_takes() -> None:
    shipper = LogShipper("/has/test/catalog", "a-0")
    for number in range(MAX_QUEUE + 10):
        shipper.put(f"{number:05d}" + "é" * 400)
    seen: list[int] = []
    while batch := shipper.take():
        assert sum(len(e["message"].encode()) + 26 for e in batch) <= MAX_BYTES
        assert [e["timestamp"] for e in batch] == sorted(e["timestamp"] for e in batch)
        seen += [int(e["message"][:5]) for e in batch]
    assert seen == list(range(10, MAX_QUEUE + 10))  # the oldest gave way


def test_work_inside_a_part_carries_its_trace_on_and_work_after_it_does_not() -> None:
    part = a_part()
    assert tracing.current() is None
    with tracing.active(part):
        carried = TraceHeader.parse(tracing.carried())
    assert carried == TraceHeader(part.trace_id, part.segment_id, False)
    assert tracing.carried() is None


def test_a_process_of_the_stack_gets_the_settings_of_make_up_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HAS_SIGNALS", "off")
    monkeypatch.setenv("HAS_UNHEARD_OF", "1")
    given = process_environment(Addresses.from_environ())
    assert given["HAS_SIGNALS"] == "off"
    assert "HAS_UNHEARD_OF" not in given
