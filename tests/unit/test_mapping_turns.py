"""When an event source mapping of the emulator is served, as AWS would."""

from hypothesis import given
from hypothesis import strategies as st

from iac.local.mappings import Turn, Waiting, rest_s

NOW_S = 1_000.0
seconds = st.floats(0, 100)


def test_a_record_that_comes_after_a_rest_is_handed_over_at_once() -> None:
    assert rest(Waiting(1, NOW_S), Turn(NOW_S - 5)) == 0


def test_a_busy_stream_is_read_no_more_often_than_its_pace() -> None:
    assert rest(Waiting(3, NOW_S - 0.75), Turn(NOW_S - 0.75)) == 0.25


def test_a_batch_that_is_not_full_waits_until_its_oldest_record_is_as_old_as_the_window() -> None:
    waiting = Waiting(9, NOW_S - 0.5)
    assert rest(waiting, Turn(), window_s=2) == 1.5


def test_a_full_batch_does_not_wait_for_the_window() -> None:
    assert rest(Waiting(10, NOW_S - 0.5), Turn(), window_s=2) <= 0


def test_a_message_that_waits_for_its_time_is_handed_over_then() -> None:
    assert rest(Waiting(0, NOW_S + 3), Turn()) == 3


@given(st.integers(1, 20), seconds, seconds, st.floats(0, 5))
def test_nobody_waits_longer_than_the_window_and_one_turn(
    records: int, age_s: float, since_turn_s: float, window_s: float
) -> None:
    rests_s = rest(Waiting(records, NOW_S - age_s), Turn(NOW_S - since_turn_s), window_s=window_s)
    assert age_s + max(rests_s, 0) <= max(age_s, window_s, age_s + 1 - since_turn_s) + 1e-9


def rest(waiting: Waiting, turn: Turn, window_s: float = 0) -> float:
    return rest_s(waiting, turn, now_s=NOW_S, batch_size=10, window_s=window_s, pace_s=1)
