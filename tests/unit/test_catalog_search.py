"""Search, facets and pages of the catalogue, on an index in memory."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.contracts.errors import Unprocessable
from pipeline.runtime.insights import Insights
from storefront_api.catalog import models, views
from storefront_api.catalog.domain import ARCHIVED, PRICE_BANDS, Filters, Product, Sort, prefixes
from storefront_api.catalog.search import SearchIndex, View

WORDS = ("red", "blue", "linen", "dress", "shirt", "boots")
PATHS = (("Clothing",), ("Clothing", "Dresses"), ("Clothing", "Tops"), ("Outdoor", "Footwear"))
CHOICES: tuple[dict[str, tuple[str, ...]], ...] = (
    {},
    {"colour": ("red", "blue")},
    {"colour": ("red",), "size": ("M", "L")},
    {"size": ("L",)},
)
EVERYTHING = Filters()


def a_product(product_id: str = "P1", title: str = "Linen dress", **changes: Any) -> Product:
    defaults: dict[str, Any] = {
        "description": "",
        "category": ("Clothing", "Dresses"),
        "price_minor": 2_000,
        "currency": "GBP",
        "created_at": "2026-01-01T00:00:00.000Z",
        "changed_at": "0",
        "in_stock": True,
    }
    return Product(product_id=product_id, title=title, **(defaults | changes))


def an_index(*products: Product) -> SearchIndex:
    index = SearchIndex()
    index.apply(products)
    return index


def found_by(index: SearchIndex, text: str) -> list[str]:
    page = index.view.list_page(Filters(text=text), Sort.RELEVANCE, 100, None)
    return [product.product_id for product in page.products]


def pages(view: View, filters: Filters, sort: Sort, size: int) -> Iterator[list[str]]:
    cursor = None
    for _ in range(100):
        page = view.list_page(filters, sort, size, cursor)
        yield [product.product_id for product in page.products]
        cursor = page.next_cursor
        if cursor is None:
            return


@st.composite
def products(draw: st.DrawFn, ids: range) -> list[Product]:
    return [
        a_product(
            f"P{number:03d}",
            title=" ".join(draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=3))),
            category=draw(st.sampled_from(PATHS)),
            price_minor=draw(st.sampled_from([500, 2_500, 2_501, 9_999, 30_000])),
            rating=draw(st.sampled_from([None, Decimal("3.9"), Decimal("5.0")])),
            review_count=draw(st.integers(0, 3)),
            created_at=draw(st.sampled_from(["2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"])),
            featured=draw(st.booleans()),
            in_stock=draw(st.booleans()),
            options=draw(st.sampled_from(CHOICES)),
        )
        for number in ids
        if draw(st.booleans())
    ]


filters = st.builds(
    Filters,
    text=st.sampled_from(["", "dress", "linen shirt", "boost"]),
    category=st.sampled_from([(), ("Clothing",), ("Clothing", "Tops")]),
    min_price=st.sampled_from([None, 501]),
    max_price=st.sampled_from([None, 9_999]),
    in_stock=st.sampled_from([None, True, False]),
    options=st.sampled_from(
        [(), (("colour", ("red",)),), (("colour", ("blue", "red")), ("size", ("L",)))]
    ),
)
some = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@some
@given(
    before=products(range(0, 30)),
    arrived=products(range(30, 45)),
    asked=filters,
    sort=st.sampled_from(Sort),
    size=st.integers(1, 7),
    leaving=st.sets(st.integers(0, 29)),
)
def test_pages_neither_skip_nor_repeat_while_the_goods_change(
    before: list[Product],
    arrived: list[Product],
    asked: Filters,
    sort: Sort,
    size: int,
    leaving: set[int],
) -> None:
    """Each page comes from another replica, which has seen more of the arrivals and departures."""
    gone = {f"P{number:03d}" for number in leaving}
    left = [replace(p, status=ARCHIVED, changed_at="1") for p in before if p.product_id in gone]
    other = an_index(*reversed(before))
    stays = set(found(other, asked)) - gone
    first = an_index(*before).view.list_page(asked, sort, size, None)
    other.apply([*left, *arrived])
    seen = [product.product_id for product in first.products]
    cursor = first.next_cursor
    while cursor is not None and len(seen) <= 45:
        page = other.view.list_page(asked, sort, size, cursor)
        seen += [product.product_id for product in page.products]
        cursor = page.next_cursor
    assert len(seen) == len(set(seen))
    assert stays <= set(seen)


def found(index: SearchIndex, asked: Filters) -> list[str]:
    return next(pages(index.view, asked, Sort.NEWEST, 100))


@some
@given(goods=products(range(0, 30)), asked=filters)
def test_facets_count_what_their_own_filter_would_return(
    goods: list[Product], asked: Filters
) -> None:
    view = an_index(*goods).view
    facets = view.list_page(asked, Sort.RELEVANCE, 1, None).facets

    def total(**changes: Any) -> int:
        return view.list_page(replace(asked, **changes), Sort.RELEVANCE, 1, None).total

    paths = {prefix for path in PATHS for prefix in prefixes(path)}
    assert dict(facets.category) == {
        path: count for path in paths if (count := total(category=path))
    }
    assert dict(facets.price) == {
        band: count
        for band in PRICE_BANDS
        if (count := total(min_price=band.from_minor, max_price=band.to_minor))
    }
    assert facets.in_stock == total(in_stock=True)
    assert {name: dict(values) for name, values in facets.options} == {
        name: counts
        for name, values in {"colour": ("red", "blue"), "size": ("M", "L")}.items()
        if (
            counts := {
                value: count
                for value in values
                if (count := total(options=with_option(asked, name, value)))
            }
        )
    }


def with_option(asked: Filters, name: str, value: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple(sorted({**dict(asked.options), name: (value,)}.items()))


@some
@given(goods=products(range(0, 30)), asked=filters, sort=st.sampled_from(Sort))
def test_a_list_holds_what_a_look_at_every_product_finds(
    goods: list[Product], asked: Filters, sort: Sort
) -> None:
    asked = replace(asked, text="")
    expected = Counter(
        product.product_id
        for product in goods
        if product.category[: len(asked.category)] == asked.category
        and (asked.min_price or 0) <= product.price_minor <= (asked.max_price or 10**9)
        and asked.in_stock in (None, product.in_stock)
        and all(set(values) & set(product.options.get(n, ())) for n, values in asked.options)
    )
    shown = list(pages(an_index(*goods).view, asked, sort, 7))
    assert Counter(each for page in shown for each in page) == expected


def test_sorts_put_the_right_product_first() -> None:
    goods = [
        a_product("cheap", price_minor=100, created_at="2025-01-01T00:00:00Z"),
        a_product("dear", price_minor=9_000, rating=Decimal("4.9"), review_count=80),
        a_product("new", created_at="2026-09-01T00:00:00Z", rating=Decimal("2.0"), review_count=1),
        a_product("featured", featured=True, created_at="2025-06-01T00:00:00Z"),
    ]
    view = an_index(*goods).view
    first = {sort: next(pages(view, EVERYTHING, sort, 1)) for sort in Sort}
    assert first == {
        Sort.RELEVANCE: ["featured"],
        Sort.PRICE_ASC: ["cheap"],
        Sort.PRICE_DESC: ["dear"],
        Sort.RATING: ["dear"],
        Sort.NEWEST: ["new"],
    }


@pytest.mark.parametrize(
    "text", ["sneakers", "sneaker", "SNEAKERS", "snaekers", "sneekers", "sneak", "trainers"]
)
def test_stems_typos_beginnings_and_british_words_find_the_sneakers(text: str) -> None:
    index = an_index(
        a_product("right", "White canvas sneakers", category=("Shoes",)),
        a_product("wrong", "Silver ring", category=("Jewellery", "Rings")),
    )
    assert found_by(index, text) == ["right"]


def test_a_word_in_the_title_beats_one_in_the_description() -> None:
    index = an_index(
        a_product("b", "Wool coat", description="Goes well with boots", category=("Clothing",)),
        a_product("a", "Hiking boots", category=("Outdoor", "Footwear")),
    )
    assert found_by(index, "boots") == ["a"], "a coat is no boots, though it mentions them"
    assert found_by(index, "wool boots") == ["b"], "but it may be found by both its words"


def test_when_no_product_has_every_word_those_with_one_are_shown() -> None:
    index = an_index(a_product("a", "Linen dress"), a_product("b", "Wool coat", category=("X",)))
    assert found_by(index, "linen quokka") == ["a"]


@pytest.mark.parametrize("text", ["", "!!!", "\x00", "\ud800", "🧥", "the", "a" * 200, "ﷺ" * 200])
def test_odd_texts_are_answered(text: str) -> None:
    found_by(an_index(a_product()), text)


def test_a_text_that_finds_nothing_leads_to_goods_of_nearly_that_name_and_to_departments() -> None:
    index = an_index(a_product("a", "Linen dress"), a_product("b", "Wool coat", category=("X",)))
    assert found_by(index, "lynnen") == []
    assert index.view.instead("lynnen")[0] == ("Linen dress", "product", "a")
    assert ("Clothing", "category", None) in index.view.instead("!")


def test_an_edit_is_found_by_its_new_title_only() -> None:
    index = an_index(a_product("P1", "Linen dress"), a_product("P2", "Wool coat"))
    assert index.apply([a_product("P1", "Silk scarf", changed_at="1", category=("A",))]) == 1
    assert (found_by(index, "scarf"), found_by(index, "linen")) == (["P1"], [])


def test_an_older_change_that_arrives_late_is_not_applied() -> None:
    index = an_index(a_product("P1", "New title", changed_at="2"))
    assert index.apply([a_product("P1", "Old title", changed_at="1")]) == 0
    assert index.view.shelf.products[0].title == "New title"


def test_replicas_that_hold_the_same_goods_give_the_same_entity_tag() -> None:
    goods = [a_product(f"P{number}", changed_at=str(number)) for number in range(9)]
    one, other = an_index(*goods), an_index(goods[5])
    assert one.view.generation != other.view.generation
    other.apply(reversed(goods))
    assert one.view.generation == other.view.generation


@given(cursor=st.text(max_size=60))
@settings(deadline=None)
def test_a_made_up_cursor_is_refused_by_name(cursor: str) -> None:
    view = _VIEW
    if not cursor:
        return
    with pytest.raises(Unprocessable) as refused:
        view.list_page(EVERYTHING, Sort.RELEVANCE, 2, cursor)
    assert refused.value.errors[0]["field"] == "cursor"


def test_a_cursor_is_good_for_its_own_list_only() -> None:
    cursor = _VIEW.list_page(EVERYTHING, Sort.NEWEST, 2, None).next_cursor
    assert cursor
    altered = cursor[:-1] + ("A" if cursor[-1] != "A" else "Q")
    for asked, sort, given_cursor in (
        (EVERYTHING, Sort.RATING, cursor),
        (Filters(in_stock=True), Sort.NEWEST, cursor),
        (EVERYTHING, Sort.NEWEST, altered),
    ):
        with pytest.raises(Unprocessable):
            _VIEW.list_page(asked, sort, 2, given_cursor)


def test_related_goods_are_of_the_same_kind_and_nearest_in_price() -> None:
    index = an_index(
        a_product("this", price_minor=1_000),
        a_product("far", price_minor=9_000),
        a_product("near", price_minor=1_100),
        a_product("sold-out", price_minor=1_000, in_stock=False),
        a_product("cousin", category=("Clothing", "Tops")),
        a_product("stranger", category=("Outdoor",)),
    )
    related = index.view.related("this") or []
    assert [each.product_id for each in related] == ["near", "far", "cousin", "sold-out"]


def test_what_is_bought_with_it_comes_before_its_neighbours() -> None:
    index = an_index(
        a_product("this"), a_product("neighbour"), a_product("both"),
        a_product("charger", category=("Electronics",)),
        a_product("gone", status=ARCHIVED), a_product("sold-out", in_stock=False),
    )  # fmt: skip
    index.learn(Insights({"this": ("charger", "gone", "never-was", "sold-out", "both")}))
    related = index.view.related("this") or []
    assert [each.product_id for each in related] == ["charger", "both", "neighbour", "sold-out"]


def test_what_others_look_for_is_suggested_while_it_finds_something() -> None:
    index = an_index(a_product("P1", "Linen dress"), a_product("P2", "Linen shirt"))
    index.learn(
        Insights(queries=("linen dress", "shirt", "linen sails", "linen", "linen shirt", "lin"))
    )
    suggested = [text for text, kind, _ in index.view.suggest("Lin") if kind == "query"]
    assert suggested == ["linen dress", "linen", "linen shirt"]
    assert not [kind for _, kind, _ in index.view.suggest("sails") if kind == "query"]


def test_what_lists_and_pages_send_is_what_openapi_promises() -> None:
    page = _VIEW.list_page(EVERYTHING, Sort.RELEVANCE, 2, None)
    models.ProductPage.model_validate_json(
        views.to_json(views.page(page, _VIEW.instead("linnenn"), 1.0)), extra="forbid"
    )
    detail = views.to_json(views.detail(page.products[0], []))
    models.ProductDetail.model_validate_json(detail, extra="forbid")


_VIEW = an_index(*(a_product(f"P{number}", rating=Decimal("4.5")) for number in range(6))).view
