import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.events import Envelope, Rejected, parse_event, row_fault

LINE = {
    "line_no": 1,
    "sku": "85123A",
    "product_id": "85123A",
    "title": "White hanging heart",
    "category": "Decoration",
    "quantity": 6,
    "unit_price_minor": 255,
    "line_total_minor": 1530,
}


def an_event(**changes: Any) -> dict[str, Any]:
    line = LINE | changes.pop("line", {})
    payload = {
        "order_id": "replay:536365",
        "version": 1,
        "status": "placed",
        "placed_at": "2010-12-01T08:26:00.000Z",
        "customer_id": "17850",
        "country": "United Kingdom",
        "currency": "GBP",
        "lines": [line],
        "subtotal_minor": 1530,
        "total_minor": 1530,
    } | changes.pop("payload", {})
    return {
        "event_id": "replay:536365:1",
        "event_type": "order.placed.v1",
        "occurred_at": "2010-12-01T08:26:00.000Z",
        "source": "replay",
        "correlation_id": "c",
        "partition_key": "replay:536365",
        "payload": payload,
    } | changes


def parse(event: dict[str, Any]) -> Envelope:
    return parse_event(json.dumps(event))


def test_a_good_event_keeps_its_payload_as_sent_with_unknown_fields() -> None:
    sent = an_event(payload={"gift_wrap": "blue"})
    assert parse(sent).payload == sent["payload"]


def test_an_unknown_type_passes_through() -> None:
    assert parse(an_event(event_type="parcel.lost.v1", payload={})).event_type == "parcel.lost.v1"


def test_a_version_that_fits_the_newest_known_one_is_read_as_that() -> None:
    read = parse(an_event(event_type="order.placed.v12"))
    assert (read.event_type, read.unknown()) == ("order.placed.v1", {"sent_as": "order.placed.v12"})


@pytest.mark.parametrize(
    ("changes", "reason", "named"),
    [
        ({"line": {"unit_price_minor": 0}}, "zero_price", "85123A"),
        ({"line": {"unit_price_minor": -1106206}}, "negative_price", "85123A"),
        ({"line": {"unit_price_minor": 0.1}}, "sub_minor_price", "85123A"),
        ({"line": {"quantity": -3}}, "negative_quantity", "85123A"),
        ({"line": {"quantity": "six"}}, "bad_payload", "lines.0.quantity"),
        ({"payload": {"lines": []}}, "bad_payload", "order.placed.v1"),
        (
            {"payload": {"lines": []}, "event_type": "order.placed.v2"},
            "bad_version",
            "order.placed.v2/lines",
        ),
        ({"payload": {"currency": "pounds"}}, "bad_payload", "currency"),
        ({"payload": {"version": 2**63}}, "bad_payload", "version"),
        ({"line": {"line_no": 2**63}}, "bad_payload", "lines.0.line_no"),
        ({"occurred_at": "2010-12-01T08:26:00"}, "bad_envelope", "occurred_at"),
        ({"event_id": ""}, "bad_envelope", "event_id"),
    ],
)
def test_a_bad_event_is_refused_with_reason_and_field(
    changes: dict[str, Any], reason: str, named: str
) -> None:
    with pytest.raises(Rejected) as refused:
        parse(an_event(**changes))
    assert refused.value.reason == reason
    assert named in refused.value.detail


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_whatever_arrives_is_parsed_or_refused_never_a_crash(body: bytes) -> None:
    with pytest.raises(Rejected):
        parse_event(body)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
        max_leaves=8,
    )
)
def test_whatever_a_line_holds_is_parsed_or_refused(value: Any) -> None:
    for field in LINE:
        try:
            parse(an_event(line={field: value}))
        except Rejected as refused:
            assert refused.reason


@given(st.integers(-10, 10), st.decimals(-5, 5, places=2))
def test_the_first_matching_rule_names_the_fault(quantity: int, price: Any) -> None:
    fault = row_fault(quantity, price)
    assert (fault is None) == (price > 0 and price == int(price) and quantity >= 0)
    if price < 0:
        assert fault == "negative_price"


@pytest.mark.parametrize(("text", "utc"), [
    ("2026-11-24T10:00:00-05:00", "2026-11-24T15:00:00.000Z"),
    ("2026-11-24T10:00:00+0530", "2026-11-24T04:30:00.000Z"),
    ("2026-11-24T10:00:00Z", "2026-11-24T10:00:00.000Z"),
    ("2026-11-24T10:00:00", None),
    ("2026-11-24", None),
    ("1763978400", None),
])  # fmt: skip
def test_a_time_names_its_zone_and_is_told_in_utc(text: str, utc: str | None) -> None:
    body = json.dumps(an_event(occurred_at=text)).encode()
    if utc is None:
        with pytest.raises(Rejected):
            parse_event(body)
    else:
        assert parse_event(body).model_dump(mode="json")["occurred_at"] == utc
