"""What the Makefile does besides running the shop: build, check, and call modules."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from iac.local import show
from iac.local.ports import ROOT, Addresses, process_environment

_WEB = ROOT / "client_web"
_BIN = Path(sys.prefix) / "bin"
_PYTHON_CODE = ["pipeline", "storefront_api", "console", "loadgen", "iac"]


def run_module(at: Addresses, arguments: list[str]) -> int:
    """Run the environment's Python with these arguments, as a process of the stack would."""
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=process_environment(at) | _own_settings()
    ).returncode


def build_storefront(at: Addresses) -> int:
    """Install what the lock file says and build, each only if its sources are newer."""
    if not (_WEB / "package.json").exists():
        return 0
    if code := _install_node_modules():
        return code
    built = _WEB / "dist" / "index.html"
    if built.exists() and built.stat().st_mtime >= max(_source_times()):
        return 0
    show.progress("building the storefront")
    return _npm("run", "build", "--silent")


def test_storefront(at: Addresses) -> int:
    if not (_WEB / "package.json").exists():
        return 0
    return _install_node_modules() or _npm("test", "--silent")


def write_contracts(at: Addresses, check: bool) -> int:
    """OpenAPI, event schemas, and the TypeScript types made from them."""
    folder = str(ROOT / "docs" / "contracts")
    command = ["-m", "storefront_api.contracts", folder, *(["--check"] if check else [])]
    code = run_module(at, command)
    if code or check or not (_WEB / "package.json").exists():
        return code
    return _install_node_modules() or _npm("run", "gen:api", "--silent")


def lint(at: Addresses) -> int:
    """Every check, also after one that fails; the exit code is 1 if any failed."""
    failed = [name for name, command in _lint_commands() if _run_check(name, command)]
    show.out.print(f"[red]failed: {', '.join(failed)}[/red]" if failed else "all checks passed")
    return 1 if failed else 0


def _lint_commands() -> Iterator[tuple[str, list[str]]]:
    yield "ruff check", [str(_BIN / "ruff"), "check", "--quiet", "."]
    yield "ruff format", [str(_BIN / "ruff"), "format", "--check", "--quiet", "."]
    packages = [option for package in _PYTHON_CODE for option in ("-p", package)]
    yield "mypy", [str(_BIN / "mypy"), *packages]
    yield "import-linter", [str(_BIN / "lint-imports")]
    if (_WEB / "package.json").exists():
        _install_node_modules()
        yield (
            "tsc and eslint",
            [str(_BIN / "npm"), "--prefix", str(_WEB), "run", "lint", "--silent"],
        )
    if terraform := shutil.which("terraform"):
        yield "terraform fmt", [terraform, "fmt", "-check", "-recursive", "iac"]
        yield from _terraform_validate(terraform)


def _terraform_validate(terraform: str) -> Iterator[tuple[str, list[str]]]:
    """For each root whose provider can be had: from the registry, or from `HAS_TF_PLUGIN_DIR`."""
    options = ["-backend=false", "-input=false", "-lockfile=readonly"]
    if plugins := os.environ.get("HAS_TF_PLUGIN_DIR"):
        options.append(f"-plugin-dir={plugins}")
    for root in sorted(path.parent for path in (ROOT / "iac" / "envs").glob("*/main.tf")):
        command = [terraform, f"-chdir={root}", "init", *options]
        if subprocess.run(command, capture_output=True).returncode == 0:
            yield f"terraform validate {root.name}", [terraform, f"-chdir={root}", "validate"]
        else:
            show.progress(f"terraform validate {root.name}: skipped, no provider at hand")


def _run_check(name: str, command: list[str]) -> bool:
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | _node_path(), capture_output=True, text=True
    )
    show.progress(f"{name}: {'failed' if done.returncode else 'ok'}")
    if done.returncode:
        show.out.print(done.stdout + done.stderr, markup=False)
    return done.returncode != 0


def _install_node_modules() -> int:
    installed = _WEB / "node_modules" / ".package-lock.json"
    lock = _WEB / "package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return 0
    show.progress("installing the storefront's packages")
    code = _npm("ci", "--no-audit", "--no-fund", "--loglevel=error")
    if code == 0:
        installed.touch()
    return code


def _npm(*arguments: str) -> int:
    return subprocess.run(
        [str(_BIN / "npm"), *arguments], cwd=_WEB, env=os.environ | _node_path()
    ).returncode


def _node_path() -> dict[str, str]:
    return {"PATH": f"{_BIN}:{os.environ.get('PATH', '/usr/bin:/bin')}"}


def _source_times() -> Iterator[float]:
    for name in ("src", "public", "index.html", "package-lock.json", "vite.config.ts"):
        path = _WEB / name
        for file in [path, *path.rglob("*")] if path.is_dir() else [path]:
            if file.is_file():
                yield file.stat().st_mtime


def _own_settings() -> dict[str, str]:
    """`HAS_…` variables that the developer gave and that address no stack."""
    return {
        key: value
        for key, value in os.environ.items()
        if key.startswith("HAS_") and not key.endswith(("_PORT", "_OFFSET", "_DIR", "_URL"))
    }
