"""The counts that must add up, read from sources that know nothing of each other."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl

from pipeline.contracts.names import Names
from pipeline.desk.counting import Arrival, Count, Record, count
from pipeline.desk.domain import PLACES, QUARANTINE, UNKNOWN_SOURCE, Balance, State, balance
from pipeline.desk.failures import StreamFailures
from pipeline.desk.places import DeadLetters, Quarantine
from pipeline.desk.service import Place
from pipeline.desk.store import OpsLedger
from pipeline.desk.stream import KEPT, EventStream
from pipeline.runtime.clock import Clock
from pipeline.runtime.lake import Lake, LakeObject

MAX_HOURS = int(KEPT.total_seconds() // 3600)
_FILES_AT_ONCE = 64
_COLUMNS = ("shard", "sequence_number", "source", "arrived_at")
RECEIVED_FROM = "kinesis: every record of the stream of events, by shard and sequence number"
LAKE_FROM = "s3: shard and sequence_number of raw/** and quarantine/**"
FOUND_FROM = "s3: distinct cases of quarantine/** · sqs: messages of the dead-letter queues"
ROWS_FROM = "dynamodb: rows DESK#<place> of the table ops"


def places_of(names: Names, clock: Clock, since: date | None = None) -> list[Place]:
    """Every place of the desk. Args: `since` bounds the dates of the quarantine."""
    queues = [name for name in PLACES if name.endswith("-dlq")]
    letters = [DeadLetters(names, name) for name in queues]
    return [Quarantine(names, clock, since), *letters, StreamFailures(names)]


def count_records(names: Names, clock: Clock, hours: float) -> Count:
    """received = landed + quarantined over the last hours, at most as far back as the stream goes.

    The stream is read before the lake: what comes later on the way may hold more, never less.
    """
    until = clock()
    since = until - min(timedelta(hours=hours), KEPT)
    received, is_cut = EventStream(names).received(since, until)
    lake = Lake(names)
    # A batch lies under the hour of its first record, and may go on into the next.
    first_hour = (since - timedelta(hours=1)).strftime("dt=%Y-%m-%d/hour=%H")
    raw = [
        one
        for one in lake.list_objects("raw/", since.date() - timedelta(days=1))
        if one.key.removeprefix("raw/") >= first_hour
    ]
    refused = lake.list_objects("quarantine/", since.date() - timedelta(days=1))
    return count(received, _records(lake, raw), _records(lake, refused), is_cut)


def _records(lake: Lake, objects: list[LakeObject]) -> dict[Record, Arrival]:
    found: dict[Record, Arrival] = {}
    for start in range(0, len(objects), _FILES_AT_ONCE):
        for frame in lake.read_objects(objects[start : start + _FILES_AT_ONCE]):
            for shard, sequence, source, at in frame.select(_COLUMNS).iter_rows():
                found[shard, sequence] = Arrival(source or UNKNOWN_SOURCE, at)
    return found


def count_place(ledger: OpsLedger, place: Place) -> Balance:
    """quarantined = open + redriven + discarded, of one place. Rows are read first."""
    rows = ledger.rows(place.name)
    return balance(place.name, {case.case_id: case for case in place.find()}, rows)


@dataclass(frozen=True, slots=True)
class Redriven:
    """Event ids that the desk says it sent on, and those of them that the lake has."""

    sent: frozenset[str]
    landed: frozenset[str]


def redriven_events(names: Names, ledger: OpsLedger) -> Redriven:
    """Whether what the quarantine's rows call redriven has arrived in the raw files since."""
    rows = [r for r in ledger.rows(QUARANTINE).values() if r.state is State.REDRIVEN]
    sent = frozenset(row.event_id for row in rows if row.event_id)
    begun: list[datetime] = [row.redriving_at or row.at for row in rows]
    if not begun:
        return Redriven(sent, frozenset())
    lake = Lake(names)
    landed: set[str] = set()
    objects = lake.list_objects("raw/", min(begun).date())
    for start in range(0, len(objects), _FILES_AT_ONCE):
        for frame in lake.read_objects(objects[start : start + _FILES_AT_ONCE]):
            known = frame.filter(pl.col("event_id").is_in(list(sent)))["event_id"]
            landed |= set(known)
    return Redriven(sent, frozenset(landed))
