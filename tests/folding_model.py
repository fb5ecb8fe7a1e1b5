"""A model of the analytics table, and the events that folding is tried with."""

import itertools
import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from pipeline.contracts.events import CLICK_TYPES, to_iso_z
from pipeline.contracts.ids import order_event_id
from pipeline.contracts.searches import SEARCHED
from pipeline.folding.domain import Chunk, Increments, Item
from pipeline.folding.service import fold
from pipeline.runtime.generations import Moved
from pipeline.runtime.kinesis import StreamRecord

START = datetime(2011, 11, 30, 22, tzinfo=UTC)
KINDS = ("placed", "refunded", "cancelled", "payment_failed", "paid")


class Table:
    """A table that writes a chunk whole or not at all, and may fail before or after it did.

    After `begin` a second generation is written, too; who has not heard of it is refused once.
    """

    def __init__(self, faults: Any = None) -> None:
        self.markers: dict[Item, frozenset[str]] = {}
        self.counters: dict[Item, Counter[str]] = defaultdict(Counter)
        self.members: dict[Item, set[str]] = defaultdict(set)
        self.shadow = Increments()
        self.marks: dict[str, str] = {}
        self.cuts: dict[str, str] = {}
        self._written = self._seen = ("0",)
        self._faults = faults or iter(())

    def begin(self) -> None:
        self._written = ("0", "next")

    def prepare(self, chunk: Chunk) -> Chunk:
        return chunk

    def book(self, prepared: Chunk, folded_at: datetime) -> set[Item]:
        markers = [portion.marker for portion in prepared.portions]
        increments = prepared.increments
        fault = next(self._faults, None)
        if fault == "before":
            raise ConnectionError
        check_limits(len(markers), increments, self.copies())
        if self._has_moved():
            raise Moved
        if known := self.markers.keys() & set(markers):
            return known
        self.markers |= dict.fromkeys(markers, frozenset(self._written))
        self._add(increments)
        if fault == "after":
            raise ConnectionError
        return set()

    def copies(self) -> int:
        return len(self._seen)

    def read_mark(self, shard: str) -> str:
        return self.marks.get(shard, "")

    def book_clicks(self, shard: str, seen: str, last: str, increments: Increments) -> bool:
        fault = next(self._faults, None)
        if fault == "before":
            raise ConnectionError
        if self._has_moved() or self.marks.get(shard, "") != seen:
            return False
        self.marks[shard] = last
        if "next" in self._written:
            self.cuts.setdefault(shard, seen)
        self._add(increments)
        if fault == "after":
            raise ConnectionError
        return True

    def advance(self, shard: str, sequence: str, facts: Mapping[str, str]) -> None:
        pass

    def _add(self, increments: Increments) -> None:
        for item, amounts in increments.counters.items():
            self.counters[item].update(amounts)
        for item, ids in increments.members.items():
            self.members[item] |= ids
        if "next" in self._written:
            self.shadow.add(increments)

    def _has_moved(self) -> bool:
        has_moved = self._seen != self._written
        self._seen = self._written
        return has_moved


def check_limits(markers: int, added: Increments, copies: int) -> None:
    """What DynamoDB refuses: 100 items a transaction, 300 operators and 4 KB an expression."""
    assert 1 + markers + copies * (len(added.counters) + len(added.members)) <= 100
    for amounts in added.counters.values():
        assert len(amounts) <= 300
        expression = ",".join(f"#{n} :{n}" for n in range(len(amounts)))
        assert len(f"ADD {expression}") <= 4096


def an_order(
    order_id: str, kind: str = "placed", lines: int = 2, *, hours: int = 0, version: int = 1,
    country: str = "France", customer: str | None = None, synthetic: bool = False,
) -> dict[str, Any]:  # fmt: skip
    at = to_iso_z(START + timedelta(hours=hours))
    return {
        "event_id": order_event_id(order_id, version), "event_type": f"order.{kind}.v1",
        "occurred_at": at, "source": "test", "correlation_id": order_id,
        "partition_key": order_id, "synthetic": synthetic,
        "payload": {
            "order_id": order_id, "version": version, "status": kind, "placed_at": at,
            "customer_id": customer, "country": country, "currency": "GBP",
            "lines": [
                {"line_no": n + 1, "sku": f"s{n}", "product_id": f"p{n % 150}", "title": "t",
                 "category": f"c{n % 4}", "quantity": n % 3 + 1, "unit_price_minor": 100 + n,
                 "line_total_minor": (n % 3 + 1) * (100 + n)}
                for n in range(lines)
            ],
            "subtotal_minor": 1, "total_minor": 1,
        },
    }  # fmt: skip


def a_click(number: int, hours: int) -> dict[str, Any]:
    return {
        "event_id": f"click-{number}", "event_type": CLICK_TYPES[number % len(CLICK_TYPES)],
        "occurred_at": to_iso_z(START + timedelta(hours=hours)), "source": "browser",
        "correlation_id": "c", "partition_key": "p", "payload": {},
    }  # fmt: skip


def a_search(number: int, hours: int, query: str = "tea", results: object = 0) -> dict[str, Any]:
    return a_click(number, hours) | {
        "event_id": f"search-{number}", "event_type": SEARCHED,
        "payload": {"query": query, "results_count": results},
    }  # fmt: skip


def records(events: list[dict[str, Any]]) -> list[StreamRecord]:
    """As the stream numbers them; the numbers' width grows on the way."""
    return [
        StreamRecord("shard-0", str(95 + n), START, json.dumps(event).encode())
        for n, event in enumerate(events)
    ]


def deliver(batches: list[list[StreamRecord]], table: Table) -> None:
    """As Lambda does: a batch that fails is delivered again."""
    for batch in batches:
        for _ in range(50):
            try:
                fold(batch, table, lambda: START)
                break
            except ConnectionError:
                continue
        else:
            raise AssertionError("a batch never succeeded")


orders = st.builds(
    an_order,
    order_id=st.sampled_from([f"o{n}" for n in range(12)]),
    kind=st.just("placed"),
    lines=st.sampled_from([1, 2, 5, 95, 200]),
    hours=st.integers(0, 60),
    country=st.sampled_from(["France", "United Kingdom", "EIRE"]),
    customer=st.sampled_from([None, "1", "2"]),
    synthetic=st.booleans(),
)
reversals = st.builds(
    an_order,
    order_id=st.sampled_from([f"o{n}" for n in range(12)]),
    kind=st.sampled_from(KINDS[1:]),
    lines=st.integers(1, 3),
    hours=st.integers(0, 60),
    version=st.integers(2, 4),
)


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[list[dict[str, Any]]]]:
    """(events, the batches they come in): repeated, reordered and split at will."""
    drawn = draw(st.lists(st.one_of(orders, reversals), max_size=25))
    events = list({event["event_id"]: event for event in drawn}.values())
    again = draw(st.lists(st.sampled_from(events), max_size=15)) if events else []
    sent = draw(st.permutations(events + again))
    cuts = sorted(draw(st.lists(st.integers(0, len(sent)), max_size=5)))
    edges = [0, *cuts, len(sent)]
    batches = [list(sent[a:b]) for a, b in itertools.pairwise(edges) if b > a]
    return events, batches
