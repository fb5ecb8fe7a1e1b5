"""Functions come second on this machine: on AWS they do not share one with the shop.

Each mapping is served by itself, so many functions may want the two cores at once; with the same
priority they left the emulator, and with it each shopper's request, a small share.
"""

import os
import subprocess
from types import SimpleNamespace
from typing import Any

from ministack.core import lambda_runtime

_NICENESS = 10


def complete() -> None:
    """Call once, before ministack serves."""
    lambda_runtime.subprocess = SimpleNamespace(**vars(subprocess) | {"Popen": _started})


def _started(*arguments: Any, **options: Any) -> "subprocess.Popen[str]":
    process = subprocess.Popen(*arguments, **options)
    os.setpriority(os.PRIO_PROCESS, process.pid, _NICENESS)
    return process
