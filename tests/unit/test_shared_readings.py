"""Readings shared between people: shown at once, taken once, and no one's refusal is another's."""

import threading
import time

import pytest

from console.queries.edge import SignedOut, Unreachable
from console.queries.shared import shared
from tests.conftest import wait_until


def test_an_old_answer_is_shown_while_the_next_is_read_and_then_that_one() -> None:
    go_on, calls = threading.Event(), []

    @shared(0.0)
    def number(_token: str) -> int:
        calls.append(1)
        if len(calls) > 1:
            go_on.wait(5)
        return len(calls)

    assert number("ann") == 1
    began = time.monotonic()
    assert [number("ann"), number("bob")] == [1, 1]
    assert time.monotonic() - began < 1
    wait_until(lambda: len(calls) == 2, timeout_s=2)  # one reading for both
    go_on.set()
    wait_until(lambda: number("ann") > 1, timeout_s=2)


def test_the_next_answer_is_shown_at_once_where_the_source_is_quick() -> None:
    calls: list[int] = []

    @shared(0.0)
    def number() -> int:
        calls.append(1)
        return len(calls)

    assert [number(), number(), number()] == [1, 2, 3]


def test_a_person_whose_token_is_refused_signs_nobody_else_out() -> None:
    arrived, go_on = threading.Event(), threading.Event()

    @shared(60.0)
    def guarded(_token: str) -> int:
        if _token == "spent":
            arrived.set()
            go_on.wait(5)
            raise SignedOut
        return 1

    guarded.begin("spent")
    assert arrived.wait(5)
    answers: list[int] = []
    other = threading.Thread(target=lambda: answers.append(guarded("good")))
    other.start()
    time.sleep(0.05)
    go_on.set()
    other.join(5)
    assert answers == [1]
    with pytest.raises(SignedOut):
        guarded("spent")


def test_a_source_that_fails_is_said_at_once_though_an_answer_is_at_hand() -> None:
    is_up = True

    @shared(0.0, keep_s=600.0)
    def number() -> int:
        if not is_up:
            raise Unreachable("gone")
        return 1

    def is_said() -> bool:
        try:
            return number() != 1
        except Unreachable:
            return True

    assert number() == 1
    is_up = False
    wait_until(is_said, timeout_s=2)
