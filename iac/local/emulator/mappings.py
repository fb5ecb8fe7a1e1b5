"""Each event source mapping is served by itself, and no more often than AWS does it.

By itself ministack has one thread for all: while a function works on one stream, those of every
other stream wait; a record is handed over the moment it is there, so that a busy stream costs an
invocation for every few of them; and `MaximumBatchingWindowInSeconds` is kept, not heeded. Here

- a stream's mapping works on one batch at a time, beside all others;
- a stream is read at about AWS's base rate: Kinesis twice a second, a table's stream four times;
- what is no full batch waits until its oldest record is as old as the window;
- messages of a queue are handed over beside a batch under way only if they fill another, and not
  more than two at once: AWS starts five workers, whose cold starts would here take the cores from
  the shop;
- a queue's batch may be larger than ten;
- a function has a worker before the first batch comes.

After a full batch the next one follows at once, so whoever is behind catches up without a pause.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from ministack.services import dynamodb, kinesis, lambda_svc, sqs

from iac.local.emulator import workers

log = logging.getLogger("mappings")
_IDLE_LOOK_S = 1.0
_AT_ONCE = 2  # batches of one queue
_BREATH_S = 0.02  # the least between two looks, however much is written
Mapping = dict[str, Any]
Scoped = tuple[str, str, Mapping]  # account, region, mapping


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a mapping could be handed: how many records, and when the oldest came (epoch)."""

    records: int
    oldest_s: float


_TO_BEGIN = Waiting(1, 0.0)  # the first poll decides where it begins


@dataclass(slots=True)
class Turn:
    """Since when a mapping's pace counts (epoch), and whether it is being served now."""

    since_s: float = 0.0
    is_on: bool = False


def ready_s(waiting: Waiting, batch_size: int, window_s: float) -> float:
    """When (epoch) a function may be handed what waits."""
    return waiting.oldest_s + (0.0 if waiting.records >= batch_size else window_s)


def complete() -> None:
    """Call once, before ministack serves."""
    every = lambda_svc._iter_all_esms

    def chosen() -> Iterator[Scoped]:
        one = _served.get()
        return iter([one]) if one else every()

    lambda_svc._iter_all_esms = chosen
    sqs._receive_messages_for_esm = _receive
    lambda_svc._poll_loop = _Dispatcher().run


# Whom this thread serves: by itself ministack's poll of a kind goes through all mappings.
_served: ContextVar[Scoped | None] = ContextVar("served", default=None)


class _Dispatcher:
    """Gives each mapping its turn."""

    def __init__(self) -> None:
        self._turns: dict[str, Turn] = {}

    def run(self) -> None:
        wake = lambda_svc._esm_wake
        while True:
            wake.clear()
            try:
                rest = self._serve_due()
            except Exception:
                log.exception("the mappings could not be looked at")
                rest = _IDLE_LOOK_S
            wake.wait(rest)
            time.sleep(_BREATH_S)

    def _serve_due(self) -> float:
        """Start each turn that is due; the seconds until the next may be."""
        mappings = list(lambda_svc._iter_all_esms())
        for gone in self._turns.keys() - {mapping["UUID"] for *_, mapping in mappings}:
            del self._turns[gone]
        rests_s = [_IDLE_LOOK_S]
        for scoped in mappings:
            account, region, mapping = scoped
            if mapping["UUID"] not in self._turns:
                workers.warm(account, region, mapping["FunctionName"])
            turn = self._turns.setdefault(mapping["UUID"], Turn())
            if mapping["Enabled"] and not turn.is_on and _kind(mapping) in _KINDS:
                rests_s.append(self._serve_if_due(scoped, turn))
        return min(rests_s)

    def _serve_if_due(self, scoped: Scoped, turn: Turn) -> float:
        mapping, kind, now_s = scoped[2], _KINDS[_kind(scoped[2])], time.time()
        due_s = turn.since_s + kind.pace_s
        if due_s <= now_s:
            if kind.counts_looks:
                turn.since_s = now_s
            waiting = _waiting(scoped)
            if waiting is None:
                return _IDLE_LOOK_S
            if not _may_be_served(mapping, waiting):
                return kind.pace_s  # the end of what is under way wakes, too
            window_s = mapping["MaximumBatchingWindowInSeconds"]
            due_s = ready_s(waiting, mapping["BatchSize"], window_s)
        if due_s > now_s:
            return due_s - now_s
        turn.since_s, turn.is_on = now_s, True
        lambda_svc.spawn_background(_serve, scoped, turn, thread_name="ministack-mapping")
        return kind.pace_s


def _serve(scoped: Scoped, turn: Turn) -> None:
    """Hand over what waits, and then as many more batches as are full."""
    token = _served.set(scoped)
    mapping = scoped[2]
    poll, batch_size = _KINDS[_kind(mapping)].poll, mapping["BatchSize"]
    try:
        while poll() and (waiting := _waiting(scoped)):
            if waiting.records < batch_size or not _may_be_served(mapping, waiting):
                break
            turn.since_s = time.time()
    finally:
        _served.reset(token)
        turn.is_on = False
        lambda_svc._esm_wake.set()


def _receive(queue_url: str, max_number: int) -> list[dict[str, Any]]:
    """As ministack does it, but for its bound of ten: a mapping's is its own batch size."""
    with sqs._queues_lock:
        queue = sqs._get_q(queue_url)
        sqs._expire_retained(queue)
        sqs._dlq_sweep(queue)
        hidden_s = int(queue["attributes"].get("VisibilityTimeout", "30"))
        received: list[dict[str, Any]] = sqs._collect_msgs(queue, max_number, hidden_s)
    return received


def _may_be_served(mapping: Mapping, waiting: Waiting) -> bool:
    """Only a queue's batches are counted: a stream's is under way for as long as its turn."""
    under_way: int = lambda_svc._esm_inflight.get(mapping["UUID"], 0)
    return under_way == 0 or (under_way < _AT_ONCE and waiting.records >= mapping["BatchSize"])


def _kind(mapping: Mapping) -> str:
    """`kinesis`, `dynamodb`, `sqs`: from the ARN of its source."""
    return str(mapping["EventSourceArn"].split(":")[2])


def _waiting(scoped: Scoped) -> Waiting | None:
    account, region, mapping = scoped
    resource = mapping["EventSourceArn"].split(":", 5)[5]
    return _KINDS[_kind(mapping)].waiting(account, region, mapping["UUID"], resource)


def _in_shards(account: str, region: str, mapping_id: str, resource: str) -> Waiting | None:
    stream = kinesis._streams.get_scoped(account, region, resource.removeprefix("stream/"))
    if stream is None:
        return None
    places = lambda_svc._kinesis_positions.get_scoped(account, region, mapping_id)
    if places is None:
        return _TO_BEGIN
    records, oldest_s = 0, time.time()
    for shard_id, shard in stream["shards"].items():
        place, in_shard = places.get(shard_id, 0), shard["records"]
        if place < len(in_shard):
            records = max(records, len(in_shard) - place)
            oldest_s = min(oldest_s, in_shard[place]["ApproximateArrivalTimestamp"])
    return Waiting(records, oldest_s) if records else None


def _in_table(account: str, region: str, mapping_id: str, resource: str) -> Waiting | None:
    table = resource.split("/")[1]
    place = lambda_svc._dynamodb_stream_positions.get_scoped(account, region, mapping_id)
    if place is None:
        return _TO_BEGIN
    first = dynamodb._trimmed_count(table, account, region)
    records = dynamodb._live_stream_records(table, account, region)
    waiting = first + len(records) - max(place, first)
    if waiting <= 0:
        return None
    return Waiting(waiting, records[-waiting]["dynamodb"]["ApproximateCreationDateTime"])


def _in_queue(account: str, region: str, mapping_id: str, resource: str) -> Waiting | None:
    url = sqs._queue_url_for_account(account, resource)
    queue = sqs._queues.get_scoped(account, region, url)
    times = [message.get("visible_at", 0.0) for message in queue["messages"]] if queue else []
    if not times:
        return None
    now_s = time.time()
    return Waiting(sum(at <= now_s for at in times), min(times))


@dataclass(frozen=True, slots=True)
class _Kind:
    pace_s: float
    poll: Callable[[], bool]
    waiting: Callable[[str, str, str, str], Waiting | None]
    counts_looks: bool = False


# https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html and with-ddb.html, "Polling and
# batching streams". AWS reads Kinesis once a second; twice here, where all functions share two
# cores, and an order is to be on the dashboards within 2 s just the same. A queue AWS polls for as
# long as nothing comes; here a look goes through all its messages, also those that wait for their
# time, so that looks are counted, not only batches: ten a second.
_KINDS = {
    "kinesis": _Kind(0.5, lambda_svc._poll_kinesis, _in_shards),
    "dynamodb": _Kind(0.25, lambda_svc._poll_dynamodb_streams, _in_table),
    "sqs": _Kind(0.1, lambda_svc._poll_sqs, _in_queue, counts_looks=True),
}
