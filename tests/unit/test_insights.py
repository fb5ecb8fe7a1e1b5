"""What the shop learns from orders and searches."""

from collections import Counter
from itertools import permutations
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from pipeline.insights.domain import bought_with, popular_queries


def lines(baskets: list[list[str]], kind: str = "sale") -> pl.LazyFrame:
    """A line for each mention of a product; the same product may be mentioned twice."""
    rows = [(f"O{n}", product, kind) for n, basket in enumerate(baskets) for product in basket]
    schema = {"order_id": pl.String, "product_id": pl.String, "kind": pl.String}
    return pl.LazyFrame(rows, schema=schema, orient="row")


@given(st.lists(st.lists(st.sampled_from("abcdef"), max_size=6), max_size=40))
def test_two_goods_go_together_if_three_orders_hold_both_the_likest_first(
    baskets: list[list[str]],
) -> None:
    orders = [set(basket) for basket in baskets if len(set(basket)) > 1]
    alone = Counter(product for order in orders for product in order)
    both = Counter(pair for order in orders for pair in permutations(sorted(order), 2))

    def likeness(product: str, other: str) -> float:
        return round(both[product, other] / (alone[product] * alone[other]) ** 0.5, 9)

    expected = {}
    for product in alone:
        others = [other for other in alone if both[product, other] >= 3]
        if others:
            expected[product] = sorted(others, key=lambda o: (-likeness(product, o), o))
    found = bought_with(lines(baskets))
    assert {product: sorted(others) for product, others in found.items()} == {
        product: sorted(others) for product, others in expected.items()
    }
    for product, others in found.items():
        likes = [likeness(product, other) for other in others]
        assert likes == sorted(likes, reverse=True)


def test_neither_refunds_nor_half_the_shop_in_one_order_say_what_goes_together() -> None:
    everything = [f"P{n}" for n in range(61)]
    assert bought_with(lines([["a", "b"]] * 5, "refund")) == {}
    assert bought_with(lines([everything] * 5)) == {}


def test_a_text_is_popular_once_five_visits_found_goods_by_it() -> None:
    def asked(text: str | None, visits: int, results: int = 3) -> list[tuple[Any, ...]]:
        return [("shopper.searched.v1", text, results, f"S{n}") for n in range(visits)]

    rows = [
        *asked("Red  Dress ", 3), *asked("red dress", 6), *asked("boots", 7), *asked("rare", 4),
        *asked("nothing", 9, 0), *asked(None, 9), *asked("x" * 61, 9),
        *[("shopper.searched.v1", "again and again", 3, "S1")] * 9,
        *[("shopper.product_viewed.v1", "viewed", 3, f"S{n}") for n in range(9)],
    ]  # fmt: skip
    names = ("event_type", "query", "results_count", "session_id")
    assert popular_queries(pl.LazyFrame(rows, schema=names, orient="row")) == ("boots", "red dress")
