"""The desk's pure rules: mending, masking, causes, and counts that must add up."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.events import parse_event
from pipeline.desk import domain, failures, masking
from pipeline.desk.counting import Arrival, Record, count
from pipeline.desk.transforms import TRANSFORMS, NotMendable, mend

AT = datetime(2026, 11, 26, 22, 30, tzinfo=UTC)


def an_event(**changes: Any) -> dict[str, Any]:
    line = {"line_no": 1, "sku": "s", "product_id": "p", "title": "Mug", "category": "Kitchen",
            "quantity": 2, "unit_price_minor": 100, "line_total_minor": 200}  # fmt: skip
    payload = {"order_id": "o1", "version": 1, "status": "placed", "country": "France",
               "placed_at": "2026-11-26T22:00:00.000Z", "currency": "GBP", "lines": [line],
               "subtotal_minor": 200, "total_minor": 200}  # fmt: skip
    return {
        "event_id": "o1:1", "event_type": "order.placed.v1", "source": "test",
        "occurred_at": "2026-11-26T22:00:00.000Z", "correlation_id": "o1", "partition_key": "o1",
        "payload": payload, **changes,
    }  # fmt: skip


def spoilt(path: str, value: Any) -> str:
    """An event with one field set, or taken away with `...`."""
    event: Any = an_event()
    *names, last = (int(n) if n.isdigit() else n for n in path.split("."))
    holder = event
    for name in names:
        holder = holder[name]
    if value is ...:
        del holder[last]
    else:
        holder[last] = value
    return json.dumps(event)


@pytest.mark.parametrize(
    ("path", "value", "step"),
    [
        ("payload.country", ..., "fill-field:payload.country=France"),
        ("synthetic", "maybe", None),
        ("event_id", ..., "fill-ids"),
        ("partition_key", ..., "fill-ids"),
        ("occurred_at", "2026-11-26 22:00:00", "fix-time"),
        ("occurred_at", "2026-11-26T22:00:00", "fix-time"),
        ("payload.placed_at", "1795730400", "fix-time"),
        ("occurred_at", "26/11/2026 22:00", None),
        ("payload.lines.0.quantity", "2", "whole-numbers"),
        ("payload.lines.0.unit_price_minor", "1.5", None),
        ("payload.lines.0.line_total_minor", ..., "line-totals"),
        ("payload.currency", " gbp", "tidy-text"),
        ("payload.lines.0.title", "x" * 600, "tidy-text"),
    ],
)  # fmt: skip
def test_a_spoilt_event_is_mended_by_its_transform_or_by_none(
    path: str, value: Any, step: str | None
) -> None:
    body = spoilt(path, value)
    assert domain.fault_of(body) is not None
    accepted = [
        name
        for name, one in TRANSFORMS.items()
        if not one.takes and _is_accepted(body, name)
    ]  # fmt: skip
    if step and TRANSFORMS[step.partition(":")[0]].takes:
        assert domain.fault_of(mend(body, [step])) is None
    else:
        assert accepted == ([step] if step else [])
        if step:
            assert parse_event(mend(body, [step])).event_id == "o1:1"


def _is_accepted(body: str, step: str) -> bool:
    try:
        return domain.fault_of(mend(body, [step])) is None
    except NotMendable:
        return False


# Texts that mean something to a transform: any text at all takes Hypothesis seconds to set up.
_TEXTS = st.sampled_from(
    ["", "2", "-7", "²", "1e3", "gbp ", "2026-11-26 22:00:00", "0001-01-01T00:00:00+09:00",
     "1795730400", "1795730400000", "9" * 400, "\ud800", "y" * 600]
)  # fmt: skip
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | _TEXTS
_VALUES = _SCALARS | st.lists(_SCALARS, max_size=2) | st.just({"quantity": "3"}) | st.just(...)
_PATHS = (
    "event_id", "occurred_at", "partition_key", "payload", "payload.lines", "payload.lines.0",
    "payload.order_id", "payload.version", "payload.currency", "payload.placed_at",
    "payload.lines.0.quantity", "payload.lines.0.title", "payload.lines.0.unit_price_minor",
    "payload.lines.0.line_total_minor",
)  # fmt: skip


@given(st.sampled_from(_PATHS), _VALUES, st.sampled_from(sorted(TRANSFORMS)))
def test_a_transform_applied_again_changes_nothing_and_keeps_the_event_id(
    path: str, value: Any, name: str
) -> None:
    step = f"{name}:payload.x=1" if TRANSFORMS[name].takes else name
    body = spoilt(path, value)
    try:
        once = mend(body, [step])
    except NotMendable:
        return
    assert mend(once, [step]) == once
    if before := json.loads(body).get("event_id"):
        assert str(json.loads(once)["event_id"]) == str(before)


def test_a_valid_event_is_left_as_it_is_by_every_transform() -> None:
    event = an_event()
    for name, one in TRANSFORMS.items():
        step = f"{name}:payload.country=Peru" if one.takes else name
        assert json.loads(mend(json.dumps(event), [step])) == event


@pytest.mark.parametrize("step", ["fly", "fill-field:event_id=x", "fill-field:payload", "unwrap"])
def test_a_step_that_cannot_be_applied_is_refused(step: str) -> None:
    wrapped = {"event_id": "a", "Type": "Notification", "Message": json.dumps({"event_id": "b"})}
    with pytest.raises(NotMendable):
        mend(json.dumps(wrapped), [step])


_SECRETS = ("ada@shop.test", "4111 1111 1111 1111", "tok_visa", "10.1.2.3", "Ada Lovelace",
            "1 Main Street")  # fmt: skip


@given(st.sampled_from(_SECRETS), st.sampled_from(["json", "cut", "text"]))
def test_no_personal_data_is_shown_however_the_body_is_broken(secret: str, form: str) -> None:
    is_named = secret in ("Ada Lovelace", "1 Main Street")
    holder = {"shipping_address": {"line1": secret}, "name": secret} if is_named else {}
    body = json.dumps({"note": "" if is_named else f"of {secret}!", **holder, "kept": "Kettle"})
    if form == "cut":
        body = body[:-1]
    if form == "text" and not is_named:
        body = f"call {secret} \x1b[2J"
    said = masking.shown(body)
    assert secret not in said
    assert "\x1b" not in said
    assert form == "text" or "Kettle" in said


def test_a_long_body_is_cut_and_says_so() -> None:
    assert masking.shown("x" * 7_000).endswith("… 1,000 more characters")


@pytest.mark.parametrize(
    ("reason", "detail", "cause"),
    [
        ("bad_payload", "lines.12.quantity: Input should be a valid integer",
         "bad_payload:lines.*.quantity"),
        ("zero_price", "line 3, sku 22: x", "zero_price"),
        ("bad_envelope", "(body): Invalid JSON", "bad_envelope:(body)"),
    ],
)  # fmt: skip
def test_cases_are_grouped_by_what_is_wrong_and_not_by_where(
    reason: str, detail: str, cause: str
) -> None:
    assert domain.cause_of_rejection(reason, detail) == cause


def a_row(case_id: str, state: domain.State) -> domain.Row:
    return domain.Row(case_id, domain.QUARANTINE, state, "ada", AT, AT)


def a_case(case_id: str) -> domain.Case:
    return domain.Case(case_id, domain.QUARANTINE, "c", "", "{}", None, "test", AT)


def test_the_states_add_up_to_what_was_set_aside_and_a_stray_row_is_named() -> None:
    found = {i: a_case(i) for i in "abcd"}
    rows = {"b": a_row("b", domain.State.REDRIVEN), "c": a_row("c", domain.State.DISCARDED),
            "d": a_row("d", domain.State.REDRIVING)}  # fmt: skip
    one = domain.balance(domain.QUARANTINE, found, rows)
    assert (one.set_aside, one.open, one.redriven, one.discarded) == (4, 2, 1, 1)
    assert one.adds_up
    lost = domain.balance(domain.QUARANTINE, {"a": a_case("a")}, rows)
    assert not lost.adds_up
    assert lost.strays == ("b", "c", "d")


Fate = st.sampled_from(["landed", "quarantined", "both", "lost"])


@given(st.lists(Fate, min_size=1, max_size=30), st.integers(0, 3))
def test_received_is_landed_and_quarantined_exactly_when_no_record_is_lost(
    fates: list[str], coming: int
) -> None:
    received: dict[Record, Arrival] = {}
    lake: Mapping[str, dict[Record, Arrival]] = {"landed": {}, "quarantined": {}}
    for number, fate in enumerate([*fates, "landed", *["lost"] * coming]):
        record = ("shard-0", str(100 + number))
        received[record] = Arrival("test", AT + timedelta(minutes=number))
        for part in lake:
            if fate in (part, "both"):
                lake[part][record] = received[record]
    found = count(received, lake["landed"], lake["quarantined"])
    assert len(found.missing) == fates.count("lost")
    assert found.total("under_way") == coming  # past the last one that the lake knows
    assert (found.waiting_since is None) == (coming == 0)
    assert found.total("landed") == fates.count("landed") + fates.count("both") + 1
    assert found.total("quarantined") == fates.count("quarantined")
    assert found.total("received") == len(fates) + 1 + coming
    assert all(line.adds_up for line in found.lines) == (not found.missing)


def test_a_record_that_was_never_received_is_named_and_older_ones_are_left_out() -> None:
    received = {("s", "10"): Arrival("a", AT), ("s", "12"): Arrival("a", AT)}
    landed = {("s", "9"): Arrival("a", AT), ("s", "11"): Arrival("a", AT), **received}
    found = count(received, landed, {})
    assert found.extra == ("s:11",)
    assert not found.adds_up


def test_a_failure_record_of_lambda_is_read_and_its_filter_is_applied() -> None:
    body = {
        "requestContext": {"condition": "RetryAttemptsExhausted",
                           "functionArn": "arn:aws:lambda:x:1:function:has-dev-landing:live"},
        "KinesisBatchInfo": {"shardId": "shardId-0", "startSequenceNumber": "5", "batchSize": 3,
                             "endSequenceNumber": "9",
                             "streamArn": "arn:aws:kinesis:eu-west-2:1:stream/has-dev-events"},
    }  # fmt: skip
    found = failures.failure_of(json.dumps(body))
    assert (found.kind, found.function, found.first, found.last) == (
        "batch", "has-dev-landing", "5", "9",
    )  # fmt: skip
    pattern = {"eventName": ["INSERT"], "dynamodb": {"NewImage": {"sk": {"S": ["ORDER"]}}}}
    order = {"eventName": "INSERT", "dynamodb": {"NewImage": {"sk": {"S": "ORDER"}}}}
    assert failures.matches(pattern, order)
    assert not failures.matches(pattern, {**order, "eventName": "REMOVE"})
    assert not failures.matches(pattern, {**order, "dynamodb": {"Keys": {}}})
    with pytest.raises(ValueError, match="not understood"):
        failures.matches({"eventName": [{"prefix": "I"}]}, order)
