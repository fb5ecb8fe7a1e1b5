"""Folding is a sum over distinct events, however the stream splits, repeats or reorders them."""

import itertools
import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts.events import CLICK_TYPES, Envelope, to_iso_z
from pipeline.contracts.ids import order_event_id
from pipeline.folding.domain import Increments, Item, chunks
from pipeline.folding.service import fold
from pipeline.runtime.kinesis import StreamRecord

START = datetime(2011, 11, 30, 22, tzinfo=UTC)
KINDS = ("placed", "refunded", "cancelled", "payment_failed", "paid")


class Table:
    """A table that writes a chunk whole or not at all, and may fail before or after it did."""

    def __init__(self, faults: Any = None) -> None:
        self.markers: set[Item] = set()
        self.counters: dict[Item, Counter[str]] = defaultdict(Counter)
        self.members: dict[Item, set[str]] = defaultdict(set)
        self.marks: dict[str, str] = {}
        self._faults = faults or iter(())

    def book(self, markers: list[Item], increments: Increments, folded_at: datetime) -> set[Item]:
        fault = next(self._faults, None)
        if fault == "before":
            raise ConnectionError
        check_limits(len(markers), increments)
        if known := self.markers.intersection(markers):
            return known
        self.markers.update(markers)
        self._add(increments)
        if fault == "after":
            raise ConnectionError
        return set()

    def copies(self) -> int:
        return 1

    def read_mark(self, shard: str) -> str:
        return self.marks.get(shard, "")

    def book_clicks(self, shard: str, seen: str, last: str, increments: Increments) -> bool:
        fault = next(self._faults, None)
        if fault == "before":
            raise ConnectionError
        if self.marks.get(shard, "") != seen:
            return False
        self.marks[shard] = last
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


def check_limits(markers: int, added: Increments) -> None:
    """What DynamoDB refuses: 100 items a transaction, 300 operators and 4 KB an expression."""
    assert markers + len(added.counters) + len(added.members) <= 100
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


def plain_sum(events: list[dict[str, Any]]) -> dict[str, Any]:
    """What the aggregates must say, added up line by line from the distinct events."""
    day: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    products: Counter[tuple[str, str]] = Counter()
    customers: set[str] = set()
    for event in {event["event_id"]: event for event in events}.values():
        payload, kind = event["payload"], event["event_type"].split(".")[1]
        stream = "synthetic" if event["synthetic"] else "real"
        booked = day[stream, event["occurred_at"][:10]]
        country = payload["country"]
        if kind == "placed":
            booked.update({"orders": 1, f"orders|country|{country}": 1})
            booked.update({f"orders|category|{c}": 1 for c in {
                line["category"] for line in payload["lines"]}})  # fmt: skip
            if payload["customer_id"]:
                customers.add(payload["customer_id"])
        for line in payload["lines"]:
            total, category = line["line_total_minor"], line["category"]
            if kind == "placed":
                for name, amount in (("units", line["quantity"]), ("gross", total)):
                    booked.update({name: amount, f"{name}|country|{country}": amount,
                                   f"{name}|category|{category}": amount})  # fmt: skip
                products[stream, line["product_id"]] += total
            elif kind != "paid":
                booked.update({"refunds": -total, f"refunds|country|{country}": -total,
                               f"refunds|category|{category}": -total})  # fmt: skip
    return {"day": {k: v for k, v in day.items() if v}, "products": products,
            "customers": customers}  # fmt: skip


def state_of(table: Table) -> dict[str, Any]:
    day: dict[tuple[str, str], Counter[str]] = {}
    products: Counter[tuple[str, str]] = Counter()
    for (pk, sk), counters in table.counters.items():
        kind, stream, *rest = pk.split("#")
        if kind == "SALES" and rest[0] == "day":
            day[stream, sk.split("#")[0]] = counters
        if kind == "PRODUCTS" and rest[0] == "month":
            for name, amount in counters.items():
                if name.startswith("gross|"):
                    products[stream, name.removeprefix("gross|")] += amount
    return {"day": day, "products": products, "customers": set().union(*table.members.values())}


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


faults = st.lists(st.sampled_from(["before", "after", None, None]), max_size=12)


@settings(max_examples=150, deadline=None)
@given(deliveries(), faults)
def test_any_split_duplication_and_order_of_the_stream_gives_the_plain_sum(
    delivered: tuple[list[dict[str, Any]], list[list[dict[str, Any]]]], failing: list[str | None]
) -> None:
    events, batches = delivered
    table = Table(iter(failing))
    deliver([records(batch) for batch in batches], table)
    found, expected = state_of(table), plain_sum(events)
    assert found["day"] == expected["day"]
    assert found["products"] == expected["products"]
    assert found["customers"] == expected["customers"]


@settings(max_examples=60, deadline=None)
@given(st.lists(orders, min_size=1, max_size=120))
def test_no_transaction_exceeds_the_limits_of_dynamodb(drawn: list[dict[str, Any]]) -> None:
    for number, event in enumerate(drawn):
        event["event_id"] = f"{number}:1"
    for chunk in chunks(Envelope.model_validate(event) for event in drawn):
        check_limits(len(chunk.portions), chunk.increments)


def test_an_order_whose_every_line_is_another_category_and_product_still_fits() -> None:
    event = an_order("big", lines=2_000)
    for line in event["payload"]["lines"]:
        line["category"] = f"category {line['line_no']}"
        line["product_id"] = f"product {line['line_no']}"
    table = Table()
    fold(records([event]), table, lambda: START)
    (day,) = [c for (pk, _), c in table.counters.items() if pk.startswith("SALES#real#day")]
    assert day["orders"] == 1
    assert sum(amount for name, amount in day.items() if name.startswith("orders|category")) == 2000
    assert day["gross"] == sum(line["line_total_minor"] for line in event["payload"]["lines"])


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.integers(0, 80), min_size=1, max_size=40),
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 20)), max_size=6),
    faults,
)
def test_clicks_count_once_although_batches_come_again_with_other_bounds(
    hours: list[int], replayed: list[tuple[int, int]], failing: list[str | None]
) -> None:
    sent = records([a_click(number, hour) for number, hour in enumerate(hours)])
    batches = [sent[n : n + 7] for n in range(0, len(sent), 7)]
    batches += [sent[start : start + size] for start, size in replayed if sent[start:]]
    table = Table(iter(failing))
    deliver(batches, table)
    counted = sum(
        (c for (pk, _), c in table.counters.items() if pk.startswith("CLICKS")), Counter()
    )
    expected = Counter(f"events|{CLICK_TYPES[n % len(CLICK_TYPES)]}" for n in range(len(hours)))
    assert counted == expected


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b'{"event_id": 1}'])
def test_a_record_that_landing_quarantines_is_passed_over(body: bytes) -> None:
    table = Table()
    good = records([an_order("a")])
    fold([StreamRecord("shard-0", "1", START, body), *good], table, lambda: START)
    assert len(table.markers) == 1


@pytest.mark.parametrize("sign", [1, -1])
def test_a_reversal_takes_money_back_whatever_the_sign_of_its_lines(sign: int) -> None:
    event = an_order("a", "refunded", lines=1)
    event["payload"]["lines"][0]["line_total_minor"] = sign * 500
    table = Table()
    fold(records([event]), table, lambda: START)
    (day,) = [c for (pk, _), c in table.counters.items() if pk.startswith("SALES#real#day")]
    assert day["refunds"] == -500
    assert "orders" not in day
    assert "gross" not in day
