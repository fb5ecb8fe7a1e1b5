"""`python -m tests.simulation`: the fault matrix of the pipeline, and any seed of it alone.

Exit code 0 only if every seed ended as its day ends without faults, and every hour in which a
function crashed at one of its writes as without the crash.
"""

import argparse
import io
import os
import sys
import time
from collections.abc import Sequence

from tests.simulation import every_write, runs
from tests.simulation.matrix import CELLS, Verdict

_PROGRESS = 200


def main() -> int:
    asked = _arguments()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # thousands of seeds take a while
    seeds = (
        [asked.seed] if asked.seed is not None else range(asked.first, asked.first + asked.seeds)
    )
    is_well = _run_seeds(asked, seeds)
    if len(seeds) > 1 and not asked.emulator:
        is_well = _crash_at_every_write(asked) and is_well
    return 0 if is_well else 1


def _run_seeds(asked: argparse.Namespace, seeds: Sequence[int]) -> bool:
    place = "the emulator" if asked.emulator else "one process each, AWS included"
    print(f"Seeds {seeds[0]} to {seeds[-1]}, {asked.jobs} at a time, in {place}.")
    started = time.perf_counter()
    verdicts = []
    for one in runs.run_in(asked.jobs, seeds, is_emulator=asked.emulator):
        verdicts.append(one)
        if one.problems or len(seeds) == 1:
            _explain(one)
        if len(verdicts) % _PROGRESS == 0:
            print(f"  {len(verdicts):,} of {len(seeds):,}")
    spent_s = time.perf_counter() - started
    if len(seeds) > 1:
        print(f"In each cell its seeds, {len(CELLS)} apart (make simulate SEED=n repeats one):")
        print(runs.table(verdicts))
    failed = [one for one in verdicts if one.problems]
    calls, hits = sum(one.calls for one in verdicts), sum(one.hits for one in verdicts)
    print(f"{len(verdicts) - len(failed)} of {len(verdicts)} seeds equal the run without faults; "
          f"{hits:,} faults, {calls:,} calls to AWS, {spent_s:.1f} s, "
          f"{len(verdicts) / spent_s:.1f} seeds/s")  # fmt: skip
    return not failed


def _crash_at_every_write(asked: argparse.Namespace) -> bool:
    started = time.perf_counter()
    shops = every_write.shops(asked.days)
    writes, crashed = runs.writes_in(asked.jobs, shops)
    failed = [one for one in crashed if one.problems]
    for one in failed:
        print(f"\nA crash {one.side} {one.write}")
        _print_all("  ", one.trace)
        _print_all("  PROBLEM ", one.problems)
    missed = every_write.not_tried(writes, crashed)
    _print_all("NOT TRIED ", missed)
    print(runs.table_of_writes(crashed))
    print(f"{len(writes)} writes in an hour of {len(shops)} shops, a crash before and after each: "
          f"{len(crashed) - len(failed)} of {len(crashed)} hours equal the one without; "
          f"{time.perf_counter() - started:.1f} s")  # fmt: skip
    return not failed and not missed


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=_count, default=len(CELLS), help="how many seeds")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--seed", type=int, help="this one alone, step by step")
    parser.add_argument("--jobs", type=_count, default=os.cpu_count() or 1)
    parser.add_argument("--days", type=int, default=0,
                        help="crash at every write of so many seeds' days, too")  # fmt: skip
    parser.add_argument("--emulator", action="store_true", help="on the stack that is up")
    asked = parser.parse_args()
    if asked.emulator:
        asked.jobs = 1  # there is one emulator, and some seeds restart it
    return asked


def _count(text: str) -> int:
    if (count := int(text)) < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return count


def _explain(one: Verdict) -> None:
    print(f"\nSeed {one.seed}, {one.function}: {one.fault}, {one.hits} hits, {one.calls} calls")
    _print_all("  ", one.trace)
    _print_all("  PROBLEM ", one.problems)
    if one.problems:
        print(f"  again: make simulate SEED={one.seed}")


def _print_all(head: str, lines: Sequence[str]) -> None:
    for line in lines:
        print(f"{head}{line}")


if __name__ == "__main__":
    sys.exit(main())
