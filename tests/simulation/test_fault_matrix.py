"""The fault matrix as `make simulate` runs it: in processes of its own, whose time stands still."""

import os
import re
import subprocess
import sys
from functools import cache

import pytest

from iac.local.ports import ROOT
from tests.conftest import Stack

_TIMEOUT_S = 400
_SHOPS, _FUNCTIONS = 2, 5
_CELLS = 51  # ten faults of five functions, and all of it at once


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


@cache
def matrix() -> str:
    """Every cell once, and every write of the small shops."""
    return simulate()


def test_every_cell_ends_as_the_run_without_faults_and_a_seed_alone_repeats_itself(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = matrix()
    with capsys.disabled():  # the table is for who reads the report, also when all is well
        print(f"\n{told}")
    struck = re.findall(r"\b(\d+): 1 equal, (\d+) hits", told)
    assert [int(seed) for seed, _ in struck] == list(range(_CELLS))
    assert "0" not in (hits for _, hits in struck)
    last = simulate("--seed", struck[-1][0])
    assert f"all at once, {struck[-1][1]} hits" in last


def test_a_crash_before_and_after_every_single_write_changes_nothing() -> None:
    told = matrix()
    crashed = [(int(a), int(b)) for a, b in re.findall(r"(\d+) \+ (\d+) equal", told)]
    assert len(crashed) == _SHOPS * _FUNCTIONS
    assert all(before == after > 0 for before, after in crashed)
    made = re.search(r"^(\d+) writes", told, re.MULTILINE)
    assert made
    assert int(made[1]) == sum(before for before, _ in crashed)


def test_each_promise_broken_on_purpose_is_noticed() -> None:
    assert "NOT NOTICED" not in simulate(module="tests.simulation.defects")


@pytest.mark.parametrize("seeds", [("--first", "32", "--seeds", "6"), ("--seed", "46")])
def test_the_same_faults_on_the_emulator_end_the_same(
    emulator: Stack, seeds: tuple[str, ...]
) -> None:
    """Batches done in part, functions that are late; and a restart of the emulator itself."""
    done = emulator.run(
        "run", "--", "-m", "tests.simulation", "--emulator", *seeds, timeout_s=_TIMEOUT_S
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout
