"""Fixtures that start the shop for the tests, on ports and state of its own.

`emulator` is the AWS emulator with the topology applied; `stack` adds everything else. Both are
one stack, started once per session and stopped at its end. `HAS_TEST_KEEP=1` leaves it running
and uses it again in the next session.
"""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import httpx
import psutil
import pytest
from boto3.dynamodb.conditions import Key
from botocore.exceptions import HTTPClientError
from hypothesis import HealthCheck, settings
from playwright.sync_api import expect

from console.queries.edge import Unreachable
from iac.local.aws import Clients
from iac.local.health import taken_ports
from iac.local.ports import ROOT, Addresses, environment
from iac.local.stack import status
from iac.local.supervise import Supervisor
from pipeline.contracts import keys
from pipeline.contracts.names import Names
from pipeline.runtime import aws

T = TypeVar("T")
_FIRST_OFFSET = int(os.environ.get("HAS_TEST_PORT_OFFSET", "20000"))
# All below 32768: above, Linux gives ports to outgoing connections, and one may hold ours.
_BLOCKS = 3
_KEEP = os.environ.get("HAS_TEST_KEEP") == "1"
_UP_TIMEOUT_S = 400
# How long anything may take where nobody promised a time: the machine may be shared, and slow.
PATIENCE_S = 120
PATIENCE_MS = 60_000
# Nobody answered in time. An answer that says no is one, and fails whoever asked.
_SILENCE = (httpx.TimeoutException, HTTPClientError, Unreachable)
expect.set_options(timeout=PATIENCE_MS)
# No property is one of time: a machine that stalls for a moment falsifies nothing.
settings.register_profile("shop", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shop")


@dataclass(frozen=True, slots=True)
class Stack:
    """A running shop. `settings` are the variables that choose it among others."""

    at: Addresses
    settings: dict[str, str]
    aws: Clients

    @property
    def edge_url(self) -> str:
        return self.at.url(self.at.edge)

    @property
    def console_url(self) -> str:
        return self.at.url(self.at.console)

    @property
    def env(self) -> dict[str, str]:
        """What every process of this stack finds in its environment."""
        own = {key: self.settings[key] for key in ("HAS_STEP_DELAY_S",)}
        return environment(self.at) | own

    @property
    def names(self) -> Names:
        return Names(self.at.stage)

    @property
    def supervisor(self) -> Supervisor:
        return Supervisor(self.at)

    def processes(self) -> list[psutil.Process]:
        """supervisord and everything below it, functions included; none when it is down."""
        file = self.at.state / "run" / "supervisord.pid"
        if not file.exists():
            return []
        root = psutil.Process(int(file.read_text()))
        return [root, *root.children(recursive=True)]

    def kill(self, program: str) -> None:
        """SIGKILL to one that runs."""
        pid = self.supervisor.running()[program].pid
        assert pid > 0, f"{program} does not run"
        os.kill(pid, signal.SIGKILL)

    def is_well(self) -> bool:
        """What `make status` says, without a process of its own."""
        return status(self.at) == 0

    def audit(self) -> list[dict[str, Any]]:
        """The audit log of yesterday and today, oldest first: a test may begin before midnight."""
        table, today = self.table("ops"), datetime.now(UTC)
        query = table.meta.client.get_paginator("query")
        days = (keys.audit(f"{today - timedelta(days=ago):%Y-%m-%d}", "")["pk"] for ago in (1, 0))
        return [
            entry
            for day in days
            for page in query.paginate(
                TableName=table.name, KeyConditionExpression=Key("pk").eq(day)
            )
            for entry in page["Items"]
        ]

    def http(self) -> httpx.Client:
        """A browser at the edge, with a cookie jar of its own; to be used in a `with`."""
        # `verify=False`: plain HTTP, and to read all the world's certificates takes 50 ms.
        return httpx.Client(base_url=self.edge_url, timeout=20, trust_env=False, verify=False)

    def table(self, short: str) -> Any:
        return aws.table(self.names.table(short))

    def run(self, *command: str, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
        """`python -m iac.local …` against this stack; output and error together in `stdout`."""
        return subprocess.run(
            [sys.executable, "-m", "iac.local", *command],
            cwd=ROOT,
            env=_without_addresses() | self.settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout_s,
        )


def wait_until(check: Callable[[], T], timeout_s: float = PATIENCE_S, pause_s: float = 0.1) -> T:
    """Ask until the answer is truthy, and return it. Fails with the last answer or assertion; who
    does not answer is asked again, too."""
    deadline = time.monotonic() + timeout_s
    while True:
        problem: object
        try:
            if answer := check():
                return answer
            problem = answer
        except (AssertionError, *_SILENCE) as error:
            problem = error
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s} s; last: {problem!r}")
        time.sleep(pause_s)


def most_of_three(attempt: Callable[[], None]) -> None:
    """For a promise of seconds, on a machine that others share: it has to hold in two of three, so
    that neither one stall breaks it nor one lucky moment keeps it."""
    kept = broken = 0
    while kept < 2:
        try:
            attempt()
            kept += 1
        except AssertionError:
            broken += 1
            if broken == 2:
                raise


@pytest.fixture(scope="session")
def emulator() -> Iterator[Stack]:
    """The AWS emulator with tables, queues, functions …; this process's AWS clients use it too."""
    with _claimed_block() as stack, pytest.MonkeyPatch.context() as patch:
        for name, value in stack.env.items():
            patch.setenv(name, value)
        aws.client.cache_clear()
        aws.prompt_client.cache_clear()
        aws.batch_client.cache_clear()
        aws.table.cache_clear()
        try:
            _up(stack, "--until", "emulator")
            yield stack
        finally:
            stack.aws.close()
            if not _KEEP:
                _down(stack)


@pytest.fixture(scope="session")
def stack(emulator: Stack) -> Stack:
    """The whole shop, healthy, with a small catalogue and the demo accounts."""
    _up(emulator)
    return emulator


def _down(stack: Stack) -> None:
    """Stop it, and be sure that nothing of it goes on."""
    family = stack.processes()
    done = stack.run("down", timeout_s=200)
    assert done.returncode == 0, done.stdout
    _, alive = psutil.wait_procs(family, timeout=20)
    assert alive == [], f"still running after `down`: {alive}"


def _up(stack: Stack, *options: str) -> None:
    done = stack.run("up", *options, timeout_s=_UP_TIMEOUT_S)
    if done.returncode != 0:
        pytest.fail(f"the stack did not start:\n{done.stdout}", pytrace=False)


@contextmanager
def _claimed_block() -> Iterator[Stack]:
    """The first block of ports that no other session has claimed and nobody listens on."""
    for block in range(_BLOCKS):
        offset = _FIRST_OFFSET + 1000 * block
        state = f"var/test-{offset}"
        (ROOT / "var").mkdir(exist_ok=True)
        with (ROOT / f"{state}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            if stack := _usable(offset, state):
                yield stack
                return
    pytest.fail("no block of free ports: set HAS_TEST_PORT_OFFSET")


def _without_addresses() -> dict[str, str]:
    """This process's environment, less what would lead to another stack."""
    return {key: value for key, value in os.environ.items() if not key.startswith("HAS_")}


def _usable(offset: int, state: str) -> Stack | None:
    settings = {
        "HAS_PORT_OFFSET": str(offset),
        "HAS_STATE_DIR": state,
        "HAS_SEED_PRODUCTS": os.environ.get("HAS_SEED_PRODUCTS", "300"),
        "HAS_HISTORY": "0",
        "HAS_STEP_DELAY_S": "2",
    }
    at = Addresses.from_environ(settings)
    stack = Stack(at, settings, Clients(at))
    if Supervisor(at).is_up():
        if _KEEP:
            return stack
        stack.run("down")  # left over from a session that was killed
    if taken_ports(at, {name for name, _ in at.all_ports()}):
        return None
    if not _KEEP:
        stack.run("clean")
    return stack


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast tests first: who broke arithmetic need not wait for a browser."""
    order = ["unit", "contract", "integration", "simulation", "e2e"]

    def rank(item: pytest.Item) -> int:
        folder = item.path.relative_to(ROOT / "tests").parts[0]
        return order.index(folder) if folder in order else len(order)

    items.sort(key=rank)
