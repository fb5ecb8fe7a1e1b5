"""Runs seeds in processes that share nothing, and puts the verdicts in a table."""

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from functools import cache
from multiprocessing import get_context

from tests.simulation import matrix
from tests.simulation.matrix import EVERYTHING, FAULTS, Ordeal, Verdict, judge
from tests.simulation.outcome import Outcome
from tests.simulation.stage import InProcess, OnEmulator, Stage
from tests.simulation.world import COMPONENTS

_SEEDS_PER_TASK = 7
_WIDTH = 22


def run(stage: Stage, seeds: Iterable[int]) -> Iterator[Verdict]:
    """One after another; a scenario runs without faults before the first of its seeds."""
    known: dict[int, Outcome] = {}
    for seed in seeds:
        day = matrix.scenario_number(seed)
        if day not in known:
            known = {day: expected(stage, seed)}
        yield judged(stage, seed, known[day])


def expected(stage: Stage, seed: int) -> Outcome:
    """How a seed's day ends without faults."""
    peaceful = stage.world(random.Random(f"peace {matrix.scenario_number(seed)}"))
    return matrix.without_faults(peaceful, matrix.scenario_of(seed))


def judged(stage: Stage, seed: int, without_faults: Outcome) -> Verdict:
    dice = random.Random(f"ordeal {seed}")
    world = stage.world(dice)
    return judge(Ordeal(world, seed, dice, stage.restart), world, seed, without_faults)


def run_in(processes: int, seeds: Sequence[int], *, is_emulator: bool) -> Iterator[Verdict]:
    """In order of the seeds; a single process is this one."""
    tasks = [seeds[n : n + _SEEDS_PER_TASK] for n in range(0, len(seeds), _SEEDS_PER_TASK)]
    if processes == 1 or len(tasks) == 1:
        with closing(open_stage(is_emulator=is_emulator)) as stage:
            yield from run(stage, seeds)
        return
    with pool_of(processes) as pool:
        for verdicts in pool.map(_run_task, tasks):
            yield from verdicts


def pool_of(processes: int) -> ProcessPoolExecutor:
    """Forked before anything but imports has happened here: those take seconds."""
    return ProcessPoolExecutor(processes, get_context("fork"), own_stage)


def open_stage(*, is_emulator: bool) -> Stage:
    return OnEmulator() if is_emulator else InProcess()


@cache
def own_stage() -> Stage:
    """The one of this process, until it ends."""
    return open_stage(is_emulator=False)


def table(verdicts: Sequence[Verdict]) -> str:
    """A row per fault, a column per function: seeds run, times the fault struck, what failed."""
    cells: dict[tuple[str, str], list[Verdict]] = defaultdict(list)
    for one in verdicts:
        cells[one.fault, one.function].append(one)
    lines = ["".join(name.ljust(_WIDTH) for name in ("", *COMPONENTS)).rstrip()]
    for fault in FAULTS:
        told = (_told(cells[fault, function]) for function in COMPONENTS)
        lines.append("".join(text.ljust(_WIDTH) for text in (fault, *told)).rstrip())
    lines.append(EVERYTHING.ljust(_WIDTH) + _told(cells[EVERYTHING, EVERYTHING]))
    return "\n".join(lines)


def _told(verdicts: Sequence[Verdict]) -> str:
    failed = [str(one.seed) for one in verdicts if one.problems]
    if failed:
        return f"FAILED: {' '.join(failed[:3])}"
    return f"{len(verdicts)} equal, {sum(one.hits for one in verdicts)} hits" if verdicts else "-"


def _run_task(seeds: Sequence[int]) -> list[Verdict]:
    return list(run(own_stage(), seeds))
