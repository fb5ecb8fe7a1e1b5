"""The layer holds every library the functions import: on AWS there is no virtual environment."""

import ast
import json
import re
import sys
from functools import cache
from importlib.metadata import packages_distributions, requires
from pathlib import Path

from packaging.requirements import Requirement

from iac.local.ports import ROOT

_BROUGHT_BY_LAMBDA = {"boto3", "botocore"}


def test_every_library_a_function_imports_is_in_its_layer() -> None:
    handlers = json.loads((ROOT / "iac" / "topology" / "functions.json").read_text()).values()
    modules = {entry["handler"].rpartition(".")[0] for entry in handlers}
    missing = _distributions(_imports_of(modules)) - _layer() - _BROUGHT_BY_LAMBDA
    assert missing == set(), "add them to iac/envs/libraries.in"


def test_each_function_has_its_grants_and_no_other_has() -> None:
    topology = ROOT / "iac" / "topology"
    grants = json.loads((topology / "grants.json").read_text())
    assert grants.keys() == json.loads((topology / "functions.json").read_text()).keys()


def _imports_of(modules: set[str]) -> set[str]:
    """Top-level names of what the modules import, through all of `pipeline` they lead to."""
    outside: set[str] = set()
    seen: set[str] = set()
    waiting = set(modules)
    while waiting:
        module = waiting.pop()
        seen.add(module)
        for name in _imported(module):
            if name.split(".")[0] != "pipeline":
                outside.add(name.split(".")[0])
            elif name not in seen:
                waiting.add(name)
    return outside - set(sys.stdlib_module_names)


@cache
def _imported(module: str) -> frozenset[str]:
    path = _source(module)
    if path is None:  # a name within a module: `from pipeline.runtime.clock import now`
        return frozenset()
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(names)


def _source(module: str) -> Path | None:
    base = ROOT / module.replace(".", "/")
    candidates = (base.with_suffix(".py"), base / "__init__.py")
    return next((path for path in candidates if path.is_file()), None)


def _distributions(names: set[str]) -> set[str]:
    """Names as package indexes know them; a namespace that several share names none of them."""
    known = packages_distributions()
    return {_plain(known[name][0]) for name in names if len(set(known[name])) == 1}


def _layer() -> set[str]:
    """What is listed, and what that needs in turn."""
    lines = (ROOT / "iac" / "envs" / "libraries.in").read_text().splitlines()
    waiting = {line for line in lines if line and not line.startswith("#")}
    held: set[str] = set()
    while waiting:
        name = _plain(waiting.pop())
        held.add(name)
        for text in requires(name) or []:
            needed = Requirement(text)
            applies = needed.marker is None or needed.marker.evaluate({"extra": ""})
            if applies and _plain(needed.name) not in held:
                waiting.add(needed.name)
    return held


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
