"""One value is made in advance, in order, and a fault comes in its place."""

import threading
from collections.abc import Iterator

import pytest

from pipeline.runtime.ahead import one_ahead


def test_the_next_is_made_while_the_last_is_used_and_no_further() -> None:
    made = [threading.Event() for _ in range(4)]

    def values() -> Iterator[int]:
        for number, event in enumerate(made):
            event.set()
            yield number

    taken = []
    for number in one_ahead(values()):
        taken.append(number)
        if number + 1 < len(made):
            assert made[number + 1].wait(5)
        assert not any(event.is_set() for event in made[number + 2 :])
    assert taken == [0, 1, 2, 3]


def test_there_may_be_none() -> None:
    assert list(one_ahead(iter(()))) == []


def test_a_fault_comes_after_what_was_made_before_it() -> None:
    taken = []

    def values() -> Iterator[int]:
        yield 1
        yield 2
        raise LookupError

    def take() -> None:
        for number in one_ahead(values()):
            taken.append(number)

    with pytest.raises(LookupError):
        take()
    assert taken == [1, 2]
