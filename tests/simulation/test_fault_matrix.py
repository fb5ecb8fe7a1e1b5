"""The fault matrix as `make simulate` runs it: in processes of its own, whose time stands still."""

import os
import re
import subprocess
import sys

from iac.local.ports import ROOT
from tests.conftest import Stack
from tests.simulation.matrix import CELLS

_TIMEOUT_S = 280


def simulate(*arguments: str, module: str = "tests.simulation", hash_seed: str = "0") -> str:
    """The output of a run that must end well."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=ROOT, text=True, timeout=_TIMEOUT_S,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": hash_seed},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    print(done.stdout)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_every_cell_ends_as_the_run_without_faults() -> None:
    told = simulate("--seeds", str(len(CELLS)))
    struck = [int(hits) for hits in re.findall(r"1 equal, (\d+) hits", told)]
    assert len(struck) == len(CELLS)
    assert min(struck) > 0


def test_a_seed_alone_repeats_itself_call_by_call() -> None:
    seed = str(CELLS.index(("all at once", "all at once")))
    first, second = (simulate("--seed", seed, hash_seed=salt) for salt in ("1", "2"))
    assert first.rpartition("\n1 of 1")[0] == second.rpartition("\n1 of 1")[0]
    assert "calls" in first


def test_each_promise_broken_on_purpose_is_noticed() -> None:
    assert "NOT NOTICED" not in simulate(module="tests.simulation.defects")


def test_the_same_faults_on_the_emulator_end_the_same(emulator: Stack) -> None:
    for seed in (6, 24, 31, 38):
        done = emulator.run(
            "run", "--", "-m", "tests.simulation", "--emulator", "--seed", str(seed)
        )
        print(done.stdout)
        assert done.returncode == 0, done.stdout
