"""Terraform and the local bootstrap make the same things of `iac/topology/`.

Each applies the topology to an emulator of its own, and what then exists is read back. Terraform
takes about a minute, nearly all of it the provider waiting for queues to settle; the bootstrap
runs meanwhile.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from iac.envs import package
from iac.envs.declared import declare
from iac.envs.deployed import Part, describe
from iac.local.aws import Clients
from iac.local.bootstrap import bootstrap
from iac.local.ports import ROOT, Addresses, environment
from iac.local.topology import Topology
from pipeline.contracts.names import Names

DEV = ROOT / "iac" / "envs" / "dev"
TOPOLOGY = Topology(Names("local"))
PARTS = sorted(declare(TOPOLOGY))
_PROVIDER = "terraform-provider-aws_v5.100.0"
_USUAL_ROOTS = ("/opt", "/usr/local", "/usr/share/terraform", "~/.terraform.d", "~/.cache")
_TERRAFORM_TIMEOUT_S = 240


@dataclass(frozen=True)
class Terraform:
    """The dev root against one emulator; its state and its cache lie outside the repository."""

    binary: str
    plugins: Path
    work: Path
    at: Addresses

    def run(self, command: str, *args: str) -> subprocess.CompletedProcess[str]:
        env = {k: v for k, v in os.environ.items() if not k.startswith(("TF_", "AWS_"))}
        env |= environment(self.at) | {"TF_DATA_DIR": str(self.work / "data")}
        return subprocess.run(
            [self.binary, f"-chdir={DEV}", command, "-no-color", *args],
            env=env | {"TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"},
            capture_output=True,
            text=True,
            timeout=_TERRAFORM_TIMEOUT_S,
        )

    def init(self) -> None:
        done = self.run("init", "-input=false", "-lockfile=readonly", f"-plugin-dir={self.plugins}")
        assert done.returncode == 0, done.stderr

    def variables(self, stage: str = "local", emulated: str = "true") -> list[str]:
        return [
            f"-var=stage={stage}",
            f"-var=emulated={emulated}",
            f"-var=function_package={self.work / 'functions.zip'}",
            f"-state={self.work / 'terraform.tfstate'}",
            "-input=false",
        ]


@dataclass(frozen=True)
class Applied:
    """What exists after each reader applied the topology, and Terraform for further questions."""

    by_terraform: dict[str, Part]
    by_bootstrap: dict[str, Part]
    terraform: Terraform


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Applied]:
    binary, plugins = _terraform_or_skip()
    work = tmp_path_factory.mktemp("terraform")
    package.write_functions(work / "functions.zip")
    with _emulator(work / "one") as one, _emulator(work / "two") as two:
        terraform = Terraform(binary, plugins, work, one)
        with ThreadPoolExecutor(1) as pool:
            bootstrapped = pool.submit(bootstrap, two)
            terraform.init()
            done = terraform.run(
                *("apply", "-auto-approve", "-refresh=false", "-parallelism=40"),
                *terraform.variables(),
            )
            assert done.returncode == 0, done.stderr
            bootstrapped.result(timeout=60)
        yield Applied(describe(Clients(one)), describe(Clients(two)), terraform)


@pytest.mark.parametrize("part", PARTS)
def test_terraform_and_the_bootstrap_create_the_same(applied: Applied, part: str) -> None:
    assert applied.by_terraform[part] == applied.by_bootstrap[part]


@pytest.mark.parametrize("part", PARTS)
def test_both_create_what_the_topology_declares_and_nothing_else(
    applied: Applied, part: str
) -> None:
    declared = declare(TOPOLOGY)[part]
    assert applied.by_terraform[part] == declared
    assert applied.by_bootstrap[part] == declared


def test_planning_again_neither_adds_replaces_nor_removes(applied: Applied) -> None:
    """Updates are let pass: the emulator does not give back every tag and alarm field."""
    terraform, plan = applied.terraform, applied.terraform.work / "plan"
    planned = terraform.run("plan", f"-out={plan}", *terraform.variables())
    assert planned.returncode == 0, planned.stderr
    shown = json.loads(terraform.run("show", "-json", str(plan)).stdout)
    actions = {c["address"]: c["change"]["actions"] for c in shown["resource_changes"]}
    assert len(actions) >= 60
    assert {a: c for a, c in actions.items() if c not in (["no-op"], ["update"])} == {}


def test_each_function_has_a_role_of_its_own_without_wildcards(applied: Applied) -> None:
    clients = Clients(applied.terraform.at)
    functions = clients("lambda").list_functions()["Functions"]
    roles = {function["Role"].rsplit("/", 1)[-1] for function in functions}
    assert len(roles) == len(TOPOLOGY.functions)
    nameless = {"cloudwatch:PutMetricData", "xray:PutTraceSegments"}
    for role in roles:
        assert _without_wildcards(clients, role, nameless)


def test_each_job_of_an_operator_has_a_role_that_the_account_may_take_on(applied: Applied) -> None:
    clients = Clients(applied.terraform.at)
    jobs = json.loads((ROOT / "iac" / "topology" / "roles.json").read_text())
    for job in jobs:
        name = f"has-local-operator-{job}"
        trust = clients("iam").get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
        (statement,) = trust["Statement"]
        (trusted,) = statement["Principal"]["AWS"]
        assert trusted.endswith(":root"), job
        assert _without_wildcards(clients, name, {"lambda:ListEventSourceMappings"})


def _without_wildcards(clients: Clients, role: str, nameless: set[str]) -> bool:
    """Whether a role's policy names each action, and a resource of all but those."""
    policy = clients("iam").get_role_policy(RoleName=role, PolicyName="granted")["PolicyDocument"]
    return bool(policy["Statement"]) and all(
        not any("*" in action for action in statement["Action"])
        and ("*" not in statement["Resource"] or set(statement["Action"]) <= nameless)
        for statement in policy["Statement"]
    )


@pytest.mark.parametrize(
    ("stage", "emulated", "reason"),
    [
        ("prod", "false", "This root is for the stage dev"),
        ("local", "false", "neither is for AWS"),
    ],
)
def test_a_stage_that_does_not_fit_is_refused(
    applied: Applied, stage: str, emulated: str, reason: str
) -> None:
    terraform = applied.terraform
    refused = terraform.run("plan", "-refresh=false", *terraform.variables(stage, emulated))
    assert refused.returncode == 1
    assert reason in " ".join(refused.stderr.replace("│", " ").split())


def _terraform_or_skip() -> tuple[str, Path]:
    """(the binary, the folder for `-plugin-dir`)"""
    binary = shutil.which("terraform")
    if binary is None:
        pytest.skip("terraform is not on this machine's PATH")
    roots = [os.environ.get("HAS_TF_PLUGIN_DIR", ""), *_USUAL_ROOTS]
    for root in (Path(name).expanduser() for name in roots if name):
        for folder, _, files in os.walk(root):
            if any(name.startswith(_PROVIDER) for name in files):
                # <plugins>/<host>/<owner>/<name>/<version>/<platform>/<file>
                return binary, Path(folder).parents[4]
    pytest.skip(f"{_PROVIDER} is in no usual folder of this machine (set HAS_TF_PLUGIN_DIR)")


@contextmanager
def _emulator(state: Path) -> Iterator[Addresses]:
    """A fresh emulator on a free port, stopped with everything it started."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (state / "tmp").mkdir(parents=True)
    at = Addresses.from_environ({"HAS_EMULATOR_PORT": str(port), "HAS_STATE_DIR": str(state)})
    env = os.environ | environment(at)
    env |= {"BIND_HOST": "127.0.0.1", "MINISTACK_HOST": "127.0.0.1", "GATEWAY_PORT": str(port)}
    env |= {"MINISTACK_REGION": env["AWS_REGION"], "IOT_MTLS_ENABLED": "0", "SFTP_ENABLED": "0"}
    env |= {"TMPDIR": str(state / "tmp"), "S3_DATA_DIR": str(state / "s3"), "PERSIST_STATE": "0"}
    with (state / "emulator.log").open("wb") as log:
        process = subprocess.Popen(
            [str(Path(sys.executable).parent / "ministack")],
            env=env,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _wait_until_ready(at.url(port), process, state / "emulator.log")
        yield at
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # nothing in it is worth a graceful stop
        process.wait(timeout=10)


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"{url}/_ministack/ready", timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"the emulator did not become ready in 60 s:\n{log.read_text()}")
