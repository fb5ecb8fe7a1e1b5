"""Some seeds of the fault matrix on the emulator, as `make simulate EMULATOR=1` runs them."""

import pytest

from tests.conftest import Stack

_TIMEOUT_S = 400


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
