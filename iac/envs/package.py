"""`python -m iac.envs.package functions|libraries PATH` writes a zip for Terraform.

`functions` is the pipeline's code, the very package the local bootstrap gives the emulator.
`libraries` is a layer for it: wheels for Lambda's Linux and Python, whatever this machine runs.
The same sources make the same bytes, so that a plan without a change of code shows none.
"""

import argparse
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

from iac.local.functions import package
from iac.local.ports import ROOT

_FIXED_TIME = (1980, 1, 1, 0, 0, 0)
_UNPACKED_LIMIT_BYTES = 250 * 1024 * 1024  # Lambda's, for code and layers together
_INSTALL_TIMEOUT_S = 300


def write_functions(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(package()[0])


def write_libraries(path: Path) -> None:
    """Raises ValueError when Lambda would not take that much, CalledProcessError from uv."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder:
        _install(Path(folder) / "python")
        files = [file for file in sorted(Path(folder).rglob("*")) if file.is_file()]
        unpacked = sum(file.stat().st_size for file in files)
        if unpacked > _UNPACKED_LIMIT_BYTES:
            raise ValueError(f"{unpacked} bytes unpacked, Lambda takes {_UNPACKED_LIMIT_BYTES}")
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in files:
                entry = zipfile.ZipInfo(str(file.relative_to(folder)), _FIXED_TIME)
                entry.external_attr = 0o644 << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, file.read_bytes())


def _install(target: Path) -> None:
    command = [
        *(str(Path(sys.executable).parent / "uv"), "pip", "install", "--quiet"),
        *("--target", str(target), "--link-mode", "copy", "--no-compile-bytecode"),
        *("--python-platform", "x86_64-manylinux_2_28", "--python-version", _python_version()),
        *("--only-binary", ":all:", "--constraint", str(ROOT / "requirements.txt")),
        *("--requirement", str(Path(__file__).with_name("libraries.in"))),
    ]
    subprocess.run(command, check=True, timeout=_INSTALL_TIMEOUT_S)


def _python_version() -> str:
    """The one runtime of all functions, as a number: one layer serves them all."""
    declared = json.loads((ROOT / "iac" / "topology" / "functions.json").read_text())
    (runtime,) = {function["runtime"] for function in declared.values()}
    return str(runtime).removeprefix("python")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m iac.envs.package", description=__doc__)
    parser.add_argument("what", choices=["functions", "libraries"])
    parser.add_argument("path", type=Path)
    given = parser.parse_args()
    {"functions": write_functions, "libraries": write_libraries}[given.what](given.path)
