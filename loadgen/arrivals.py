"""An open load: requests begin when the plan says so, whether or not the shop has answered."""

import random
import time
from collections.abc import Callable
from typing import Any

import gevent

_LONGEST_PAUSE_S = 0.1


class Arrivals:
    """Poisson arrivals at a rate that grows to its full height over the ramp.

    Each arrival is the next step of a shopper who waits for nothing; without one, a new shopper
    comes, up to `limit` at once. Beyond that an arrival is lost: offered, but never achieved.
    """

    def __init__(
        self,
        rate_per_s: float,
        ramp_s: float,
        limit: int,
        new_shopper: Callable[[], Any],
        rng: random.Random,
    ) -> None:
        self._rate, self._ramp_s, self._limit = rate_per_s, ramp_s, limit
        self._new_shopper, self._rng = new_shopper, rng
        self._idle: list[Any] = []
        self.busy = 0
        self.shoppers = 0
        self.offered = 0
        self.lost = 0
        self._steps: set[gevent.Greenlet] = set()

    def rate_at(self, elapsed_s: float) -> float:
        """Arrivals per second; never 0, so that a ramp begins."""
        share = min(1.0, elapsed_s / self._ramp_s) if self._ramp_s else 1.0
        return max(0.5, self._rate * share)

    def run(self) -> None:
        """Until its greenlet is killed. What is late is caught up, since arrivals do not wait."""
        began = time.perf_counter()
        due = 0.0
        while True:
            elapsed = time.perf_counter() - began
            if due > elapsed:
                gevent.sleep(min(due - elapsed, _LONGEST_PAUSE_S))
                continue
            due += self._rng.expovariate(self.rate_at(due))
            self._arrive()
            if self.offered % 50 == 0:
                gevent.sleep(0)

    def _arrive(self) -> None:
        self.offered += 1
        if self._idle:
            shopper = self._idle.pop(self._rng.randrange(len(self._idle)))
        elif self.busy < self._limit:
            shopper = self._new_shopper()
            self.shoppers += 1
        else:
            self.lost += 1
            return
        self.busy += 1
        step = gevent.spawn(self._step, shopper)
        self._steps.add(step)
        step.link(self._steps.discard)

    def _step(self, shopper: Any) -> None:
        try:
            shopper.step()
        finally:
            self.busy -= 1
            self._idle.append(shopper)

    def finish(self, timeout_s: float) -> None:
        """Wait for what is under way."""
        gevent.joinall(list(self._steps), timeout=timeout_s)
