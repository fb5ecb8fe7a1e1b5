"""The stack as an operator meets it: start, status, a lost replica, and who may reach it."""

import asyncio
import os
import signal
import socket
import threading
from collections import Counter
from typing import Any

import httpx
import psutil

from iac.local.health import is_healthy
from tests.conftest import Stack, wait_until

# The edge takes 128 at once, give or take what its threads let in at the same moment.
CROWD, REFUSED = 200, 50


def test_a_second_up_changes_nothing(stack: Stack) -> None:
    before = {name: info.pid for name, info in stack.supervisor.running().items()}
    done = stack.run("up")
    assert done.returncode == 0, done.stdout
    assert "created" not in done.stdout
    assert "filling" not in done.stdout
    assert {name: info.pid for name, info in stack.supervisor.running().items()} == before


def test_a_taken_port_is_named_with_its_holder(emulator: Stack) -> None:
    port = emulator.at.edge + 500
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", port))
        holder.listen()
        elsewhere = Stack(
            emulator.at,
            {"HAS_PORT_OFFSET": str(port - 8080), "HAS_STATE_DIR": "var/test-taken"},
            emulator.aws,
        )
        done = elsewhere.run("up")
    assert done.returncode == 1
    assert f"port {port} of edge" in done.stdout
    assert f"pid {os.getpid()}" in done.stdout


def test_status_fails_while_something_is_down(stack: Stack) -> None:
    assert stack.run("status").returncode == 0
    stack.supervisor.stop_program("xray")
    try:
        done = stack.run("status")
        assert done.returncode == 1
        assert any("xray" in line and "down" in line for line in done.stdout.splitlines())
    finally:
        stack.supervisor.start_program("xray")
    wait_until(stack.is_well)


def test_a_killed_replica_comes_back_and_no_read_fails(stack: Stack) -> None:
    answers: Counter[str] = Counter()
    is_over = threading.Event()

    def read() -> None:
        with stack.http() as http:
            while not is_over.is_set():
                try:
                    answers[str(http.get("/api/catalog/categories").status_code)] += 1
                except httpx.HTTPError as error:
                    answers[type(error).__name__] += 1

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    victim = stack.supervisor.running()["catalog-a"].pid
    try:
        wait_until(lambda: answers["200"] > 50)
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: _is_back(stack, victim))
    finally:
        is_over.set()
        for reader in readers:
            reader.join()
    assert set(answers) == {"200"}, answers
    assert stack.supervisor.unwanted_ends()["catalog-a"] >= 1


def test_nothing_listens_outside_this_machine(stack: Stack) -> None:
    listening = [found for member in stack.processes() for found in _listening(member)]
    assert {port for _, (_, port) in listening} >= {stack.at.edge, stack.at.emulator}
    outside = [found for found in listening if found[1].ip != "127.0.0.1"]
    assert outside == []


def _listening(member: psutil.Process) -> list[tuple[str, Any]]:
    try:
        return [
            (member.name(), connection.laddr)
            for connection in member.net_connections("inet")
            if connection.status in (psutil.CONN_LISTEN, psutil.CONN_NONE) and connection.laddr
        ]
    except psutil.NoSuchProcess:  # what has ended listens nowhere
        return []


def _is_back(stack: Stack, old_pid: int) -> bool:
    info = stack.supervisor.running()["catalog-a"]
    url = f"{stack.at.url(stack.at.zone_a)}/api/catalog/readyz"
    return info.pid not in (0, old_pid) and is_healthy(url)


def test_beyond_what_a_service_can_take_the_edge_refuses_at_once_and_says_when_to_come_back(
    stack: Stack,
) -> None:
    running = stack.supervisor.running()
    stuck = [psutil.Process(running[f"analytics-{zone}"].pid) for zone in "ab"]

    async def crowd() -> list[httpx.Response]:
        limits = httpx.Limits(max_connections=CROWD)
        async with httpx.AsyncClient(
            base_url=stack.edge_url, timeout=20, trust_env=False, limits=limits
        ) as http:
            coming = [
                asyncio.create_task(http.get("/api/analytics/freshness")) for _ in range(CROWD)
            ]
            refused: list[httpx.Response] = []
            for answer in asyncio.as_completed(coming):
                refused.append(await answer)
                if len(refused) == REFUSED:
                    break
            for process in stuck:
                process.resume()
            await asyncio.gather(*coming)
        return refused

    try:
        for process in stuck:
            process.suspend()
        refused = asyncio.run(crowd())
    finally:
        for process in stuck:
            process.resume()
    assert {(each.status_code, each.headers.get("retry-after")) for each in refused} == {(503, "1")}
    wait_until(stack.is_well)
