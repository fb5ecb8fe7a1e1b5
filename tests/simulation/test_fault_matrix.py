"""The fault matrix as `make simulate` runs it: in processes of its own, whose time stands still."""

import os
import re
import subprocess
import sys

from iac.local.ports import ROOT
from tests.conftest import Stack
from tests.simulation.matrix import CELLS

_TIMEOUT_S = 280


def simulate(*arguments: str, module: str = "tests.simulation") -> str:
    """The output of a run that must end well."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=ROOT, text=True, timeout=_TIMEOUT_S,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "random"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    print(done.stdout)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_every_cell_ends_as_the_run_without_faults_and_a_seed_alone_repeats_itself() -> None:
    told = simulate("--seeds", str(len(CELLS)))
    struck = re.findall(r"1 equal, (\d+) hits", told)
    assert len(struck) == len(CELLS)
    assert "0" not in struck
    last = simulate("--seed", str(len(CELLS) - 1))
    assert f"all at once, {struck[-1]} hits" in last


def test_each_promise_broken_on_purpose_is_noticed() -> None:
    assert "NOT NOTICED" not in simulate(module="tests.simulation.defects")


def test_the_same_faults_on_the_emulator_end_the_same(emulator: Stack) -> None:
    for seed in (6, 24, 31, 38):
        done = emulator.run(
            "run", "--", "-m", "tests.simulation", "--emulator", "--seed", str(seed)
        )
        print(done.stdout)
        assert done.returncode == 0, done.stdout
