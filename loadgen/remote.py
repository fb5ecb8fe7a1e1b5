"""Where a run runs: on this machine, or on the instance that AWS keeps for it."""

import os
import shlex
import subprocess
import sys
from pathlib import Path, PurePosixPath
from threading import Thread
from typing import Any, Protocol

from loadgen.scenarios import Plan
from loadgen.settings import LoadSettings
from pipeline.runtime import aws

_ROOT = Path(__file__).resolve().parents[1]
_DELIVERY_S = 60


class NotStarted(Exception):
    """The run was not started; the text is for a person."""


class Launcher(Protocol):
    def start(self, plan: Plan) -> str:
        """Start `python -m loadgen` for this plan; returns where. Raises NotStarted."""


def launcher(settings: LoadSettings) -> Launcher:
    if settings.load_group:
        return InstanceLauncher(settings.load_group, settings.load_root)
    return LocalLauncher(settings)


def arguments(plan: Plan) -> list[str]:
    """The plan as the command line takes it."""
    given = {
        "--run-id": plan.run_id, "--scenario": plan.scenario.value, "--users": plan.users,
        "--ramp": plan.ramp_s, "--duration": plan.duration_s, "--rate": plan.arrivals_per_s,
        "--by": plan.by,
    }  # fmt: skip
    return [
        text for name, value in given.items() if value is not None for text in (name, str(value))
    ]


class LocalLauncher:
    """A process group of its own: whoever started it may end, and the run goes on to its end."""

    def __init__(self, settings: LoadSettings) -> None:
        self._settings = settings

    def start(self, plan: Plan) -> str:
        folder = self._settings.reports(plan.run_id)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / "run.log").open("wb") as output:
                process = subprocess.Popen(
                    [sys.executable, "-m", "loadgen", *arguments(plan)],
                    cwd=_ROOT,
                    env={**os.environ, "PYTHONPATH": str(_ROOT)},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        except OSError as error:
            raise NotStarted(f"The run could not be started ({error.strerror}).") from None
        # Somebody has to take note of its end, or it stays as a zombie.
        Thread(target=process.wait, name=f"load-{plan.run_id}", daemon=True).start()
        return f"this machine, process {process.pid}"


class InstanceLauncher:
    """Through Systems Manager, on an instance in service of the group with this tag.

    `root` is the folder of the instance's image that holds code and environment: its contract is in
    docs/runbooks/load-instance.md.
    """

    def __init__(self, component: str, root: PurePosixPath) -> None:
        self._component, self._root = component, root

    def start(self, plan: Plan) -> str:
        instance = self._find_instance()
        ssm = aws.client("ssm")
        try:
            sent = ssm.send_command(
                InstanceIds=[instance],
                DocumentName="AWS-RunShellScript",
                Comment=f"load {plan.run_id}",
                Parameters={"commands": script(plan, self._root)},
                TimeoutSeconds=_DELIVERY_S,
            )
        except ssm.exceptions.InvalidInstanceId:
            raise NotStarted(
                f"Instance {instance} does not answer Systems Manager; is its agent running?"
            ) from None
        return f"{instance}, command {sent['Command']['CommandId']}"

    def _find_instance(self) -> str:
        """The instance of the group that has been in service, by id. Raises NotStarted."""
        groups = (
            aws.client("autoscaling")
            .get_paginator("describe_auto_scaling_groups")
            .paginate(Filters=[{"Name": "tag:component", "Values": [self._component]}])
        )
        ready = sorted(
            str(instance["InstanceId"])
            for page in groups
            for group in page["AutoScalingGroups"]
            if _has_tag(group, self._component)
            for instance in group["Instances"]
            if instance["LifecycleState"] == "InService"
        )
        if not ready:
            raise NotStarted(
                f"No instance is in service in an Auto Scaling group tagged component="
                f"{self._component}."
            )
        return ready[0]


def script(plan: Plan, root: PurePosixPath) -> list[str]:
    """What the instance's shell runs; it fails, and says where, if the image is not as agreed."""
    command = shlex.join([".venv/bin/python", "-m", "loadgen", *arguments(plan)])
    return [
        "set -e",
        f"cd {shlex.quote(str(root))}",
        "set -a; . ./environment; set +a",
        'folder="$HAS_STATE_DIR/load/' + plan.run_id + '"; mkdir -p "$folder"',
        f'setsid nohup {command} >"$folder/run.log" 2>&1 </dev/null &',
    ]


def _has_tag(group: dict[str, Any], component: str) -> bool:
    tags = {tag["Key"]: tag["Value"] for tag in group.get("Tags", [])}
    return tags.get("component") == component
