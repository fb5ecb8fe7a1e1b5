"""What can go wrong in an invocation: a class for each way, all decided by dice."""

import random
from collections.abc import Callable
from typing import NoReturn

from botocore.awsrequest import AWSResponse
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from tests.simulation import answers
from tests.simulation.seam import Call, Crash


class CrashAt:
    """The process ends before or after its n-th write; nothing of it runs any more."""

    def __init__(self, write: int, *, is_after: bool) -> None:
        self._left, self._is_after, self.hits = write, is_after, 0
        self.at: Call | None = None  # the write that it ended at

    def on_call(self, call: Call) -> AWSResponse:
        if self.hits:  # a `finally` on the way out: a dead process does not clean up
            raise Crash
        if call.is_write:
            self._left -= 1
            if self._left == 0:
                self.at = call
                if self._is_after:
                    call.send(call.request)
                self._end()
        return call.send(call.request)

    def _end(self) -> NoReturn:
        self.hits += 1
        raise Crash


class LoseAnswers:
    """Calls take effect, and the caller never hears of it; botocore and the product try again."""

    def __init__(self, dice: random.Random, share: float) -> None:
        self._dice, self._share, self.hits = dice, share, 0

    def on_call(self, call: Call) -> AWSResponse:
        answer = call.send(call.request)
        if self._dice.random() < self._share:
            self.hits += 1
            raise ReadTimeoutError(endpoint_url=call.request.url)
        return answer


class Throttle:
    """Calls are refused because there are too many."""

    def __init__(self, dice: random.Random, share: float) -> None:
        self._dice, self._share, self.hits = dice, share, 0

    def on_call(self, call: Call) -> AWSResponse:
        if self._dice.random() < self._share:
            self.hits += 1
            return answers.throttled(call, self._dice)
        return call.send(call.request)


class DoHalf:
    """Batches are done in part; and from the n-th call on a service fails, the rest undone."""

    def __init__(self, dice: random.Random, fails_from: int) -> None:
        self._dice, self._left, self.hits = dice, fails_from, 0

    def on_call(self, call: Call) -> AWSResponse:
        self._left -= 1
        if self._left < 0:
            self.hits += 1
            return answers.refused(call, "InternalServerError", 500)
        if self._dice.random() < 0.5 and (answer := answers.half_done(call, self._dice)):
            self.hits += 1
            return answer
        return call.send(call.request)


class TakeLong:
    """At its n-th call an invocation is held up, and `meanwhile` happens; then it goes on."""

    def __init__(self, call: int, meanwhile: Callable[[], None]) -> None:
        self._left, self._meanwhile, self.hits = call, meanwhile, 0

    def on_call(self, call: Call) -> AWSResponse:
        self._left -= 1
        if self._left == 0:
            self.hits += 1
            self._meanwhile()
        return call.send(call.request)


class LoseAws:
    """From the n-th call on nobody listens; its effect may have been had, or not."""

    def __init__(self, dice: random.Random, call: int) -> None:
        self._dice, self._left, self.hits = dice, call, 0

    def on_call(self, call: Call) -> AWSResponse:
        self._left -= 1
        if self._left > 0:
            return call.send(call.request)
        if self._left == 0 and self._dice.random() < 0.5:
            call.send(call.request)
        self.hits += 1
        raise EndpointConnectionError(endpoint_url=call.request.url)


class GoWrong:
    """Nothing goes wrong at AWS: the machine's clock does, in each call that is made by it."""

    def __init__(self) -> None:
        self.hits = 0

    def on_call(self, call: Call) -> AWSResponse:
        self.hits += 1
        return call.send(call.request)
