"""A crash before and a crash after each write, none left out: the writes are those that were made.

The shops are small, so that all of their writes can be tried. One hour of each is run without a
fault and its writes noted; a call that goes by as a read has to leave AWS as it is. Then the hour
begins again from the same state, for each write and each side of it.
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

from botocore.awsrequest import AWSResponse

from tests.simulation import matrix, outcome
from tests.simulation.faults import CrashAt
from tests.simulation.scenario import Scenario, small_hours
from tests.simulation.seam import Call, Fault
from tests.simulation.stage import InProcess
from tests.simulation.world import COMPONENTS, World

SIDES = ("before", "after")
SMALL_SHOPS = ("a new shop", "a later hour")
_HOUR_S = 3600
_SEQUENCE_NUMBER = re.compile(r"\d{30,}")  # the emulator never counts the same twice


class Missed(Exception):
    """A call changed something, and no run would have crashed at it."""


@dataclass(frozen=True)
class Write:
    """A call that may change something, by its place in its shop's hour."""

    shop: str
    number: int  # from 1
    function: str
    operation: str
    path: str

    def __str__(self) -> str:
        return f"{self.shop}, write {self.number}: {self.function} {self.operation} {self.path}"


@dataclass(frozen=True)
class Crashed:
    """What became of the hour when a function ended at this write; no problems: it ended equal."""

    write: Write
    side: str
    problems: tuple[str, ...]
    trace: tuple[str, ...]


class Watch:
    """No fault: notes each write, and holds what is taken for a read to be one."""

    def __init__(self, stage: InProcess, shop: str) -> None:
        self._stage, self._shop = stage, shop
        self.writes: list[Write] = []
        self.hits = 0

    def on_call(self, call: Call) -> AWSResponse:
        if call.is_write:
            self.writes.append(_write(self._shop, len(self.writes) + 1, call))
            return call.send(call.request)
        before = self._stage.print_of_state()
        answer = call.send(call.request)
        if self._stage.print_of_state() != before:
            raise Missed(f"{self._shop}: {call.function} {call.operation} is no read")
        return answer


class Hour:
    """An hour of a shop, as often as it is asked for, from the same state."""

    def __init__(self, stage: InProcess, shop: str) -> None:
        """Raises: Missed; Stuck, AssertionError when it does not end well without a fault."""
        self._stage, self._shop = stage, shop
        *earlier, self._scenario = _hours(shop)
        world = stage.world(self._dice())
        for one in earlier:
            _live(world, one, CrashAt(0, is_after=False))  # which is no write of any
            world.time.advance(_HOUR_S)
        self._start = stage.save()
        watch = Watch(stage, shop)
        world = self._begin()
        _live(world, self._scenario, watch)
        world.come_to_rest()
        self.writes = watch.writes
        self._expected = outcome.read(world.names)
        problems = outcome.broken_promises(self._expected, self._scenario, world.events)
        assert not problems, problems

    def crashed(self, write: Write, side: str) -> Crashed:
        world, crash = self._begin(), CrashAt(write.number, is_after=side == "after")
        problems: list[str] = []
        try:
            _live(world, self._scenario, crash)
            world.come_to_rest()
            found = outcome.read(world.names)
            problems += outcome.differences(found, self._expected)
            problems += outcome.broken_promises(found, self._scenario, world.events)
        except Exception as error:
            problems.append(f"{type(error).__name__}: {error}"[:600])
        at = crash.at and _write(self._shop, write.number, crash.at)
        if at != write:
            problems.append(f"the crash was not there, but at {at}")
        return Crashed(write, side, tuple(problems), tuple(world.trace))

    def _begin(self) -> World:
        return self._stage.world(self._dice(), self._start)

    def _dice(self) -> random.Random:
        return random.Random(f"every write of {self._shop}")


def shops(days: int) -> list[str]:
    """The small ones, and some of the days that seeds have."""
    return [*SMALL_SHOPS, *(f"day {number}" for number in range(days))]


@cache
def hour(stage: InProcess, shop: str) -> Hour:
    return Hour(stage, shop)


def not_tried(writes: Sequence[Write], runs: Sequence[Crashed]) -> list[str]:
    """Writes that were made, and at a side of which no run crashed."""
    tried = {(one.write, one.side) for one in runs}
    return [
        f"{write}: no crash {side} it"
        for write in writes
        for side in SIDES
        if (write, side) not in tried
    ]  # fmt: skip


def cells(runs: Sequence[Crashed]) -> Iterator[tuple[str, list[str]]]:
    """Per shop what to say of each function."""
    for shop in dict.fromkeys(one.write.shop for one in runs):
        yield shop, [_told(runs, shop, function) for function in COMPONENTS]


def _told(runs: Sequence[Crashed], shop: str, function: str) -> str:
    here = [one for one in runs if (one.write.shop, one.write.function) == (shop, function)]
    if failed := sorted({one.write.number for one in here if one.problems}):
        return f"FAILED: {' '.join(map(str, failed[:3]))}"
    before, after = (sum(one.side == side for one in here) for side in SIDES)
    return f"{before} + {after} equal"


def _hours(shop: str) -> list[Scenario]:
    """All hours up to the one that is looked at."""
    if shop not in SMALL_SHOPS:
        return [matrix.a_scenario(int(shop.removeprefix("day ")))]
    hours = small_hours()
    return hours[:1] if shop == SMALL_SHOPS[0] else hours


def _live(world: World, scenario: Scenario, fault: Fault) -> None:
    """An hour: what happens is delivered in order, compacted, packed; or up to a fault's strike."""
    for happening in scenario.happenings:
        world.happen(happening)
    while not fault.hits and (waiting := world.behind(COMPONENTS)):
        world.deliver(waiting[0], fault)
    for run in (world.compact, world.pack):
        if not fault.hits:
            run(fault)


def _write(shop: str, number: int, call: Call) -> Write:
    path = _SEQUENCE_NUMBER.sub("…", urlsplit(call.request.url).path)
    return Write(shop, number, call.function, call.operation, path)
