"""What tests of several files find in the shop."""

import os
import subprocess
import sys

import pytest
from shop_history import a_slice

from iac.local.ports import ROOT
from tests.conftest import Stack


@pytest.fixture(scope="session")
def history(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Orders of more than a year, which were really made somewhere."""
    path = tmp_path_factory.mktemp("log") / "slice.parquet"
    a_slice(path)
    subprocess.run(
        [sys.executable, "-m", "pipeline.replay", "--file", str(path), "--shift-to-now"],
        cwd=ROOT, env=os.environ | stack.env, check=True, timeout=300, stdout=subprocess.DEVNULL,
    )  # fmt: skip
