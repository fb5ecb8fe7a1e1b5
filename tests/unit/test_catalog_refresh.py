"""How a replica hears of changes."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NoReturn

import httpx
import pytest
from botocore.exceptions import EndpointConnectionError
from fastapi import FastAPI
from ulid import ULID

from pipeline.contracts.errors import NotFound, Unavailable
from pipeline.runtime.insights import Insights
from storefront_api.catalog import refresh
from storefront_api.catalog.domain import Product
from storefront_api.catalog.last_good import LastGood, Page
from storefront_api.catalog.models import ProductDetail
from storefront_api.catalog.refresh import IndexNotBuilt, Refresher
from storefront_api.catalog.search import SearchIndex
from storefront_api.catalog.snapshot import Snapshot
from storefront_api.settings import ServiceSettings

START = datetime(2026, 11, 1, 12, tzinfo=UTC)


def changed(product_id: str, at_s: float) -> Product:
    """A product whose change id was made `at_s` seconds after the start."""
    return Product(
        product_id=product_id,
        title=product_id,
        description="",
        category=("Home",),
        price_minor=100,
        currency="GBP",
        created_at="2026-01-01T00:00:00Z",
        changed_at=str(ULID.from_datetime(START + timedelta(seconds=at_s))),
    )


class Table:
    """The port `changed_since` over a list; `now_s` is the clock, `is_down` an outage."""

    def __init__(self) -> None:
        self.products: list[Product] = []
        self.now_s = 0.0
        self.is_down = False
        self.read = 0

    def changed_since(self, since: datetime | None) -> Iterator[Product]:
        for product in self.products:
            if self.is_down:
                raise EndpointConnectionError(endpoint_url="http://table")
            if since is None or ULID.from_str(product.changed_at).datetime >= since:
                self.read += 1
                yield product

    def clock(self) -> datetime:
        return START + timedelta(seconds=self.now_s)


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture
def index() -> SearchIndex:
    return SearchIndex()


class Kept:
    """The port `Keeper` over one value."""

    def __init__(self) -> None:
        self.snapshot: Snapshot | None = None

    def load(self) -> Snapshot | None:
        return self.snapshot

    def save(self, taken_at: datetime, products: Iterable[Product]) -> None:
        self.snapshot = Snapshot(taken_at, list(products))


@pytest.fixture
def kept() -> Kept:
    return Kept()


class Learnt:
    """The port `Teacher` over one value; an exception is raised."""

    def __init__(self) -> None:
        self.news: Insights | Exception | None = None
        self.asked = 0

    def read_news(self) -> Insights | None:
        self.asked += 1
        if isinstance(self.news, Exception):
            raise self.news
        return self.news


@pytest.fixture
def learnt() -> Learnt:
    return Learnt()


@pytest.fixture
def refresher(table: Table, index: SearchIndex, kept: Kept, learnt: Learnt) -> Refresher:
    return Refresher(index, table.changed_since, table.clock, kept, learnt)


def known(index: SearchIndex) -> set[str]:
    return set(index.view.ordinal_of)


def test_a_change_written_late_by_a_slower_writer_is_not_missed(
    table: Table, index: SearchIndex, refresher: Refresher
) -> None:
    table.products = [changed("first", 0.0), changed("fast", 5.0)]
    table.now_s = 5.0
    refresher.refresh()
    table.products.append(changed("slow", 4.0))  # its id is older than one already seen
    table.now_s = 6.0
    refresher.refresh()
    assert known(index) == {"first", "fast", "slow"}


def test_once_all_is_quiet_nothing_is_read_again(
    table: Table, index: SearchIndex, refresher: Refresher
) -> None:
    table.products = [changed(f"P{number}", number / 10) for number in range(20)]
    table.now_s = 60.0
    refresher.refresh()
    read = table.read
    table.now_s = 61.0
    assert (refresher.refresh(), table.read) == (0, read)


def test_a_table_that_is_down_leaves_the_last_good_index(
    table: Table, index: SearchIndex, refresher: Refresher
) -> None:
    table.products = [changed("P1", 0.0)]
    refresher.refresh()
    table.products.append(changed("P2", 1.0))
    table.is_down = True
    with pytest.raises(EndpointConnectionError):
        refresher.refresh()
    assert known(index) == {"P1"}
    table.is_down = False
    refresher.refresh()
    assert known(index) == {"P1", "P2"}


def test_a_replica_starts_from_the_snapshot_while_the_table_is_down_and_says_how_old_it_is(
    table: Table, kept: Kept, refresher: Refresher
) -> None:
    table.products = [changed("P1", 0.0)]
    refresher.refresh()
    refresher.keep()
    assert refresher.stale_for() is None
    table.is_down, table.now_s = True, 600.0
    index = SearchIndex()
    restarted = Refresher(index, table.changed_since, table.clock, kept, Learnt())
    restarted.start()
    with pytest.raises(EndpointConnectionError):
        restarted.refresh()
    assert (known(index), restarted.stale_for()) == ({"P1"}, timedelta(seconds=600))
    table.is_down = False
    table.products.append(changed("P2", 300.0))
    restarted.refresh()
    assert (known(index), restarted.stale_for()) == ({"P1", "P2"}, None)


def test_a_snapshot_is_saved_when_goods_changed_and_not_more_often_than_every_ten_minutes(
    table: Table, kept: Kept, refresher: Refresher
) -> None:
    saved = []
    for now_s in (0.0, 60.0, 599.0, 601.0, 1_300.0):
        if now_s != 1_300.0:
            table.products.append(changed(f"P{now_s}", now_s))
        table.now_s = now_s
        refresher.refresh()
        refresher.keep()
        assert kept.snapshot
        saved.append((kept.snapshot.taken_at - START).total_seconds())
    assert saved == [0.0, 0.0, 0.0, 601.0, 601.0]


def test_what_is_learnt_is_asked_for_once_a_minute_and_outlives_a_broken_file(
    table: Table, index: SearchIndex, refresher: Refresher, learnt: Learnt
) -> None:
    table.products = [changed("P1", 0.0)]
    refresher.refresh()
    news = Insights(queries=("p1",))
    for now_s, found in ((0.0, news), (59.0, None), (60.0, ValueError("broken")), (121.0, None)):
        table.now_s, learnt.news = now_s, found
        refresher.learn()
    table.products.append(changed("P2", 122.0))
    table.now_s = 122.0
    refresher.refresh()
    assert (learnt.asked, index.view.insights) == (3, news)


def test_a_replica_is_not_ready_before_its_first_reading(
    index: SearchIndex, refresher: Refresher
) -> None:
    with pytest.raises(IndexNotBuilt):
        refresher.check()
    with pytest.raises(Unavailable):
        _ = index.view
    refresher.refresh()
    refresher.check()
    assert known(index) == set()


def test_a_change_whose_writer_took_half_a_minute_is_found_by_the_wider_readings(
    table: Table, index: SearchIndex, refresher: Refresher
) -> None:
    table.now_s = 60.0
    refresher.refresh()
    table.products = [changed("late", 30.0)]
    for _ in range(10):
        table.now_s += 1.0
        refresher.refresh()
    assert known(index) == {"late"}


def test_a_page_that_was_read_is_shown_as_it_was_while_the_table_is_down() -> None:
    now = [START]
    last_good = LastGood(lambda: now[0])
    page = Page(b"{}", "v1")

    def down(product_id: str) -> NoReturn:
        raise EndpointConnectionError(endpoint_url="http://table")

    assert last_good.read("P1", lambda _: b"told", lambda _: page) == (page, None)
    now[0] += timedelta(seconds=90)
    assert last_good.read("P1", down, _never) == (page, timedelta(seconds=90))
    with pytest.raises(EndpointConnectionError):
        last_good.read("P2", down, _never)


def test_a_page_is_made_anew_only_when_the_table_says_something_else() -> None:
    last_good = LastGood(lambda: START)

    def read(told: bytes, show: Callable[[bytes], Page]) -> Page:
        return last_good.read("P1", lambda _: told, show)[0]

    def page_of(told: bytes) -> Page:
        return Page(told, "")

    for told in (b"one", b"two", b"one"):
        assert read(told, page_of) == page_of(told)
        assert read(told, _never) == page_of(told)


def test_what_cannot_be_shown_leaves_the_page_before() -> None:
    last_good, page = LastGood(lambda: START), Page(b"{}", "v1")
    last_good.read("P1", lambda _: b"told", lambda _: page)

    def gone(told: bytes) -> Page:
        raise NotFound

    with pytest.raises(NotFound):
        last_good.read("P1", lambda _: b"nothing", gone)
    assert last_good.read("P1", lambda _: b"told", _never) == (page, None)


def _never(told: bytes) -> Page:
    raise AssertionError("nothing new was told")


def test_a_row_that_nobody_can_read_makes_the_goods_older_and_ends_no_refreshing(
    table: Table, index: SearchIndex, kept: Kept, learnt: Learnt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh, "PERIOD_S", 0.0)
    table.products = [changed("A", 0)]
    looks = 0

    def changed_since(since: datetime | None) -> Iterator[Product]:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise KeyError("title")
        yield from table.changed_since(since)

    async def until_built() -> None:
        task = asyncio.create_task(Refresher(index, changed_since, table.clock, kept, learnt).run())
        while not index.is_built:
            assert not task.done()
            await asyncio.sleep(0)
        task.cancel()

    asyncio.run(asyncio.wait_for(until_built(), 20))
    assert known(index) == {"A"}


@pytest.mark.parametrize(
    "path",
    ["/products", "/products?q=p1", "/suggest?q=p1", "/categories", "/products/P1/related"],
)
def test_what_comes_of_an_old_index_says_how_old_and_what_is_kept_of_a_new_one_does_not(
    monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    ages: list[timedelta | None] = [None]
    monkeypatch.setenv("HAS_STAGE", "local")
    monkeypatch.setattr(Refresher, "stale_for", lambda _: ages[-1])
    from storefront_api.catalog.main import build_app

    app = build_app(ServiceSettings(stage="local", trace_ratio=0))
    app.state.search_index.apply([changed("P1", 0), changed("P2", 0)])
    said = []
    for age_s in (None, 50, 51, None):
        ages.append(None if age_s is None else timedelta(seconds=age_s))
        answer = asyncio.run(_got(app, f"/api/catalog{path}"))
        assert answer.status_code == 200
        said.append((answer.headers.get("x-stale-age"), answer.headers["cache-control"]))
    fresh = (None, "public, max-age=5")
    assert said == [fresh, ("50", "no-store"), ("51", "no-store"), fresh]


@pytest.mark.parametrize("age_s", [None, 70])
def test_a_page_that_nobody_read_is_shown_as_lists_know_it_while_the_table_is_out_of_reach(
    monkeypatch: pytest.MonkeyPatch, age_s: int | None
) -> None:
    monkeypatch.setenv("HAS_STAGE", "local")
    age = None if age_s is None else timedelta(seconds=age_s)
    monkeypatch.setattr(Refresher, "stale_for", lambda _: age)
    from storefront_api.catalog.main import build_app

    app = build_app(ServiceSettings(stage="local", trace_ratio=0))
    app.state.search_index.apply([replace(changed("P1", 0), in_stock=True)])
    app.state.catalog.get_product = _out_of_reach
    answer = asyncio.run(_got(app, "/api/catalog/products/P1"))
    page = ProductDetail.model_validate(answer.json())
    assert (answer.status_code, page.product_id, page.variants, page.in_stock) == (
        200, "P1", [], True,
    )  # fmt: skip
    assert answer.headers["x-stale-age"] == str(age_s or 0)
    assert answer.headers["cache-control"] == "no-store"
    assert asyncio.run(_got(app, "/api/catalog/products/P2")).status_code == 503


def _out_of_reach(product_id: str) -> NoReturn:
    raise EndpointConnectionError(endpoint_url="http://table")


async def _got(app: FastAPI, path: str) -> httpx.Response:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        return await client.get(path)
