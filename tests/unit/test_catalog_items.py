"""A stock row is read from the table as it was written."""

from hypothesis import given
from hypothesis import strategies as st

from storefront_api.catalog import items
from storefront_api.catalog.domain import Product, StockRow

units = st.integers(0, 10**9)
rows = st.builds(
    StockRow,
    product_id=st.just("P1"), sku=st.text(min_size=1), position=st.integers(1, 98),
    options=st.dictionaries(st.text(), st.text(), max_size=3), price_minor=units,
    currency=st.sampled_from(["GBP", "EUR"]), received=units, available=units, held=units,
    sold=units,
)  # fmt: skip
PRODUCT = Product("P1", "Mug", "", ("Home",), 100, "GBP", "2026-01-01T00:00:00Z", "01M")


@given(rows)
def test_a_stock_row_is_read_as_it_was_written(row: StockRow) -> None:
    assert items.to_stock(items.from_stock(row, PRODUCT)) == row
