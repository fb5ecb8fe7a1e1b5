"""Runs seeds in processes that share nothing, and puts the verdicts in a table."""

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from functools import cache
from itertools import zip_longest
from multiprocessing import get_context

from tests.simulation import every_write, matrix
from tests.simulation.every_write import Crashed, Write
from tests.simulation.matrix import EVERYTHING, FAULTS, Ordeal, Verdict, judge
from tests.simulation.outcome import Outcome
from tests.simulation.stage import InProcess, OnEmulator, Stage
from tests.simulation.world import COMPONENTS

_SEEDS_PER_TASK = 7
_WRITES_PER_TASK = 9
_LISTED_SEEDS = 2  # of a cell; more are named by the first and the last, they are CELLS apart


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
    """In order of the seeds. One alone runs in this process, and so do those on the emulator."""
    tasks = [seeds[n : n + _SEEDS_PER_TASK] for n in range(0, len(seeds), _SEEDS_PER_TASK)]
    if is_emulator or len(seeds) == 1:
        with closing(open_stage(is_emulator=is_emulator)) as stage:
            yield from run(stage, seeds)
        return
    with pool_of(processes) as pool:
        for verdicts in pool.map(_run_task, tasks):
            yield from verdicts


def writes_in(processes: int, shops: Sequence[str]) -> tuple[list[Write], list[Crashed]]:
    """Every write of an hour of each shop, and the runs that crashed at them.

    Raises: every_write.Missed when there is a write that no run would have crashed at.
    """
    with pool_of(processes) as pool:
        writes = [write for found in pool.map(_writes_of, shops) for write in found]
        tasks = [writes[n : n + _WRITES_PER_TASK] for n in range(0, len(writes), _WRITES_PER_TASK)]
        return writes, [one for done in pool.map(_crash_at, tasks) for one in done]


def pool_of(processes: int) -> ProcessPoolExecutor:
    """Forked before anything but imports has happened here: those take seconds."""
    return ProcessPoolExecutor(processes, get_context("fork"), own_stage)


def open_stage(*, is_emulator: bool) -> Stage:
    return OnEmulator() if is_emulator else InProcess()


@cache
def own_stage() -> InProcess:
    """The one of this process, until it ends."""
    return InProcess()


def table(verdicts: Sequence[Verdict]) -> str:
    """A row per fault, a column per function: its seeds, times the fault struck, what failed."""
    cells: dict[tuple[str, str], list[Verdict]] = defaultdict(list)
    for one in verdicts:
        cells[one.fault, one.function].append(one)
    rows = [["", *COMPONENTS]]
    rows += [[fault, *(_told(cells[fault, one]) for one in COMPONENTS)] for fault in FAULTS]
    return _aligned([*rows, [EVERYTHING, _told(cells[EVERYTHING, EVERYTHING])]])


def table_of_writes(runs: Sequence[Crashed]) -> str:
    """A row per shop, a column per function: runs that crashed before a write, and after one."""
    rows = [[shop, *told] for shop, told in every_write.cells(runs)]
    return _aligned([["a crash at each write", *COMPONENTS], *rows])


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) + 2 for column in zip_longest(*rows, fillvalue="")]
    return "\n".join(
        "".join(text.ljust(width) for text, width in zip(row, widths, strict=False)).rstrip()
        for row in rows
    )


def _told(verdicts: Sequence[Verdict]) -> str:
    if not verdicts:
        return "-"
    failed = [str(one.seed) for one in verdicts if one.problems]
    if failed:
        return f"{_seeds(verdicts)}: FAILED {' '.join(failed[:3])}"
    hits = sum(one.hits for one in verdicts)
    return f"{_seeds(verdicts)}: {len(verdicts)} equal, {hits} hits"


def _seeds(verdicts: Sequence[Verdict]) -> str:
    """What `SEED=` repeats one of them by."""
    seeds = [str(one.seed) for one in verdicts]
    return " ".join(seeds) if len(seeds) <= _LISTED_SEEDS else f"{seeds[0]}…{seeds[-1]}"


def _writes_of(shop: str) -> list[Write]:
    return every_write.hour(own_stage(), shop).writes


def _crash_at(writes: Sequence[Write]) -> list[Crashed]:
    return [
        every_write.hour(own_stage(), write.shop).crashed(write, side)
        for write in writes
        for side in every_write.SIDES
    ]


def _run_task(seeds: Sequence[int]) -> list[Verdict]:
    return list(run(own_stage(), seeds))
