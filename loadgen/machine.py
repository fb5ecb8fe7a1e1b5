"""The machine under load: its processor, each process's share, and what Envoy itself counted."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import httpx
import psutil

from pipeline.runtime import supervisor_rpc
from pipeline.runtime.families import families

_LOOK_AGAIN_S = 5
_TIMEOUT_S = 3
_SHOWN_SHARE = 0.05
_COUNTED = r"^http\.edge\.downstream_rq_(total|[1-5]xx)$"


class Processor:
    """Percent of all cores: of the host, and of each of supervisor's programs with its children."""

    def __init__(self, socket: Path | None) -> None:
        self._socket = socket
        self._families: dict[str, list[psutil.Process]] = {}
        self._spent: dict[int, float] = {}
        self._own = psutil.Process()
        self._looks = 0
        self._cores = psutil.cpu_count() or 1
        psutil.cpu_percent()

    def sample(self, elapsed_s: float) -> tuple[float, dict[str, float]]:
        """(host, by program); `elapsed_s` since the last sample. The first knows no shares."""
        if self._looks % _LOOK_AGAIN_S == 0:
            self._families = dict(self._find_families())
        self._looks += 1
        host = psutil.cpu_percent()
        shares: dict[str, float] = {}
        seen: dict[int, float] = {}
        for name, members in self._families.items():
            used = 0.0
            for member in members:
                with suppress(psutil.Error):
                    times = member.cpu_times()
                    seen[member.pid] = times.user + times.system
                    used += max(
                        0.0, seen[member.pid] - self._spent.get(member.pid, seen[member.pid])
                    )
            share = used / elapsed_s / self._cores * 100 if elapsed_s else 0.0
            if share >= _SHOWN_SHARE:
                shares[name] = round(share, 1)
        self._spent = seen
        return host, shares

    def _find_families(self) -> Iterator[tuple[str, list[psutil.Process]]]:
        yield "load generator", [self._own]
        programs = self._pids()
        by_root = families(pid for _, pid in programs)
        for name, pid in programs:
            found = []
            for member in by_root[pid]:
                with suppress(psutil.Error):
                    found.append(psutil.Process(member))
            yield name, found

    def _pids(self) -> list[tuple[str, int]]:
        """None where no supervisor answers, as on an instance of AWS."""
        if self._socket is None or not self._socket.exists():
            return []
        try:
            with supervisor_rpc.connect(self._socket, _TIMEOUT_S) as rpc:
                infos: list[dict[str, Any]] = rpc.supervisor.getAllProcessInfo()  # type: ignore[assignment]
        except supervisor_rpc.SILENT:
            return []
        return [(str(info["name"]), int(info["pid"])) for info in infos if info["pid"]]


def read_envoy(admin_url: str | None) -> dict[str, int] | None:
    """Envoy's counters of the requests that clients made of the edge; None where there is none."""
    if admin_url is None:
        return None
    try:
        answer = httpx.get(
            f"{admin_url}/stats",
            params={"format": "json", "filter": _COUNTED},
            timeout=5,
            trust_env=False,
        )
        stats = answer.raise_for_status().json()["stats"]
    except (httpx.HTTPError, ValueError, KeyError):
        return None
    return {str(stat["name"]).rpartition("_rq_")[2]: int(stat["value"]) for stat in stats}


class AccessLog:
    """Counts this run's requests in Envoy's access log as it grows: Envoy's counters do not tell
    one client from another, the log does."""

    def __init__(self, path: Path | None, prefix: str) -> None:
        self._path = path
        self._wanted = re.compile(rb'"correlation_id":"' + re.escape(prefix.encode()) + rb"\d")
        self._file: BinaryIO | None = None
        self._rest = b""
        self.requests = 0
        if path is not None and path.exists():
            self._file = path.open("rb")
            self._file.seek(0, 2)

    @property
    def is_known(self) -> bool:
        return self._file is not None

    def read(self) -> int:
        """Requests of the run so far."""
        if self._file is None or self._path is None:
            return 0
        self._count()
        with suppress(OSError):
            # Rotated: what came into the old file is counted, then the new one is read.
            if self._path.stat().st_ino != _inode(self._file):
                self._count()
                self._file.close()
                self._file = self._path.open("rb")
                self._count()
        return self.requests

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _count(self) -> None:
        assert self._file is not None
        while block := self._file.read(1 << 20):
            whole, newline, self._rest = (self._rest + block).rpartition(b"\n")
            self.requests += len(self._wanted.findall(whole + newline))


def _inode(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_ino
