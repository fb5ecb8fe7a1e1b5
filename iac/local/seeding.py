"""What a fresh stack is filled with: catalogue, demo accounts, and the history of orders.

Each is done once; the ops table remembers it, so a state that was removed is filled again.
"""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from iac.local.aws import Clients
from iac.local.ports import ROOT, Addresses, process_environment
from iac.local.supervise import Supervisor
from pipeline.contracts.names import Names
from pipeline.runtime.clock import now

# A full catalogue takes about half a minute on two cores.
_SEED_TIMEOUT_S = 240


@dataclass(frozen=True, slots=True)
class Seed:
    """A module that fills one part, by itself idempotent."""

    name: str
    module: str

    @property
    def is_written(self) -> bool:
        path = ROOT / self.module.replace(".", "/")
        return path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()


SEEDS = (
    Seed("catalogue", "storefront_api.catalog.seed"),
    Seed("accounts", "storefront_api.users.seed"),
)


def is_done(at: Addresses, name: str) -> bool:
    """Whether the marker says so."""
    found = Clients(at)("dynamodb").get_item(
        TableName=Names(at.stage).table("ops"), Key=_marker(name), ConsistentRead=True
    )
    return "Item" in found


def mark_done(at: Addresses, name: str) -> None:
    item = _marker(name) | {"at": {"S": now().isoformat()}}
    Clients(at)("dynamodb").put_item(TableName=Names(at.stage).table("ops"), Item=item)


def run_seed(at: Addresses, seed: Seed) -> tuple[int, Path]:
    """Returns (exit code, the log it wrote); marks it done when the code is 0."""
    log = at.logs / f"seed-{seed.name}.log"
    with log.open("a") as output:
        try:
            code = subprocess.run(
                [sys.executable, "-m", seed.module],
                cwd=ROOT,
                env=process_environment(at) | _limits(),
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=_SEED_TIMEOUT_S,
            ).returncode
        except subprocess.TimeoutExpired:
            output.write(f"stopped after {_SEED_TIMEOUT_S} s\n")
            code = 1
    if code == 0:
        mark_done(at, seed.name)
    return code, log


def replay_history(at: Addresses) -> int:
    """Stream the order log, moved to now, through the pipeline; remembers that it was done."""
    if is_done(at, "history"):
        return 0
    command = [sys.executable, "-m", "pipeline.replay", "--shift-to-now", "--background-safe"]
    done = subprocess.run(command, cwd=ROOT, env=process_environment(at))
    if done.returncode == 0:
        mark_done(at, "history")
        Supervisor(at).save_emulator_state()
    return done.returncode


def _marker(name: str) -> dict[str, dict[str, str]]:
    return {"pk": {"S": f"SEED#{name}"}, "sk": {"S": "SEED"}}


def _limits() -> dict[str, str]:
    """Settings of the seeds that a test or a developer may give from outside."""
    return {key: value for key, value in os.environ.items() if key.startswith("HAS_SEED_")}
