"""Folding is a sum over distinct events, however the stream splits, repeats or reorders them."""

from collections import Counter, defaultdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts.events import CLICK_TYPES, Envelope
from pipeline.folding.domain import chunks, click, click_chunks
from pipeline.folding.service import fold
from pipeline.runtime.kinesis import StreamRecord
from tests.folding_model import (
    START,
    Table,
    a_click,
    a_search,
    an_order,
    check_limits,
    deliver,
    deliveries,
    orders,
    records,
)


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
@given(st.lists(orders, min_size=1, max_size=120), st.sampled_from([1, 2]))
def test_no_transaction_exceeds_the_limits_of_dynamodb(
    drawn: list[dict[str, Any]], copies: int
) -> None:
    for number, event in enumerate(drawn):
        event["event_id"] = f"{number}:1"
    for chunk in chunks((Envelope.model_validate(event) for event in drawn), copies):
        check_limits(len(chunk.portions), chunk.increments, copies)


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


def test_searches_that_find_nothing_count_by_term_and_day() -> None:
    sent = [
        a_search(0, 0, "Green Tea"), a_search(1, 0, "  green \t tea "),
        a_search(2, 24, "green tea"),
        a_search(3, 0, "GREEN TEA", "0"), a_search(4, 0, "green tea", 1), a_search(5, 0, " "),
        a_search(6, 0, "green tea", None), a_search(7, 0, "x" * 500),
        a_click(7, 0) | {"payload": {"query": "green tea", "results_count": 0}},
        a_search(9, 0) | {"synthetic": True},
    ]  # fmt: skip
    table = Table()
    deliver([records(sent)], table)
    found = {key: dict(c) for key, c in table.counters.items() if key[0].startswith("SEARCHES#")}
    assert found == {
        ("SEARCHES#real#2011", "2011-11-30#green tea"): {"without_results": 3},
        ("SEARCHES#real#2011", "2011-12-01#green tea"): {"without_results": 1},
        ("SEARCHES#real#2011", f"2011-11-30#{'x' * 100}"): {"without_results": 1},
        ("SEARCHES#synthetic#2011", "2011-11-30#tea"): {"without_results": 1},
    }


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 250), st.sampled_from([1, 2]))
def test_however_many_terms_a_batch_has_its_transactions_keep_the_limits(
    terms: int, copies: int
) -> None:
    sent = [a_search(n, n % 3 * 24, f"term {n}") for n in range(terms)]
    clicks = [one for n, e in enumerate(sent) if (one := click(Envelope.model_validate(e), str(n)))]
    vain = 0
    for _, increments in click_chunks(clicks, copies):
        check_limits(1, increments, copies)
        vain += sum(c.get("without_results", 0) for c in increments.counters.values())
    assert vain == terms


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
