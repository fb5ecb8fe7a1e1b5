"""How a replica hears of changes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import EndpointConnectionError
from ulid import ULID

from pipeline.contracts.errors import Unavailable
from storefront_api.catalog.domain import Product
from storefront_api.catalog.refresh import IndexNotBuilt, Refresher
from storefront_api.catalog.search import SearchIndex

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


@pytest.fixture
def refresher(table: Table, index: SearchIndex) -> Refresher:
    return Refresher(index, table.changed_since, table.clock)


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
