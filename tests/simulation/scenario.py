"""What people do in a simulated shop, and what must come of it: all from one seed."""

import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pipeline.contracts import keys
from pipeline.contracts.events import CLICK_TYPES, to_iso_z
from tests.order_model import PLACED_AT, Message, Model, an_order

_PATHS = (
    ("paid", "pack", "ship", "deliver"), ("paid", "refund", "pack"), ("paid", "pack", "refund"),
    ("paid", "cancel"), ("payment_failed",), ("cancel",), ("expire",), ("paid",), (),
)  # fmt: skip
_PLACES = ("France", "United Kingdom", "EIRE")
# Nothing of these can ever be an event.
_POISON = (
    b"{", b"[]", b"null", b"\xff\xfe", b"[" * 50_000, b'{"event_id": "\\ud800"}',
    b'{"event_id": 1}',
)  # fmt: skip
_REVERSED = {"cancelled", "payment_failed"}


@dataclass(frozen=True)
class Happening:
    """A new version of an order's row, or the body of a record that goes to the stream itself."""

    row: dict[str, Any] | None = None
    body: bytes = b""
    partition_key: str = ""


@dataclass(frozen=True)
class Amounts:
    """What an event adds to the sales of its stream."""

    orders: int = 0
    units: int = 0
    gross: int = 0
    refunds: int = 0


@dataclass(frozen=True)
class Scenario:
    happenings: list[Happening]
    sales: dict[str, tuple[str, Amounts]]  # event id -> (stream, what it adds), added up by hand
    clicks: Counter[str]  # records by event type: a browser sends some twice
    click_ids: set[str]
    poison: Counter[bytes]


def a_scenario(seed: int) -> Scenario:
    dice = random.Random(f"scenario {seed}")
    lives = [list(_life(dice, f"order-{n}")) for n in range(dice.randint(2, 4))]
    clicks = [_a_click(dice, n) for n in range(dice.randint(3, 10))]
    poison = [_some_poison(dice, n) for n in range(dice.randint(0, 3))]
    broken = [_a_broken_row()] if dice.random() < 0.3 else []
    sent = [one for click in clicks for one in [click] * dice.choice((1, 1, 1, 1, 2))]
    waiting = [*map(list, lives), *([one] for one in (*sent, *poison, *broken))]
    happenings = []
    while waiting:  # an order's versions stay in order, all else is mixed
        chosen = dice.choice(waiting)
        happenings.append(chosen.pop(0))
        waiting = [one for one in waiting if one]
    return _scenario(happenings, [h for life in lives for h in life], sent, poison)


def small_hours() -> list[Scenario]:
    """As little as makes a function write all that it can write, hour by hour.

    An hour's scenario is what has happened in the shop by its end.
    """
    dice = random.Random("small hours")
    placed, paid, refunded = _life(dice, "order-1", ("paid", "refund"))
    click, later_click = _a_click(dice, 1), _a_click(dice, 2)
    visit = list(_visit_of(later_click))
    poison, broken = _some_poison(dice, 1), _a_broken_row()
    hours = [
        [placed, click, click, poison, broken],
        [paid, later_click],
        [refunded, later_click, *visit],
    ]
    clicks, bad = (click, later_click, *visit), (poison, broken)
    scenarios, so_far = [], list[Happening]()
    for hour in hours:
        so_far += hour
        scenarios.append(_scenario(
            hour, [h for h in so_far if h.row and h not in bad], [h for h in so_far if h in clicks],
            [h for h in so_far if h is poison],
        ))  # fmt: skip
    return scenarios


def _scenario(
    happenings: list[Happening],
    versions: list[Happening],
    clicks: list[Happening],
    poison: list[Happening],
) -> Scenario:
    return Scenario(
        happenings,
        {f"{h.row['order_id']}:{h.row['version']}": _amounts(h.row) for h in versions if h.row},
        Counter(json.loads(click.body)["event_type"] for click in clicks),
        {json.loads(click.body)["event_id"] for click in clicks},
        Counter(one.body for one in poison),
    )


def _life(
    dice: random.Random, order_id: str, path: tuple[str, ...] | None = None
) -> Iterator[Happening]:
    """The versions of an order's row, as the shop's own rules make them."""
    row = an_order(order_id, tuple(dice.randint(1, 3) for _ in range(dice.choice((1, 2, 2, 7)))))
    for line in row["lines"]:
        line["category"] = dice.choice(("Kitchen", "Garden", "Toys"))
        line["product_id"] = f"product-{dice.randrange(9)}"
    synthetic = dice.random() < 0.2
    model = Model({
        **keys.order(order_id), **row, "owner": "guest:1", "email": "ada@shop.test",
        "customer_id": dice.choice((None, "customer-1", "customer-2")),
        "country": dice.choice(_PLACES), "currency": "GBP", "card_token": "tok_visa",
        "synthetic": synthetic, "correlation_id": f"c-{order_id}",
        "listing": keys.order_listing(synthetic),
    })  # fmt: skip
    yield Happening(row=model.order)
    at = PLACED_AT
    for kind in path or dice.choice(_PATHS):
        # Some within the hour, some the next day.
        at += timedelta(minutes=20 if kind == "expire" else dice.choice((1, 1, 50, 1500)))
        at = min(at, PLACED_AT + timedelta(minutes=5)) if kind == "paid" else at
        version = model.order["version"]
        model.deliver(Message(kind, f"r-{version}", dice.choice((None, 1))), at)
        if model.order["version"] != version:
            yield Happening(row=model.order)


def _amounts(row: dict[str, Any]) -> tuple[str, Amounts]:
    """Line by line, from the row's newest version."""
    stream = "synthetic" if row["synthetic"] else "real"
    version = row["version"]
    back = [r for r in row.get("refunds", ()) if r["version"] == version]
    if back:
        return stream, Amounts(refunds=-sum(_total(refund["lines"]) for refund in back))
    if version == 1:
        units = sum(line["quantity"] for line in row["lines"])
        return stream, Amounts(1, units, _total(row["lines"]))
    if row["status"] in _REVERSED:
        return stream, Amounts(refunds=-_total(row["lines"]))
    return stream, Amounts()


def _total(lines: list[dict[str, Any]]) -> int:
    return sum(line["line_total_minor"] for line in lines)


def _a_click(dice: random.Random, number: int) -> Happening:
    session = f"session-{dice.randrange(4)}"
    at = PLACED_AT + timedelta(minutes=dice.randrange(3000))
    event = _event(f"click-{number}", dice.choice(CLICK_TYPES), at) | {
        "partition_key": session,
        "payload": {"session_id": session, "query": "tea", "results_count": number % 2,
                    "product_id": f"product-{number % 9}"},
    }  # fmt: skip
    return Happening(body=json.dumps(event).encode(), partition_key=session)


def _visit_of(click: Happening) -> Iterator[Happening]:
    """How the session of a click began, a day before, and that it led to an order: what was said of
    it is not true any more."""
    event = json.loads(click.body)
    day_before = datetime.fromisoformat(event["occurred_at"]) - timedelta(days=1)
    for changes in (
        {"event_id": "visit-begins", "occurred_at": to_iso_z(day_before)},
        {"event_id": "visit-ends", "event_type": "shopper.order_completed.v1"},
    ):
        body = json.dumps(event | changes).encode()
        yield Happening(body=body, partition_key=click.partition_key)


def _some_poison(dice: random.Random, number: int) -> Happening:
    body = dice.choice((*_POISON, None))
    if body is None:  # an event but for one field
        event = _event(f"poison-{number}", "order.placed.v1", PLACED_AT) | {"payload": {"lines": 7}}
        body = json.dumps(event).encode()
    return Happening(body=body, partition_key=f"poison-{number}")


def _a_broken_row() -> Happening:
    row = an_order("broken-1") | {
        **keys.order("broken-1"), "lines": [], "country": "France", "currency": "GBP",
        "synthetic": False, "correlation_id": "c",
    }  # fmt: skip
    return Happening(row=row)


def _event(event_id: str, event_type: str, at: datetime) -> dict[str, Any]:
    return {
        "event_id": event_id, "event_type": event_type, "occurred_at": to_iso_z(at),
        "source": "browser", "correlation_id": "c", "partition_key": "p", "payload": {},
    }  # fmt: skip
