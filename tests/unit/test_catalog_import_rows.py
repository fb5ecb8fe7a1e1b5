"""A file of goods is read product by product: whole, or named as wrong."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from storefront_api.catalog.imports.domain import Format
from storefront_api.catalog.imports.rows import Read, read

ORDERS = [
    ["product_id", "title", "category", "sku", "price_minor"],
    ["title", "product_id", "category", "sku", "price_minor"],
]
SPOILT = {
    "missing": lambda cells: cells[:-1],
    "added": lambda cells: [*cells, "more"],
    "quoted": lambda cells: [*cells[:-1], '"1"0'],
}


def a_line(columns: list[str], product: int, sku: str) -> list[str]:
    cells = {"product_id": f"P{product}", "title": "Lamp", "category": "Home", "sku": sku,
             "price_minor": "100"}  # fmt: skip
    return [cells[name] for name in columns]


def reads(columns: list[str], lines: list[list[str]]) -> list[Read]:
    file = [",".join(cells).encode() + b"\n" for cells in (columns, *lines)]
    return list(read(file, Format.CSV, "GBP"))


def skus(found: Read) -> list[str]:
    body: dict[str, Any] = found.body or {}
    return [variant["sku"] for variant in body.get("variants", [])]


@given(
    st.sampled_from(ORDERS),
    st.lists(st.integers(1, 4), min_size=1, max_size=6),
    st.dictionaries(st.integers(0, 23), st.sampled_from(sorted(SPOILT))),
)
def test_whatever_line_is_spoilt_a_product_is_taken_with_all_its_skus_or_named(
    columns: list[str], sizes: list[int], spoilt: dict[int, str]
) -> None:
    whole = {f"P{n}": [f"{n}-{m}" for m in range(size)] for n, size in enumerate(sizes)}
    lines = [a_line(columns, n, f"{n}-{m}") for n, size in enumerate(sizes) for m in range(size)]
    owners = [f"P{n}" for n, size in enumerate(sizes) for _ in range(size)]
    sound = set(whole) - {owners[at] for at in spoilt if at < len(lines)}
    for at, how in spoilt.items():
        if at < len(lines):
            lines[at] = SPOILT[how](lines[at])
    found = reads(columns, lines)
    taken = {each.product_id: skus(each) for each in found if each.error is None}
    assert all(whole[str(product_id)] == taken[product_id] for product_id in taken)
    assert set(taken) <= sound
    named = {number for each in found if each.error for number in range(each.first, each.last + 1)}
    assert {at + 2 for at in spoilt if at < len(lines)} <= named
    # Each line is in one reading, in the file's order: an import can go on behind any of them.
    numbers = [number for each in found for number in range(each.first, each.last + 1)]
    assert numbers == list(range(2, len(lines) + 2))


def test_a_line_that_lacks_a_cell_spoils_its_product_and_no_other() -> None:
    columns = ORDERS[0]
    lines = [a_line(columns, 1, "S1"), a_line(columns, 1, "S2")[:-1], a_line(columns, 2, "S3")]
    first, second = reads(columns, lines)
    assert first.error is not None
    assert (first.product_id, first.error.line) == ("P1", 2)
    assert first.error.errors == (("line 3", "has 4 cells instead of 5"),)
    assert (second.error, skus(second)) == (None, ["S3"])
