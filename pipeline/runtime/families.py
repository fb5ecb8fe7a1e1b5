"""Which processes belong to a program: one look over all of them for as many programs as asked."""

from collections.abc import Iterable

import psutil


def families(roots: Iterable[int]) -> dict[int, list[int]]:
    """Pid of each root to the pids of its family: itself first, then all below it.

    `psutil.Process.children` reads every process of the machine for each root.
    """
    children: dict[int, list[int]] = {}
    for process in psutil.process_iter(["ppid"]):
        children.setdefault(int(process.info["ppid"] or 0), []).append(process.pid)
    found = {}
    for root in roots:
        family = [root]
        for member in family:
            family += children.get(member, [])
        found[root] = family
    return found
