"""`python -m iac.local.emulator`: ministack, with a state that survives.

By itself ministack writes its state only when asked to stop, service after service while its
pollers go on, and leaves out the records of the tables' streams. After a restart it then skips as
many new records as it had handed out before: orders would be placed and never heard of. Here

- a forked child writes the state: one consistent moment, at the lowest priority, without a pause;
- it does so on stop, on SIGUSR1, and every `HAS_SNAPSHOT_S` seconds in which there was work
  (0: never), so that a `kill -9` loses what happened since, and no more;
- the stream records that some mapping has still to see are part of it.
"""

import copy
import gc
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from ministack import app as ministack
from ministack.core import persistence
from ministack.services import dynamodb, lambda_svc

from iac.local.emulator import (
    cloudwatch,
    expressions,
    items,
    kinesis_records,
    mappings,
    quick_json,
    serving,
    workers,
)

log = logging.getLogger("snapshot")
_CHILD_TIMEOUT_S = 120.0
# Less than this is the idle pollers' own; a quiet shop is not written again and again.
_IDLE_CPU_SHARE = 0.05
_NEVER = 2**31 - 1
# A request gives the interpreter up a dozen times. With Python's 5 ms, each thread that computes
# for a function meanwhile takes that long before the request goes on.
_SWITCH_S = 0.001
GetState = Callable[[], dict[str, Any]]
State = dict[str, GetState]


def main() -> None:
    # The oldest generation is gigabytes of state: a walk through it stops every request for
    # seconds, and finds nothing. What is young is collected as ever.
    gc.set_threshold(*gc.get_threshold()[:2], _NEVER)
    sys.setswitchinterval(_SWITCH_S)
    _keep_stream_records()
    cloudwatch.complete()
    expressions.remember()
    items.complete()
    kinesis_records.complete()
    mappings.complete()
    quick_json.complete()
    serving.complete()
    workers.complete()
    saver = Saver()
    ministack.save_all = lambda services: saver.save(services, is_last=True)
    asked = threading.Event()
    signal.signal(signal.SIGUSR1, lambda *_: asked.set())
    every_s = float(os.environ.get("HAS_SNAPSHOT_S", "300")) or None
    threading.Thread(target=_snapshots, args=(saver, asked, every_s), daemon=True).start()
    try:
        ministack.main()
    finally:
        workers.end()


def _snapshots(saver: "Saver", asked: threading.Event, every_s: float | None) -> None:
    written_at, cpu_then = time.monotonic(), time.process_time()
    while True:
        was_asked = asked.wait(every_s)
        asked.clear()
        share = (time.process_time() - cpu_then) / max(1.0, time.monotonic() - written_at)
        if was_asked or share > _IDLE_CPU_SHARE:
            saver.save(ministack._build_persistence_save_dict())
            written_at, cpu_then = time.monotonic(), time.process_time()


class Saver:
    """Writes the state in a forked child, one at a time."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._is_stopping = False

    def save(self, services: State, *, is_last: bool = False) -> None:
        """Returns when it is written. The last save does not wait for one under way: it ends it."""
        self._is_stopping = self._is_stopping or is_last
        with self._turn:
            started = time.monotonic()
            child = os.fork()
            if child == 0:
                _save_and_exit(services, niceness=0 if is_last else 10)
            while time.monotonic() - started < _CHILD_TIMEOUT_S:
                done, status = os.waitpid(child, os.WNOHANG)
                if done:
                    log.info("state saved in %.1f s, code %d", time.monotonic() - started, status)
                    return
                if self._is_stopping and not is_last:
                    break
                time.sleep(0.05)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            log.warning("a save was given up; what was saved before stays")


def _save_and_exit(services: State, niceness: int) -> None:
    code = 1
    gc.disable()
    # Nobody else lives in this process, so its memory need not be copied once more to be safe
    # from change; and one call of the C encoder is ten times faster than its Python generator.
    copying: Any
    for copying in (copy, dynamodb.copy):
        copying.deepcopy = _itself
    writing: Any = json
    writing.dump = _dump_at_once
    try:
        # The port must be free for a successor, should the parent be killed meanwhile.
        os.closerange(3, 65_536)
        os.nice(niceness)
        kinesis_records.forget_old()
        persistence.save_all(services)
        code = 0
    finally:
        os._exit(code)


def _itself(value: Any, memo: Any = None) -> Any:
    return value


def _dump_at_once(value: Any, file: Any, **options: Any) -> None:
    file.write(json.dumps(value, **options))


def _keep_stream_records() -> None:
    """Make the streams' unread records, and where they begin, part of DynamoDB's state."""
    get_tables: GetState = dynamodb.get_state
    load_tables: Callable[[dict[str, Any]], None] = dynamodb.load_persisted_state

    def get_state() -> dict[str, Any]:
        records, trimmed = _unread()
        return get_tables() | {"stream_records": records, "stream_trimmed": trimmed}

    def load_state(state: dict[str, Any]) -> None:
        load_tables(state)
        dynamodb._stream_records.update(state.get("stream_records") or {})
        dynamodb._stream_trimmed.update(state.get("stream_trimmed") or {})

    dynamodb.get_state = get_state
    dynamodb.load_persisted_state = load_state


def _unread() -> tuple[Any, Any]:
    """(records by table, count of records before them by table), both scoped by account.

    A stream begins where the mapping that is furthest behind stands; without a mapping it is empty.
    """
    scoped = type(dynamodb._stream_records)
    records, trimmed = scoped(), scoped()
    for (account, region, table), live in list(dynamodb._stream_records._data.items()):
        first = dynamodb._trimmed_count(table, account, region)
        end = first + len(live)
        begin = min([end, *_positions(account, region, table, first)])
        records.set_scoped(account, region, table, live[begin - first :])
        trimmed.set_scoped(account, region, table, begin)
    return records, trimmed


def _positions(account: str, region: str, table: str, first: int) -> list[int]:
    """Where each mapping of the table's stream stands, never before `first`."""
    found = []
    for (at_account, at_region, uuid), mapping in list(lambda_svc._esms._data.items()):
        is_here = (at_account, at_region) == (account, region)
        if is_here and f":table/{table}/stream/" in mapping.get("EventSourceArn", ""):
            positions = lambda_svc._dynamodb_stream_positions
            position = positions.get_scoped(account, region, uuid)
            if position is None and mapping.get("StartingPosition") == "TRIM_HORIZON":
                position = first
            if position is not None:
                found.append(max(first, int(position)))
    return found


if __name__ == "__main__":
    main()
