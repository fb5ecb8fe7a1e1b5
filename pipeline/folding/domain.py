"""What an event adds to the aggregates, and how to pack that into DynamoDB transactions.

Addition and set union do not care for order, so the state after any split, reordering or repetition
of the stream is the plain sum over the distinct events, as long as each portion below is written in
one transaction with its own marker.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from pipeline.contracts import keys
from pipeline.contracts.events import CLICK_TYPES, ORDER_PLACED, REVERSALS, Envelope
from pipeline.contracts.keys import Grain, Stream
from pipeline.contracts.searches import term_without_results

Item = tuple[str, str]  # pk, sk

SALES_GRAINS: tuple[Grain, ...] = ("hour", "day", "month")
PRODUCT_GRAINS: tuple[Literal["day", "month"], ...] = ("day", "month")
MONEY_TYPES = REVERSALS | {ORDER_PLACED}
# The counter of an item of searches for a term.
WITHOUT_RESULTS = "without_results"

# DynamoDB: 100 items a transaction; 4 KB and 300 operators an update expression.
MAX_ITEMS = 100
MAX_COUNTERS_PER_ITEM = 300
# That the generations written are still those that were read.
CHECKS = 1
# Lines of one order that are written together. Even if every line has a category and a product of
# its own and all products share a shard, no item gets more than MAX_COUNTERS_PER_ITEM counters:
# 3 per category and 8 for the order and its country.
MAX_LINES_PER_PORTION = 90


@dataclass(slots=True)
class Increments:
    """`counters[item][attribute]` is added to; `members[item]` joins the item's string set.

    Those of a portion are only read: items of several grains may have the same amounts.
    """

    counters: dict[Item, dict[str, int]] = field(default_factory=dict)
    members: dict[Item, set[str]] = field(default_factory=dict)

    def add(self, other: "Increments") -> None:
        for item, amounts in other.counters.items():
            mine = self.counters.get(item)
            if mine is None:
                self.counters[item] = dict(amounts)
                continue
            for attribute, amount in amounts.items():
                mine[attribute] = mine.get(attribute, 0) + amount
        for item, ids in other.members.items():
            self.members.setdefault(item, set()).update(ids)

    def has_room_for(self, other: "Increments", markers: int, copies: int) -> bool:
        """Whether both, in each of `copies` generations, and `markers` fit into one transaction."""
        items = len(self.counters) + len(self.members)
        items += sum(item not in self.counters for item in other.counters)
        items += sum(item not in self.members for item in other.members)
        if CHECKS + markers + copies * items > MAX_ITEMS:
            return False
        return all(
            len(mine) + len(amounts) <= MAX_COUNTERS_PER_ITEM
            or len(mine | amounts) <= MAX_COUNTERS_PER_ITEM
            for item, amounts in other.counters.items()
            if (mine := self.counters.get(item))
        )


@dataclass(frozen=True, slots=True)
class Portion:
    """A part of an event that is booked as a whole, once, under its own marker."""

    marker: Item
    increments: Increments


def stream_of(event: Envelope) -> Stream:
    return "synthetic" if event.synthetic else "real"


def portions(event: Envelope) -> list[Portion]:
    """What an order event books; empty for events that move no money.

    A placed order adds to `orders`, `units` and `gross`; a reversal adds its lines, at or below
    zero whatever their sign, to `refunds`. Orders of more than MAX_LINES_PER_PORTION lines are
    booked in several portions, each with a marker, cut by position: the same on every delivery.
    """
    if event.event_type not in MONEY_TYPES:
        return []
    lines: list[dict[str, Any]] = event.payload["lines"]
    seen: set[str] = set()
    booked = []
    for number, start in enumerate(range(0, len(lines), MAX_LINES_PER_PORTION)):
        part = lines[start : start + MAX_LINES_PER_PORTION]
        marker = keys.folded(event.event_id)
        sk = marker["sk"] if number == 0 else f"{marker['sk']}#{number}"
        if event.event_type == ORDER_PLACED:
            increments = _sale(event, part, number == 0, seen)
        else:
            increments = _reversal(event, part)
        booked.append(Portion((marker["pk"], sk), increments))
    return booked


def _sale(
    event: Envelope, lines: list[dict[str, Any]], is_first: bool, seen: set[str]
) -> Increments:
    """`seen` collects the categories the order was already counted in by earlier portions."""
    country = event.payload["country"]
    units = sum(line["quantity"] for line in lines)
    gross = sum(line["line_total_minor"] for line in lines)
    sales = {"units": units, "gross": gross}
    sales[f"units|country|{country}"] = units
    sales[f"gross|country|{country}"] = gross
    if is_first:
        sales["orders"] = sales[f"orders|country|{country}"] = 1
    by_product: dict[str, list[int]] = {}
    by_category: dict[str, list[int]] = {}
    for line in lines:
        for totals, name in ((by_product, line["product_id"]), (by_category, line["category"])):
            total = totals.setdefault(name, [0, 0])
            total[0] += line["quantity"]
            total[1] += line["line_total_minor"]
    for category, (category_units, category_gross) in by_category.items():
        sales[f"units|category|{category}"] = category_units
        sales[f"gross|category|{category}"] = category_gross
        if category not in seen:
            sales[f"orders|category|{category}"] = 1
            seen.add(category)
    increments = _at_every_grain(event, sales)
    _add_products(increments, event, by_product)
    if is_first and (customer_id := event.payload.get("customer_id")):
        day, currency = keys.bucket(event.occurred_at, "day"), event.payload["currency"]
        key = keys.customers(stream_of(event), day, currency, customer_id)
        increments.members[_item(key)] = {customer_id}
    return increments


def _reversal(event: Envelope, lines: list[dict[str, Any]]) -> Increments:
    refunds: Counter[str] = Counter()
    for line in lines:
        back = -abs(line["line_total_minor"])
        refunds["refunds"] += back
        refunds[f"refunds|country|{event.payload['country']}"] += back
        refunds[f"refunds|category|{line['category']}"] += back
    return _at_every_grain(event, refunds)


def _at_every_grain(event: Envelope, amounts: dict[str, int]) -> Increments:
    increments = Increments()
    for grain in SALES_GRAINS:
        bucket = keys.bucket(event.occurred_at, grain)
        key = keys.sales(stream_of(event), grain, bucket, event.payload["currency"])
        increments.counters[_item(key)] = amounts
    return increments


def _add_products(
    increments: Increments, event: Envelope, by_product: dict[str, list[int]]
) -> None:
    stream, currency = stream_of(event), event.payload["currency"]
    by_shard: dict[int, dict[str, int]] = defaultdict(dict)
    for product_id, total in by_product.items():
        shard, units_name, gross_name = _product_counters(product_id)
        amounts = by_shard[shard]
        amounts[units_name], amounts[gross_name] = total
    for grain in PRODUCT_GRAINS:
        bucket = keys.bucket(event.occurred_at, grain)
        for shard, amounts in by_shard.items():
            item = _item(keys.products(stream, grain, bucket, currency, shard))
            increments.counters[item] = amounts


@lru_cache(maxsize=65_536)
def _product_counters(product_id: str) -> tuple[int, str, str]:
    return keys.product_shard(product_id), f"units|{product_id}", f"gross|{product_id}"


def _item(key: keys.Key) -> Item:
    return key["pk"], key["sk"]


@dataclass(slots=True)
class Chunk:
    """Portions that are written in one transaction, and the sum of what they add."""

    portions: list[Portion] = field(default_factory=list)
    increments: Increments = field(default_factory=Increments)

    def add(self, portion: Portion) -> None:
        self.portions.append(portion)
        self.increments.add(portion.increments)

    def without(self, markers: set[Item]) -> "Chunk":
        """The same chunk less the portions that are booked already."""
        rest = Chunk()
        for portion in self.portions:
            if portion.marker not in markers:
                rest.add(portion)
        return rest


def distinct(events: Iterable[Envelope]) -> Iterator[Envelope]:
    """The first of each event id, in order."""
    seen: set[str] = set()
    for event in events:
        if event.event_id not in seen:
            seen.add(event.event_id)
            yield event


def chunks(events: Iterable[Envelope], copies: int = 1) -> Iterator[Chunk]:
    """Packs the distinct events, in order, into as few transactions as the limits allow.

    Args: `copies` is in how many generations of the aggregates each is booked.
    """
    current = Chunk()
    for event in distinct(events):
        for portion in portions(event):
            has_room = current.increments.has_room_for(
                portion.increments, len(current.portions) + 1, copies
            )
            if not has_room:
                yield current
                current = Chunk()
            current.add(portion)
    if current.portions:
        yield current


@dataclass(frozen=True, slots=True)
class Click:
    """A browser event at its place in the stream; `sequence` is fixed-width, so it compares.

    It adds one to each of its counters, (item, attribute).
    """

    sequence: str
    counters: tuple[tuple[Item, str], ...]


def click(event: Envelope, sequence: str) -> Click | None:
    """What a browser event counts as; None for every other type."""
    if event.event_type not in CLICK_TYPES:
        return None
    stream, day = stream_of(event), keys.bucket(event.occurred_at, "day")
    counters = [(_item(keys.clicks(stream, day)), f"events|{event.event_type}")]
    if term := term_without_results(event.event_type, event.payload):
        counters.append((_item(keys.searches(stream, day, term)), WITHOUT_RESULTS))
    return Click(sequence, tuple(counters))


def click_chunks(clicks: Iterable[Click], copies: int = 1) -> Iterator[tuple[str, Increments]]:
    """(last sequence, counters) per transaction: at most MAX_ITEMS items with the shard's mark."""
    most = (MAX_ITEMS - CHECKS - 1) // copies
    counters: dict[Item, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    last = ""
    for one in clicks:
        fresh = sum(item not in counters for item, _ in one.counters)
        if len(counters) + fresh > most:
            yield last, Increments(counters=counters)
            counters = defaultdict(lambda: defaultdict(int))
        for item, attribute in one.counters:
            counters[item][attribute] += 1
        last = one.sequence
    if counters:
        yield last, Increments(counters=counters)
