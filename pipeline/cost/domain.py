"""Which units of AWS a workload's events take, counted event by event; pure.

What bills by size is sized: a record by its body, an item by its attributes as they stand when a
transaction writes it. The transactions are those that folding makes.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from math import ceil

from pipeline.contracts.events import Envelope, Rejected, parse_event
from pipeline.folding.domain import Chunk, Increments, Item, chunks, click, click_chunks

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
_WRITE_UNIT_BYTES = 1_024
_TRANSACTIONAL = 2
_PAYLOAD_UNIT_BYTES = 25 * 1_024
_MARKER_BYTES = 120  # key, time and generation of a portion that is booked


@dataclass(frozen=True, slots=True)
class Pace:
    """How many records a function is handed at once: a full batch, or what a second brings."""

    landing: int
    folding: int


@dataclass(slots=True)
class Usage:
    """Units that a workload took; divided by `events` they are those of one event."""

    events: int = 0
    payload_units: int = 0
    files: int = 0
    write_units: int = 0
    invocations: int = 0


class Aggregates:
    """How large the items of the aggregates are, as transactions add to them."""

    def __init__(self) -> None:
        self._counters: dict[Item, dict[str, int]] = defaultdict(dict)
        self._members: dict[Item, set[str]] = defaultdict(set)
        self._bytes: dict[Item, int] = defaultdict(int)

    def write_units(self, added: Increments, others: Sequence[int]) -> int:
        """Of one transaction with these updates, and other items of so many bytes."""
        sizes = [*others, *map(self._grown, added.counters, added.counters.values())]
        sizes += map(self._joined, added.members, added.members.values())
        return sum(_TRANSACTIONAL * ceil(size / _WRITE_UNIT_BYTES) for size in sizes)

    def _grown(self, item: Item, amounts: Mapping[str, int]) -> int:
        counters = self._counters[item]
        for name, amount in amounts.items():
            before = counters.get(name)
            counters[name] = total = (before or 0) + amount
            grown = len(name.encode()) if before is None else -_number_bytes(before)
            self._bytes[item] += grown + _number_bytes(total)
        return _key_bytes(item) + self._bytes[item]

    def _joined(self, item: Item, members: set[str]) -> int:
        self._members[item] |= members
        return _key_bytes(item) + sum(len(one.encode()) for one in self._members[item])


def usage_of(bodies: Iterable[bytes], pace: Pace) -> Usage:
    """Of records of the stream, in their order."""
    usage, table = Usage(), Aggregates()
    unread = iter(bodies)
    while batch := list(islice(unread, pace.folding)):
        usage.events += len(batch)
        usage.payload_units += sum(ceil(len(body) / _PAYLOAD_UNIT_BYTES) for body in batch)
        usage.write_units += _folded(list(_events(batch)), table)
        usage.invocations += 1
    usage.files = ceil(usage.events / pace.landing)
    usage.invocations += usage.files
    return usage


def _events(bodies: Iterable[bytes]) -> Iterator[Envelope]:
    for body in bodies:
        try:
            yield parse_event(body)
        except Rejected:
            continue  # it is landed in quarantine, and passed over by folding


def _folded(events: Sequence[Envelope], table: Aggregates) -> int:
    units = 1  # how far folding has come: one item, not in a transaction
    for chunk in chunks(events):
        units += table.write_units(chunk.increments, _beside(chunk))
    clicks = [one for n, event in enumerate(events) if (one := click(event, str(n)))]
    for _, added in click_chunks(clicks):
        units += table.write_units(added, [1, _MARKER_BYTES])
    return units


def _beside(chunk: Chunk) -> list[int]:
    """The check of the generations, and a marker for each portion."""
    return [1, *[_MARKER_BYTES] * len(chunk.portions)]


def _key_bytes(item: Item) -> int:
    return sum(len(part.encode()) for part in item) + len("pksk")


def _number_bytes(number: int) -> int:
    return 1 + ceil(len(str(abs(number))) / 2) + (number < 0)


def usd_per_million(
    usage: Usage, lambda_gb_s: Mapping[str, float], usd: Mapping[str, float]
) -> dict[str, float]:
    """What each service takes for a million of such events, in US dollars.

    Args: `lambda_gb_s` by function: GB-seconds an event. `usd`: prices of a unit.
    """
    units = {
        "Kinesis, payload units": usage.payload_units * usd["kinesis_payload_unit"],
        "Lambda, requests": usage.invocations * usd["lambda_request"],
        "S3, raw files": usage.files * usd["s3_put"],
        "DynamoDB, write units": usage.write_units * usd["dynamodb_write_unit"],
    }
    found = {name: cost / usage.events * 1e6 for name, cost in units.items()}
    for function, gb_s in lambda_gb_s.items():
        found[f"Lambda, time of {function}"] = gb_s * usd["lambda_gb_second"] * 1e6
    return found
