"""The time of a simulated world: it stands still unless somebody sleeps or moves it."""

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta

import time_machine

START = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
_sleep = time.sleep


class VirtualTime:
    """Python's clocks, for all of this process: the product's and the emulator's in it.

    With `is_real` time goes on by itself, as it does for an emulator outside; moves add to it.
    """

    def __init__(self, *, is_real: bool = False) -> None:
        start = datetime.now(UTC) if is_real else START
        self._travel = time_machine.travel(start, tick=is_real)
        self._traveller = self._travel.start()
        self._error_s = 0.0
        time.sleep = self._pass_by

    def stop(self) -> None:
        time.sleep = _sleep
        self._travel.stop()

    def restart(self, at: datetime = START) -> None:
        """Back to the beginning, for the next world; or to where another one was."""
        self._traveller.move_to(at)

    def advance(self, seconds: float) -> None:
        self._traveller.shift(timedelta(seconds=seconds))

    @contextmanager
    def off_by(self, seconds: float) -> Iterator[None]:
        """On a machine whose clock goes wrong by this much."""
        before = self._error_s
        self._set_error(seconds)
        try:
            yield
        finally:
            self._set_error(before)

    def right(self) -> AbstractContextManager[None]:
        """On a machine of AWS."""
        return self.off_by(0)

    def _set_error(self, seconds: float) -> None:
        if seconds != self._error_s:
            self.advance(seconds - self._error_s)
            self._error_s = seconds

    def _pass_by(self, seconds: float) -> None:
        """Back-off takes time, and nobody waits. The emulator's own threads sleep as ever."""
        if threading.current_thread() is threading.main_thread():
            self.advance(seconds)
        else:
            _sleep(seconds)
