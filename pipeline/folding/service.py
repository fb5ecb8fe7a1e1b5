"""Folds one batch of the stream: order events exactly once each, clicks exactly once a sequence."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any, Protocol

from pipeline.contracts.events import Envelope, Rejected, parse_event, to_iso_z
from pipeline.folding.domain import Chunk, Click, Increments, Item, chunks, click, click_chunks
from pipeline.runtime.ahead import one_ahead
from pipeline.runtime.clock import Clock
from pipeline.runtime.generations import Moved
from pipeline.runtime.kinesis import StreamRecord, comparable
from pipeline.runtime.logs import get_logger
from pipeline.runtime.metrics import metrics

log = get_logger()
# Each round drops what was booked already, so a second is the rule and a third means that another
# folder of the same events was at work in between.
_MAX_ROUNDS = 5
# An event that took longer from its moment to the stream went round, or its sender was offline.
_LATE = timedelta(minutes=5)


class Contended(Exception):
    """The same events are being folded elsewhere; the batch is delivered again."""


class Aggregates(Protocol):
    def copies(self) -> int:
        """In how many generations each event is booked at the moment."""

    def prepare(self, chunk: Chunk) -> Any:
        """What `book` is to write of a chunk, for the generations that `copies` spoke of."""

    def book(self, prepared: Any, folded_at: datetime) -> set[Item]:
        """Writes all, or nothing when some markers exist: then returns those.

        Raises: Moved, with nothing written, when `copies` may be another now.
        """

    def read_mark(self, shard: str) -> str:
        """The last click sequence folded of a shard; empty before the first."""

    def book_clicks(self, shard: str, seen: str, last: str, increments: Increments) -> bool:
        """Adds if the mark is still `seen`, and the generations are those `copies` spoke of."""

    def advance(self, shard: str, sequence: str, facts: Mapping[str, str]) -> None:
        """Moves the progress item forward, never back."""


def fold(records: Sequence[StreamRecord], table: Aggregates, clock: Clock) -> int:
    """Books every record of a batch of one shard; what landing quarantines is passed over.

    Returns: how many events were new. Raises when the table cannot be written: deliver again.
    """
    batch = _Batch(records)
    booked = _book_orders(batch, table, clock)
    if batch.clicks:
        _book_clicks(records[0].shard, batch.clicks, table)
    facts = {
        "newest_arrived_at": to_iso_z(records[-1].arrived_at),
        "folded_at": to_iso_z(clock()),
    }
    if batch.events:
        facts["newest_occurred_at"] = to_iso_z(max(map(_at, batch.events, batch.arrived)))
    table.advance(records[0].shard, comparable(records[-1].sequence_number), facts)
    metrics.add("EventsFolded", len(batch.events))
    _observe(batch.events, batch.arrived, clock())
    return booked


def _at(event: Envelope, arrived_at: datetime) -> datetime:
    """When an event happened, as far as its sender's clock is right: not after it arrived."""
    return min(event.occurred_at, arrived_at)


class _Batch:
    """The events of some records, in order: each is read when it is asked for, and once."""

    def __init__(self, records: Sequence[StreamRecord]) -> None:
        self.events: list[Envelope] = []
        self.arrived: list[datetime] = []
        self.clicks: list[Click] = []
        self._unread = iter(records)

    def __iter__(self) -> Iterator[Envelope]:
        yield from tuple(self.events)
        for record in self._unread:
            try:
                event = parse_event(record.body)
            except Rejected:
                continue
            self.events.append(event)
            self.arrived.append(record.arrived_at)
            if one := click(event, comparable(record.sequence_number)):
                self.clicks.append(one)
            yield event


def _observe(events: Sequence[Envelope], arrived: Sequence[datetime], folded_at: datetime) -> None:
    """How late live events came, and how long they took; the order log's are years old."""
    for event, arrived_at in zip(events, arrived, strict=True):
        if event.source == "replay":
            continue
        if arrived_at - event.occurred_at > _LATE:
            metrics.add("LateEvents", 1)
        delay_ms = (folded_at - event.occurred_at).total_seconds() * 1000
        metrics.observe("FoldLatency", max(0.0, delay_ms), "Milliseconds")


def _book_orders(events: Iterable[Envelope], table: Aggregates, clock: Clock) -> int:
    """From the start again when the generations moved: what is booked by then is known by then.

    While a transaction is under way, the events of the next one are read and added up.
    """
    booked = 0
    for _ in range(_MAX_ROUNDS):
        try:
            with closing(one_ahead(_prepared(events, table))) as ahead:
                for chunk, prepared in ahead:
                    booked += _book(chunk, prepared, table, clock)
            return booked
        except Moved:
            log.info("folding.generations_moved")
    raise Contended


def _prepared(events: Iterable[Envelope], table: Aggregates) -> Iterator[tuple[Chunk, Any]]:
    for chunk in chunks(events, table.copies()):
        yield chunk, table.prepare(chunk)


def _book(chunk: Chunk, prepared: Any, table: Aggregates, clock: Clock) -> int:
    for _ in range(_MAX_ROUNDS):
        known = table.book(prepared, clock())
        if not known:
            return len(chunk.portions)
        log.info("folding.known", events=len(known))
        metrics.add("DuplicatesDropped", len(known), Function="folding")
        chunk = chunk.without(known)
        if not chunk.portions:
            return 0
        prepared = table.prepare(chunk)
    raise Contended


def _book_clicks(shard: str, clicks: Sequence[Click], table: Aggregates) -> None:
    """After a redelivery, only what lies past the shard's mark is new."""
    for turn in range(_MAX_ROUNDS):
        seen = table.read_mark(shard)
        fresh = [one for one in clicks if one.sequence > seen]
        if turn == 0 and len(fresh) < len(clicks):
            metrics.add("DuplicatesDropped", len(clicks) - len(fresh), Function="folding")
        for last, increments in click_chunks(fresh, table.copies()):
            if not table.book_clicks(shard, seen, last, increments):
                break
            seen = last
        else:
            return
    raise Contended
