"""supervisord: its configuration, and talking to it over its unix socket."""

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ServerProxy

import psutil

from iac.local.ports import ROOT, Addresses
from iac.local.processes import Program, programs
from pipeline.runtime.supervisor_rpc import SILENT, connect

_STOP_TIMEOUT_S = 150


@dataclass(frozen=True, slots=True)
class Running:
    """What supervisor says of one program; `state` as supervisor names it."""

    name: str
    state: str
    pid: int
    started_at_epoch_s: int
    exit_status: int


class Supervisor:
    """Starts, asks and stops the programs of one stack."""

    def __init__(self, at: Addresses) -> None:
        self._at = at
        self._config = at.state / "run" / "supervisord.conf"
        self._pid_file = at.state / "run" / "supervisord.pid"

    def is_up(self) -> bool:
        try:
            self._call(lambda rpc: rpc.supervisor.getState())
        except SILENT:
            return False
        return True

    def start(self, timeout_s: float = 15.0) -> None:
        """Start supervisord, or tell a running one what changed; programs stay as they are.

        Raises RuntimeError if it does not come up.
        """
        self._write_config()
        if self.is_up():
            self._reload()
            return
        # A clean environment: nothing of the developer's shell may reach the programs.
        env = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LANG": "C.UTF-8"}
        env["PYTHONWARNINGS"] = "ignore"
        command = [str(Path(sys.prefix) / "bin" / "supervisord"), "-c", str(self._config)]
        done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True)
        deadline = time.monotonic() + timeout_s
        while not self.is_up():
            if time.monotonic() > deadline:
                raise RuntimeError(f"supervisord does not answer: {done.stdout}{done.stderr}")
            time.sleep(0.05)

    def running(self) -> dict[str, Running]:
        """Raises OSError when supervisord is not up."""
        return {
            info["name"]: Running(
                name=info["name"],
                state=info["statename"],
                pid=info["pid"],
                started_at_epoch_s=info["start"],
                exit_status=info["exitstatus"],
            )
            for info in self._call(lambda rpc: rpc.supervisor.getAllProcessInfo())
        }

    def unwanted_ends(self) -> dict[str, int]:
        """How often each program ended without being asked to, since supervisord started."""
        log = self._at.logs / "supervisord.log"
        text = log.read_text(errors="replace") if log.exists() else ""
        since_start = text.rpartition("supervisord started with pid")[2]
        return Counter(re.findall(r"WARN exited: ([\w-]+) ", since_start))

    def start_program(self, name: str) -> None:
        """Ask for it to run; who wants to know that it does, asks its health."""
        try:
            self._call(lambda rpc: rpc.supervisor.startProcess(name, False))
        except Fault as fault:
            if "ALREADY_STARTED" not in fault.faultString:
                raise

    def stop_program(self, name: str) -> None:
        """Returns when it is gone."""
        try:
            self._call(lambda rpc: rpc.supervisor.stopProcess(name, True))
        except Fault as fault:
            if "NOT_RUNNING" not in fault.faultString and "BAD_NAME" not in fault.faultString:
                raise

    def save_emulator_state(self) -> None:
        """Have the emulator write its state now, in the background."""
        if (emulator := self.running().get("emulator")) and emulator.pid:
            os.kill(emulator.pid, signal.SIGUSR1)

    def shut_down(self, timeout_s: float = 150.0) -> None:
        """Stop supervisord and whatever still runs under it; returns when it is gone."""
        if not self._pid_file.exists() and not self.is_up():
            return
        pid = self._call(lambda rpc: rpc.supervisor.getPID())
        self._call(lambda rpc: rpc.supervisor.shutdown())
        try:
            psutil.Process(pid).wait(timeout_s)
        except psutil.NoSuchProcess:
            pass
        except psutil.TimeoutExpired:
            os.killpg(pid, signal.SIGKILL)

    def _reload(self) -> None:
        """Take over the new configuration; what changed in it starts anew."""
        added, changed, removed = self._call(lambda rpc: rpc.supervisor.reloadConfig())[0]
        was_up = {name for name, info in self.running().items() if info.state != "STOPPED"}
        for name in [*changed, *removed]:
            self._on_group("stopProcessGroup", name)
            self._on_group("removeProcessGroup", name)
        for name in [*added, *changed]:
            self._on_group("addProcessGroup", name)
        for name in changed:
            if name in was_up:
                self.start_program(name)

    def _on_group(self, method: str, name: str) -> None:
        self._call(lambda rpc: getattr(rpc.supervisor, method)(name))

    def _write_config(self) -> None:
        for folder in ("run", "log", "journal", "emulator/tmp"):
            (self._at.state / folder).mkdir(parents=True, exist_ok=True)
        sections = [self._daemon(), *(self._program(program) for program in programs(self._at))]
        self._config.write_text("\n".join(sections))

    def _daemon(self) -> str:
        run, log = self._at.state / "run", self._at.logs
        return f"""[unix_http_server]
file={self._at.supervisor_socket}
chmod=0600
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://{self._at.supervisor_socket}
[supervisord]
pidfile={run}/supervisord.pid
logfile={log}/supervisord.log
logfile_maxbytes=5MB
logfile_backups=1
childlogdir={log}
directory={ROOT}
"""

    def _program(self, program: Program) -> str:
        log = self._at.logs / f"{program.name}.{program.log_suffix}"
        env = ",".join(f'{key}="{_escape(value)}"' for key, value in program.environment.items())
        errors = (
            f"stderr_logfile={self._at.logs / program.name}.log\n"
            "stderr_logfile_maxbytes=10000000\nstderr_logfile_backups=1"
            if program.separate_errors
            else "redirect_stderr=true"
        )
        return f"""[program:{program.name}]
command={" ".join(_escape(part) for part in program.command)}
environment={env}
autostart=false
autorestart={"false" if program.one_shot else "true"}
startsecs={0 if program.one_shot else 1}
startretries=5
stopwaitsecs={program.stop_wait_s}
stopasgroup={str(program.stops_as_group).lower()}
killasgroup=true
stdout_logfile={log}
stdout_logfile_maxbytes={program.log_max_bytes}
stdout_logfile_backups=2
{errors}
"""

    def _call(self, ask: Callable[[ServerProxy], Any]) -> Any:
        # A stop waits for the program to end, the emulator's for its state to be written.
        with connect(self._at.supervisor_socket, _STOP_TIMEOUT_S) as rpc:
            return ask(rpc)


def _escape(value: str) -> str:
    return value.replace("%", "%%").replace('"', '\\"')
