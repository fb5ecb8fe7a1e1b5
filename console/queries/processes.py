"""Processes as supervisor knows them, over its unix socket, and their memory from the kernel."""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any
from xmlrpc.client import ServerProxy

import psutil

from console.settings import settings
from pipeline.runtime import supervisor_rpc
from pipeline.runtime.families import families

_QUICK_S = 1.5
_LOG_TAIL_BYTES = 400_000
_BEGAN = "supervisord started with pid"
_SPAWNED = re.compile(r"spawned: '([^']+)' with pid")


@dataclass(frozen=True, slots=True)
class Process:
    """`state` as supervisor names it; `restarts` since supervisor itself started."""

    name: str
    state: str
    pid: int
    up_s: int
    exit_status: int
    restarts: int
    memory_bytes: int
    cpu_percent: float

    @property
    def is_up(self) -> bool:
        return self.state == "RUNNING"

    @property
    def is_one_shot(self) -> bool:
        return self.name in ONE_SHOT

    @property
    def is_fine(self) -> bool:
        """Runs, or has done its one job."""
        waits = self.state in ("EXITED", "STOPPED") and self.exit_status == 0
        return self.is_up or (self.is_one_shot and waits)


ONE_SHOT = frozenset({"history"})
_seen: dict[int, psutil.Process] = {}


def list_processes() -> list[Process]:
    """Raises OSError when supervisor is not there."""
    with connect(_QUICK_S) as rpc:
        infos: list[dict[str, Any]] = rpc.supervisor.getAllProcessInfo()  # type: ignore[assignment]
        tail = str(rpc.supervisor.readLog(-_LOG_TAIL_BYTES, 0))
    starts = count_starts(tail)
    by_root = families(int(info["pid"]) for info in infos if info["pid"])
    found = [_process(info, starts[str(info["name"])], by_root) for info in infos]
    for pid in _seen.keys() - {process.pid for process in found}:
        del _seen[pid]
    return found


def count_starts(log: str) -> Counter[str]:
    """How often supervisor has started each program, since it was started itself."""
    return Counter(_SPAWNED.findall(log.rpartition(_BEGAN)[2]))


def connect(timeout_s: float) -> ServerProxy:
    return supervisor_rpc.connect(settings().supervisor_socket, timeout_s)


def _process(info: dict[str, Any], starts: int, by_root: dict[int, list[int]]) -> Process:
    pid = int(info["pid"])
    memory, cpu = _usage(pid, by_root.get(pid, []))
    is_up = info["statename"] == "RUNNING"
    return Process(
        name=str(info["name"]),
        state=str(info["statename"]),
        pid=pid,
        up_s=max(0, int(info["now"]) - int(info["start"])) if is_up else 0,
        exit_status=int(info["exitstatus"]),
        restarts=max(0, starts - 1),
        memory_bytes=memory,
        cpu_percent=cpu,
    )


def _usage(pid: int, family: list[int]) -> tuple[int, float]:
    """(resident bytes with its children's, percent of a core since the last look)."""
    if not pid:
        return 0, 0.0
    try:
        process = _seen.setdefault(pid, psutil.Process(pid))
        return sum(map(_resident, family)), process.cpu_percent()
    except psutil.Error:
        return 0, 0.0


def _resident(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.NoSuchProcess:
        return 0  # it ended meanwhile
