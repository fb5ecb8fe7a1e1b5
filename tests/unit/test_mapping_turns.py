"""When a function of the emulator may be handed what waits, as on AWS."""

from iac.local.emulator.mappings import Waiting, ready_s

NOW_S = 1_000.0


def test_a_batch_that_is_not_full_waits_until_its_oldest_record_is_as_old_as_the_window() -> None:
    assert ready_s(Waiting(9, NOW_S), batch_size=10, window_s=2) == NOW_S + 2


def test_a_full_batch_does_not_wait_for_the_window() -> None:
    assert ready_s(Waiting(10, NOW_S), batch_size=10, window_s=2) == NOW_S


def test_a_message_that_waits_for_its_time_is_handed_over_then() -> None:
    assert ready_s(Waiting(0, NOW_S + 3), batch_size=10, window_s=0) == NOW_S + 3
