"""Functions come second on this machine: on AWS they do not share one with the shop.

Each mapping is served by itself, so many functions may want the two cores at once; with the same
priority they left the emulator, and with it each shopper's request, a small share. And their cold
starts, each a second of a core, are made one by one before there is work for them: the first
orders of a fresh shop would else set off all of them at once.
"""

import logging
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

from ministack.core import lambda_runtime
from ministack.core.responses import _request_account_id, _request_region
from ministack.services import lambda_svc

log = logging.getLogger("workers")
_NICENESS = 10
_one_by_one = ThreadPoolExecutor(1, thread_name_prefix="warming")


def complete() -> None:
    """Call once, before ministack serves."""
    lambda_runtime.subprocess = SimpleNamespace(**vars(subprocess) | {"Popen": _started})


def end() -> None:
    """None outlives the emulator: a busy one would ask it, gone, for each message of its batch."""
    _one_by_one.shutdown(cancel_futures=True)
    lambda_runtime.reset()


def warm(account: str, region: str, function: str) -> None:
    """Have a worker of this function started soon; a batch that comes meanwhile waits for it."""
    _one_by_one.submit(_warm, account, region, function)


def _warm(account: str, region: str, function: str) -> None:
    _request_account_id.set(account)
    _request_region.set(region)
    try:
        record, config = lambda_svc._get_func_record_for_qualifier(function, None)
        worker = lambda_runtime.get_or_create_worker(function, config, record["code_zip"])
        lambda_runtime.ensure_spawned(worker)
    except Exception:
        log.exception("%s could not be started ahead: its first batch tries again", function)


def _started(*arguments: Any, **options: Any) -> "subprocess.Popen[str]":
    process = subprocess.Popen(*arguments, **options)
    os.setpriority(os.PRIO_PROCESS, process.pid, _NICENESS)
    return process
