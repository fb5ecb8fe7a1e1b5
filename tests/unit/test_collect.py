"""What becomes of a browser's events on their way to the stream."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.contracts.errors import TooManyRequests
from pipeline.runtime.clock import new_id
from pipeline.runtime.kinesis import Outgoing
from storefront_api.analytics.collect import MAX_EVENT_BYTES, Sender, collect
from storefront_api.analytics.pace import Pace

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
SIGNED_IN = Sender("correlation", "customer-1", is_synthetic=True)


class Stream:
    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []

    def put(self, records: Sequence[Outgoing]) -> None:
        self.taken += [json.loads(record.body) for record in records]


def seen(**changes: Any) -> dict[str, Any]:
    return {"event_type": "shopper.page_viewed.v1", "payload": {"path": "/"}, **changes}


def test_an_event_without_a_name_stays_without_one_though_the_shopper_is_signed_in() -> None:
    stream = Stream()
    nameless = [seen(), seen(session_id=None, anonymous_id=None)]
    assert (
        collect([*nameless, seen(session_id="s-1")], SIGNED_IN, stream, lambda: NOW, new_id) == []
    )
    assert [each["payload"] for each in stream.taken] == [
        {"path": "/"}, {"path": "/"},
        {"path": "/", "session_id": "s-1", "customer_id": "customer-1"},
    ]  # fmt: skip


def test_an_event_is_as_long_as_one_may_be_and_no_longer() -> None:
    stream = Stream()
    [bare] = _bodies(stream, seen(payload={"path": ""}, event_id="e" * 26))
    room = MAX_EVENT_BYTES - len(bare)
    event = seen(payload={"path": "", "note": ""}, event_id="e" * 26)
    room -= len(',"note":""')
    for length, refused in ((room, 0), (room + 1, 1)):
        event["payload"]["note"] = "x" * length
        refusals = collect([event], SIGNED_IN, stream, lambda: NOW, new_id)
        assert len(refusals) == refused
        assert all(one.reason.startswith("too_large: payload") for one in refusals)


def _bodies(stream: Stream, *events: dict[str, Any]) -> list[str]:
    collect(events, SIGNED_IN, stream, lambda: NOW, new_id)
    return [json.dumps(each, separators=(",", ":")) for each in stream.taken]


def test_a_browser_and_a_network_each_have_a_minutes_worth_and_then_another() -> None:
    moments = [NOW + timedelta(seconds=20)]
    pace = Pace(per_client=10, per_network=25, clock=lambda: moments[-1])
    pace.take([seen(session_id="s-1")] * 10, "192.0.2.1")
    with pytest.raises(TooManyRequests) as refused:
        pace.take([seen(session_id="s-1")], "192.0.2.1")
    assert refused.value.headers["Retry-After"] == "40"
    pace.take([seen(session_id="s-2"), "text", seen()], "192.0.2.1")
    pace.take([seen()] * 11, "192.0.2.1")
    with pytest.raises(TooManyRequests):
        pace.take([seen(session_id="s-3")], "192.0.2.1")
    pace.take([seen(session_id="s-4")], "192.0.2.2")
    moments.append(NOW + timedelta(seconds=60))
    pace.take([seen(session_id="s-1")], "192.0.2.1")


def test_whoever_makes_up_a_name_for_each_event_is_not_told_apart_for_ever() -> None:
    pace = Pace(per_client=1, per_network=10**9, clock=lambda: NOW)
    for number in range(50_000):
        pace.take([seen(session_id=f"s-{number}")], "192.0.2.1")
    for _ in range(2):  # one more name is nobody's, and costs nothing
        pace.take([seen(session_id="one more")], "192.0.2.1")
    with pytest.raises(TooManyRequests):
        pace.take([seen(session_id="s-0")], "192.0.2.1")
