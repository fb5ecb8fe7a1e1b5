"""Is it well: health URLs, ports and who holds them."""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx
import psutil

from iac.local.ports import HOST, Addresses


def is_healthy(url: str, timeout_s: float = 3.0) -> bool:
    try:
        # `verify=False`: plain HTTP, and to read all the world's certificates takes longer.
        answer = httpx.get(url, timeout=timeout_s, trust_env=False, verify=False)
        return answer.status_code == 200
    except httpx.HTTPError:
        return False


def wait_healthy(
    urls: dict[str, str],
    timeout_s: float,
    has_given_up: Callable[[str], bool],
) -> list[str]:
    """Wait until every URL answers 200.

    Args: `urls` by program; `has_given_up` says that a program will not come up any more.
    Returns: the programs that are not healthy: none when all went well.
    """
    deadline = time.monotonic() + timeout_s
    waiting = dict(urls)
    with ThreadPoolExecutor(max(1, len(urls))) as pool:
        while waiting:
            answers = dict(zip(waiting, pool.map(is_healthy, waiting.values()), strict=True))
            waiting = {name: url for name, url in waiting.items() if not answers[name]}
            failed = [name for name in waiting if has_given_up(name)]
            if failed or (waiting and time.monotonic() > deadline):
                return failed or list(waiting)
            if waiting:
                time.sleep(0.1)
    return []


@dataclass(frozen=True, slots=True)
class Taken:
    """A port of ours that somebody else listens on."""

    program: str
    port: int
    holder: str


def taken_ports(at: Addresses, programs: Iterable[str]) -> list[Taken]:
    """The ports of these programs on which something listens now, with who it is."""
    wanted = {port: name for name, port in at.all_ports() if name in set(programs)}
    listeners = {
        connection.laddr.port: connection.pid
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
        and connection.laddr.ip in (HOST, "0.0.0.0", "::")
    }
    return [
        Taken(name, port, _describe(listeners[port]))
        for port, name in wanted.items()
        if port in listeners
    ]


def _describe(pid: int | None) -> str:
    if pid is None:
        return "a process of another user"
    try:
        command = " ".join(psutil.Process(pid).cmdline())
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        command = "unknown"
    return f"pid {pid}: {command[:120]}"
