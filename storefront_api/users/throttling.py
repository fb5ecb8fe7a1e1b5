"""Makes guessers wait, at one account and from one network address."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from pipeline.contracts.errors import TooManyRequests
from pipeline.runtime.clock import Clock
from storefront_api.users.domain import Failures, Throttle


class FailureCounts(Protocol):
    def read_failures(self, subjects: Sequence[str]) -> list[Failures]: ...
    def add_failure(self, subject: str, at: datetime, memory_s: int) -> None: ...
    def forget_failures(self, subject: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Guard:
    """`limits` map a subject (`account:…`, `network:…`) to its throttle."""

    counts: FailureCounts
    clock: Clock

    def check(self, limits: Mapping[str, Throttle]) -> dict[str, int]:
        """How often each subject failed lately. Raises TooManyRequests while one has to wait."""
        failures = self.counts.read_failures(list(limits))
        longest = self._longest(limits, failures)
        if longest > timedelta(0):
            seconds = math.ceil(longest.total_seconds())
            raise TooManyRequests(
                f"Too many attempts; try again in {seconds} s",
                headers={"Retry-After": str(seconds)},
                retry_after_s=seconds,
            )
        return {subject: counted.count for subject, counted in zip(limits, failures, strict=True)}

    def find_wait(self, limits: Mapping[str, Throttle]) -> timedelta:
        """How long the slowest subject has to wait; zero if none."""
        return self._longest(limits, self.counts.read_failures(list(limits)))

    def _longest(self, limits: Mapping[str, Throttle], failures: Sequence[Failures]) -> timedelta:
        now = self.clock()
        return max(
            throttle.wait(counted, now)
            for throttle, counted in zip(limits.values(), failures, strict=True)
        )

    def count(self, limits: Mapping[str, Throttle]) -> None:
        """One more attempt of each subject."""
        for subject, throttle in limits.items():
            memory_s = int(throttle.memory.total_seconds())
            self.counts.add_failure(subject, self.clock(), memory_s)

    def forget(self, subject: str) -> None:
        self.counts.forget_failures(subject)
