"""What people say to `make` reaches the command as they said it."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from iac.local.ports import ROOT

_TELL = """#!/bin/sh
exec {python} -c 'import json, sys; print(json.dumps(sys.argv[1:]))' "$@"
"""


@pytest.fixture
def bin_folder(tmp_path: Path) -> Path:
    """A place where `python` says what it was called with."""
    python = tmp_path / "python"
    python.write_text(_TELL.format(python=shutil.which("python3")))
    python.chmod(0o755)
    return tmp_path


def called_with(bin_folder: Path, *words: str) -> list[str]:
    done = subprocess.run(
        ["make", "--silent", "--old-file=.venv/stamp", f"BIN={bin_folder}", *words],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    arguments: list[str] = json.loads(done.stdout)
    return arguments[arguments.index("-m", 3) :]


@pytest.mark.parametrize(
    "cause",
    [
        "zero_price", "payment:TypeError (a lambda's)", "(only this)", 'says "no" & goes; `ls`',
        "two  spaces * and ?", "its 'own' quotes\\",
    ],
)  # fmt: skip
def test_a_cause_of_whatever_words_reaches_the_desk_whole(bin_folder: Path, cause: str) -> None:
    words = ("desk", "DO=fix --place quarantine --step fix-time", f"CAUSE={cause}")
    assert called_with(bin_folder, *words) == [
        "-m", "pipeline.desk", "fix", "--place", "quarantine", "--step", "fix-time",
        "--cause", cause,
    ]  # fmt: skip


def test_the_desk_lists_when_it_is_asked_nothing(bin_folder: Path) -> None:
    assert called_with(bin_folder, "desk") == ["-m", "pipeline.desk", "list"]
