"""How soon an order is on the dashboards and in the raw lake, while events come at a steady rate.

From the moment an order was placed, as its event says, until the mark of folding, or the name of a
raw file, has passed the event's sequence number.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import gevent

from pipeline.contracts.names import Names
from pipeline.runtime import aws, folded, landed
from pipeline.runtime.clock import new_id, now
from pipeline.runtime.kinesis import comparable

EVENTS_PER_S = 50
_EVENTS_OF_AN_ORDER = 5  # placed, paid, packed, shipped, delivered
_POSTS_PER_S = 5
_LOOK_S = 0.1
_PATIENCE_S = 20.0
Send = Callable[[list[dict[str, Any]]], bool]
Marks = Mapping[str, str]  # shard -> comparable sequence number


@dataclass(slots=True)
class Watch:
    """When a layer was seen to have come how far."""

    read: Callable[[], Marks]
    seen: list[tuple[float, Marks]] = field(default_factory=list)

    def look(self) -> None:
        marks = self.read()
        if not self.seen or marks != self.seen[-1][1]:
            self.seen.append((time.time(), marks))

    def passed_at(self, shard: str, sequence: str) -> float:
        """Epoch seconds of the first look that finds the layer there; waits for it."""
        while self.seen[-1][1].get(shard, "") < sequence:
            gevent.sleep(_LOOK_S)
        return next(at for at, marks in self.seen if marks.get(shard, "") >= sequence)


def delays_ms(
    names: Names, place: Callable[[], bool], send: Send, seconds: float
) -> tuple[dict[str, list[float]], int]:
    """(`aggregates` and `raw` -> milliseconds of each order placed meanwhile, calls that failed).

    `place` makes an order and `send` posts browser events; one order a second, clicks for the rest.
    Raises: RuntimeError when an order has not arrived after 20 s.
    """
    since = now()
    watches = {"aggregates": Watch(lambda: folded.sequences(names)), "raw": Watch(_landed(names))}
    for watch in watches.values():
        watch.look()
    watching = [gevent.spawn(_keep_looking, watch) for watch in watches.values()]
    try:
        failed = _flow(place, send, seconds)
        orders = list(_placed(names, since))
        with gevent.Timeout(_PATIENCE_S, RuntimeError("an order has not arrived in time")):
            return {
                layer: [(watch.passed_at(*where) - at) * 1000 for *where, at in orders]
                for layer, watch in watches.items()
            }, failed
    finally:
        gevent.killall(watching)


def _landed(names: Names) -> Callable[[], Marks]:
    stream = aws.batch_client("kinesis").list_shards(StreamName=names.events_stream)
    shards = [shard["ShardId"] for shard in stream["Shards"]]
    return lambda: {
        shard: comparable(last) for shard, last in landed.sequences(names, shards).items()
    }


def _keep_looking(watch: Watch) -> None:
    while True:
        watch.look()
        gevent.sleep(_LOOK_S)


def _flow(place: Callable[[], bool], send: Send, seconds: float) -> int:
    """Returns how many calls failed."""
    session, started = new_id(), time.monotonic()
    clicks = (EVENTS_PER_S - _EVENTS_OF_AN_ORDER) // _POSTS_PER_S
    calls = []
    for turn in range(int(seconds * _POSTS_PER_S)):
        gevent.sleep(max(0.0, started + turn / _POSTS_PER_S - time.monotonic()))
        calls.append(gevent.spawn(send, [_click(session) for _ in range(clicks)]))
        if turn % _POSTS_PER_S == 0:
            calls.append(gevent.spawn(place))
    gevent.joinall(calls, timeout=_PATIENCE_S)
    return sum(not call.value for call in calls)


def _click(session: str) -> dict[str, Any]:
    return {
        "event_type": "shopper.page_viewed.v1",
        "session_id": session,
        "payload": {"page": "/"},
    }


def _placed(names: Names, since: datetime) -> Iterator[tuple[str, str, float]]:
    """(shard, comparable sequence number, epoch seconds) of each order placed since then."""
    kinesis = aws.batch_client("kinesis")
    for shard in kinesis.list_shards(StreamName=names.events_stream)["Shards"]:
        iterator = kinesis.get_shard_iterator(
            StreamName=names.events_stream, ShardId=shard["ShardId"],
            ShardIteratorType="AT_TIMESTAMP", Timestamp=since,
        )["ShardIterator"]  # fmt: skip
        while iterator:
            page = kinesis.get_records(ShardIterator=iterator, Limit=1_000)
            for record in page["Records"]:
                event = json.loads(record["Data"])
                at = datetime.fromisoformat(event["occurred_at"])
                if event["event_type"] == "order.placed.v1" and at >= since:
                    yield shard["ShardId"], comparable(record["SequenceNumber"]), at.timestamp()
            iterator = page.get("NextShardIterator") if page["Records"] else None
