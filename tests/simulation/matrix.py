"""The fault matrix: a seed is a shop's day and one cell, a function and what goes wrong with it."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.simulation import outcome
from tests.simulation.faults import (
    CrashAt,
    DoHalf,
    GoWrong,
    LoseAnswers,
    LoseAws,
    TakeLong,
    Throttle,
)
from tests.simulation.outcome import Outcome
from tests.simulation.scenario import Scenario, a_scenario
from tests.simulation.seam import Fault
from tests.simulation.streams import Place
from tests.simulation.world import COMPONENTS, HOURLY, LEASE_S, World

FAULTS = (
    "crash before a write", "crash after a write", "lost answer", "duplicate delivery",
    "reordering", "throttling", "partial batch failure", "slow consumer", "clock skew",
    "emulator restart",
)  # fmt: skip
EVERYTHING = "all at once"
CELLS = [(function, fault) for fault in FAULTS for function in COMPONENTS]
CELLS.append((EVERYTHING, EVERYTHING))
_STEPS_AFTER = 8  # with faults, once everything has happened
_LAST_TRIES = 6
_NEVER = 1_000_000
# (writes, calls) that an invocation makes at most, more or less: where a fault may lie in wait.
_SPANS = {
    "relay": (4, 4), "landing": (2, 2), "folding": (6, 7), "compaction": (18, 36),
    "packing": (8, 20),
}  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """What became of a seed: `problems` is empty when it ended as it does without faults."""

    seed: int
    function: str
    fault: str
    hits: int  # how often the fault struck
    problems: tuple[str, ...]
    trace: tuple[str, ...]
    calls: int


def cell(seed: int) -> tuple[str, str]:
    return CELLS[seed % len(CELLS)]


def scenario_of(seed: int) -> Scenario:
    """The seeds of a row of cells share one, so that it has to run without faults only once."""
    return a_scenario(scenario_number(seed))


def scenario_number(seed: int) -> int:
    return seed // len(CELLS)


def without_faults(world: World, scenario: Scenario) -> Outcome:
    """All that happens, delivered in order, compacted once. Raises Stuck, AssertionError."""
    for happening in scenario.happenings:
        world.happen(happening)
    world.come_to_rest()
    found = outcome.read(world.names)
    assert not (problems := outcome.broken_promises(found, scenario, world.events)), problems
    return found


class Ordeal:
    """A scenario with faults of one cell, and then in peace to its end."""

    def __init__(
        self, world: World, seed: int, dice: random.Random, restart: Callable[[], None]
    ) -> None:
        self._world, self._dice, self._restart = world, dice, restart
        self._function, self._fault = cell(seed)
        self._scenario = scenario_of(seed)
        self.problems: list[str] = []
        self.hits = 0

    def run(self) -> None:
        held = self._held_back()
        for happening in self._scenario.happenings:
            self._world.happen(happening)
            for _ in range(self._dice.randrange(3)):
                self._step(held)
        if held:
            self._step(held, is_due=True)  # the hour strikes at least once while somebody sleeps
        for _ in range(_STEPS_AFTER):
            self._step([])
        for _ in range(_LAST_TRIES):
            if not self.hits:
                self._provoke()
        self._world.come_to_rest()

    def _provoke(self) -> None:
        """The fault has not struck yet: its function has to do something once more."""
        if self._function in HOURLY:
            if self._compact():
                self._pack()
        elif places := [
            one for one in self._world.places if one.function == self._function and one.log
        ]:
            place = self._dice.choice(places)
            self._world.again(place, self._dice.randint(1, len(place.log)))
            self._deliver(place)

    def _held_back(self) -> list[str]:
        """Who sleeps while things happen; then all comes at once, one shard after another."""
        if self._fault == "reordering" or self._strikes("slow consumer", self._function):
            return [self._function]
        return [self._dice.choice(COMPONENTS)] if self._is_all else []

    def _step(self, held: list[str], *, is_due: bool = False) -> None:
        self._world.time.advance(self._dice.choice((0, 1, 20, 90)))
        behind = self._world.behind([one for one in COMPONENTS if one not in held])
        # It costs most of the calls; where it is not what is looked at, twice a day will do.
        share = 0.2 if self._is_all or self._function in HOURLY else 0.06
        is_due = is_due or self._dice.random() < share
        if is_due and "compaction" not in held:
            if self._compact() and "packing" not in held:
                self._pack()
        elif behind:
            self._deliver(self._next(behind))
        if self._function in held and (
            is_due if self._function in HOURLY else self._world.behind(held)
        ):
            self.hits += 1  # its turn, and it slept
        self._check_promises()

    def _next(self, behind: list[Place]) -> Place:
        """Anyone's turn; or, out of order, always the one that has most to catch up with."""
        chosen = self._dice.choice(behind)
        if self._strikes("reordering", chosen.function):
            return max(behind, key=lambda one: (len(one.log) - one.position, one.shard))
        return chosen

    def _deliver(self, place: Place) -> None:
        fault, error_s = self._fault_for(place.function, lambda: self._at_the_same_time(place))
        position = place.position
        self._world.deliver(place, fault, error_s)
        self._count(fault, place.function)
        if self._strikes("duplicate delivery", place.function) and place.position > position:
            self._world.again(place, self._dice.randint(1, place.position))
            self.hits += 1

    def _compact(self) -> bool:
        """False when it came to no end: then nothing is packed."""
        fault, error_s = self._fault_for("compaction", self._another_compaction)
        is_done = self._world.compact(fault, error_s)
        self._count(fault, "compaction")
        if self._strikes("duplicate delivery", "compaction"):
            landed = [one for one in self._world.places if one.function == "landing"]
            self._world.again(self._dice.choice(landed), self._dice.randint(1, 20))
            is_done = self._world.compact()
            self.hits += 1
        return is_done

    def _pack(self) -> None:
        fault, error_s = self._fault_for("packing", self._another_hour)
        self._world.pack(fault, error_s)
        self._count(fault, "packing")
        if self._strikes("duplicate delivery", "packing"):
            self._world.pack()
            self.hits += 1

    def _at_the_same_time(self, place: Place) -> None:
        """The function is taken for dead and its batch given to another one; it was only slow."""
        with self._world.seam.with_fault(None), self._world.time.right():
            self._world.deliver(place)

    def _another_hour(self) -> None:
        """Packing is held up until others have landed, compacted and packed more."""
        self._another_compaction()

    def _another_compaction(self) -> None:
        with self._world.seam.with_fault(None), self._world.time.right():
            self._world.time.advance(LEASE_S)  # that of the slow one
            for place in self._world.behind(["landing"]):
                self._world.deliver(place)
            self._world.compact()
            self._world.pack()

    def _fault_for(
        self, function: str, meanwhile: Callable[[], None]
    ) -> tuple[Fault | None, float]:
        """What goes wrong in one invocation of a function, and by how much its clock is wrong."""
        kind = self._kind() if self._is_hit(function) else None
        dice = self._dice
        writes, calls = _SPANS[function]
        if kind == "clock skew":
            return GoWrong(), dice.choice((-1, 1)) * dice.choice((1, 60, 400, 7200))
        if kind == "emulator restart":
            return LoseAws(dice, dice.randint(1, calls)), 0
        faults: dict[str | None, Callable[[], Fault]] = {
            "crash before a write": lambda: CrashAt(dice.randint(1, writes), is_after=False),
            "crash after a write": lambda: CrashAt(dice.randint(1, writes), is_after=True),
            "lost answer": lambda: LoseAnswers(dice, 0.25),
            "throttling": lambda: Throttle(dice, dice.choice((0.1, 0.4, 0.8))),
            "partial batch failure": lambda: DoHalf(
                dice, dice.choice((_NEVER, dice.randrange(calls)))
            ),
            "slow consumer": lambda: TakeLong(dice.randint(1, calls), meanwhile),
        }
        return (faults[kind](), 0) if kind in faults else (None, 0)

    def _kind(self) -> str:
        return self._dice.choice(FAULTS) if self._is_all else self._fault

    def _is_hit(self, function: str) -> bool:
        is_meant = self._is_all or function == self._function
        return is_meant and (not self.hits or self._dice.random() < 0.6)

    def _strikes(self, fault: str, function: str) -> bool:
        is_meant = self._is_all or (fault, function) == (self._fault, self._function)
        return is_meant and (not self.hits or self._dice.random() < 0.4)

    def _count(self, fault: Fault | None, function: str) -> None:
        if fault is None:
            return
        self.hits += fault.hits
        if isinstance(fault, LoseAws) and fault.hits:
            self._world.restart_aws(self._restart)

    def _check_promises(self) -> None:
        """Exactly once is promised of every moment, not of the end alone; so is what packs show."""
        if self._dice.random() < 0.25:
            items = outcome.scan(self._world.names.table("analytics"))
            found = outcome.wrong_sales(items, self._scenario)
            if self._is_all or self._function in HOURLY:
                found += outcome.wrong_packs(self._world.names)
            self.problems += [f"after {self._world.trace[-1]}: {one}" for one in found]

    @property
    def _is_all(self) -> bool:
        return self._fault == EVERYTHING


def judge(ordeal: Ordeal, world: World, seed: int, expected: Outcome) -> Verdict:
    """Runs it. A defect of the simulation itself is a problem too, never a pass."""
    problems: list[Any] = ordeal.problems
    try:
        ordeal.run()
        found = outcome.read(world.names)
        problems += outcome.differences(found, expected)
        problems += outcome.broken_promises(found, scenario_of(seed), world.events)
    except Exception as error:
        problems.append(f"{type(error).__name__}: {error}"[:600])
    function, fault = cell(seed)
    return Verdict(
        seed, function, fault, ordeal.hits, tuple(problems), tuple(world.trace), world.seam.calls
    )
