"""The emulator's quick copy of an item is a deep copy."""

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from iac.local.items import copied

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary(),
    lambda part: st.lists(part, max_size=4) | st.dictionaries(st.text(), part, max_size=4),
)


@given(values)
def test_a_copy_is_equal_and_shares_nothing_that_can_change(value: Any) -> None:
    made = copied(value)
    assert made == value == copy.deepcopy(value)
    assert not _changeable(made) & _changeable(value)


def _changeable(value: Any) -> set[int]:
    if isinstance(value, dict):
        return {id(value)}.union(*map(_changeable, value.values()))
    if isinstance(value, list):
        return {id(value)}.union(*map(_changeable, value))
    return set()
