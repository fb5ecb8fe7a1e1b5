"""Runs seeds in processes that share nothing, and puts the verdicts in a table."""

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from multiprocessing.util import Finalize

from tests.simulation import matrix
from tests.simulation.matrix import EVERYTHING, FAULTS, Ordeal, Verdict, judge
from tests.simulation.outcome import Outcome
from tests.simulation.stage import InProcess, OnEmulator, Stage
from tests.simulation.world import COMPONENTS

_SEEDS_PER_TASK = 14
_WIDTH = 22


def run(stage: Stage, seeds: Iterable[int]) -> Iterator[Verdict]:
    """One after another; a scenario runs without faults before the first of its seeds."""
    expected: dict[int, Outcome] = {}
    for seed in seeds:
        day = matrix.scenario_number(seed)
        if day not in expected:
            peaceful = stage.world(random.Random(f"peace {day}"))
            expected = {day: matrix.without_faults(peaceful, matrix.scenario_of(seed))}
        dice = random.Random(f"ordeal {seed}")
        world = stage.world(dice)
        yield judge(Ordeal(world, seed, dice, stage.restart), world, seed, expected[day])


def run_in(processes: int, seeds: Sequence[int], *, is_emulator: bool) -> Iterator[Verdict]:
    """In order of the seeds."""
    tasks = [seeds[n : n + _SEEDS_PER_TASK] for n in range(0, len(seeds), _SEEDS_PER_TASK)]
    with ProcessPoolExecutor(
        min(processes, len(tasks)), get_context("spawn"), _open_stage, (is_emulator,)
    ) as pool:
        for verdicts in pool.map(_run_task, tasks):
            yield from verdicts


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


_stage: Stage | None = None


def _open_stage(is_emulator: bool) -> None:
    global _stage
    _stage = OnEmulator() if is_emulator else InProcess()
    Finalize(_stage, _stage.close, exitpriority=1)  # `atexit` is not run in such a process


def _run_task(seeds: Sequence[int]) -> list[Verdict]:
    assert _stage is not None, "the process was given its stage"
    return list(run(_stage, seeds))
