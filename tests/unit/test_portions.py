"""What one call may carry: nothing is left out, nothing is too much."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pipeline.runtime.portions import portions


@given(st.lists(st.integers(0, 12)), st.integers(1, 5), st.integers(1, 10))
def test_portions_are_the_whole_in_order_and_as_few_as_fit(
    sizes: list[int], most: int, most_bytes: int
) -> None:
    parts = [sizes[part] for part in portions(sizes, most, most_bytes)]
    assert [size for part in parts for size in part] == sizes
    for part in parts:
        assert 1 <= len(part) <= most
        assert sum(part) <= most_bytes or len(part) == 1
    for part, following in pairwise(parts):
        assert len(part) == most or sum(part) + following[0] > most_bytes, "there was room"
