"""Runs a person's query in a process of its own, and stops it: by time, by memory or by hand."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any, Literal

import polars as pl
import psutil

from console.queries.explore_rows import read_rows
from console.settings import ROOT, settings
from pipeline.runtime import logs
from pipeline.runtime.clock import now

Kind = Literal["done", "sql", "refused", "timeout", "memory", "cancelled", "lake", "failed"]
ROW_LIMITS = (1_000, 10_000, 100_000)
TIME_LIMITS_S = (5, 10, 30, 60)
MAX_SQL = 20_000
# Both cores busy with queries would be felt in the shop.
_AT_ONCE = threading.BoundedSemaphore(2)
_LOADING_S = 60
_GRACE_S = 5
log = logs.get_logger()


class Busy(Exception):
    """Too many queries run already; the text is for the person."""


@dataclass(frozen=True, slots=True)
class Request:
    """`since` inclusive, `until` exclusive, UTC."""

    sql: str
    since: date
    until: date
    row_limit: int = 10_000
    time_limit_s: int = 10


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a query ended. `frame` is there when `kind` is `done`, else `message` says why.

    `considered`: rows of each table it read, in the range; `facts`: seconds, files and bytes.
    """

    kind: Kind
    seconds: float
    message: str = ""
    frame: pl.DataFrame | None = None
    is_cut: bool = False
    considered: dict[str, int] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


def memory_limit_mb() -> int:
    """A quarter of the machine, at most half a gigabyte: the shop runs beside it."""
    return int(min(512, psutil.virtual_memory().total / 4 / 1_000_000))


class Run:
    """A query under way; `outcome` is None until it has ended."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.started_at = now()
        self.outcome: Outcome | None = None
        self.phase = "Starting"
        self._began = monotonic()
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self._is_cancelled = False

    @property
    def seconds(self) -> float:
        return self.outcome.seconds if self.outcome else monotonic() - self._began

    def cancel(self) -> None:
        self._is_cancelled = True
        self._kill()

    def execute(self) -> Outcome:
        """Blocks until the end, which comes within the limits; never raises."""
        try:
            with TemporaryDirectory(prefix="explore-") as folder:
                self.outcome = self._execute(Path(folder))
        except Exception as error:  # the thread's edge: nobody else would hear of it
            log.error("explore.failed", exc_info=error)
            self.outcome = Outcome("failed", self.seconds, "The query could not be started.")
        return self.outcome

    def _execute(self, folder: Path) -> Outcome:
        errors = folder / "stderr"
        with errors.open("w") as stderr, self._lock:
            self._process = process = subprocess.Popen(
                [sys.executable, "-m", "console.queries.explore_worker"],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                start_new_session=True,
            )
        if self._is_cancelled:
            self._kill()
        # The worker ends itself in time; this is for one that cannot even do that.
        last = threading.Timer(_LOADING_S + self.request.time_limit_s + _GRACE_S, self._kill)
        last.start()
        try:
            answer = self._converse(process, folder)
            with self._lock:
                code = process.wait(_GRACE_S)
        finally:
            last.cancel()
            self._kill()
        return self._outcome(answer, code, folder)

    def _converse(self, process: "subprocess.Popen[str]", folder: Path) -> dict[str, Any]:
        """The worker's last line; empty when it ended without one."""
        assert process.stdin
        assert process.stdout
        document = {
            "sql": self.request.sql,
            "since": self.request.since.isoformat(),
            "until": self.request.until.isoformat(),
            "row_limit": self.request.row_limit,
            "time_limit_s": self.request.time_limit_s,
            "memory_mb": memory_limit_mb(),
            "folder": str(folder),
            "cache": str((settings().state_dir / "explore").resolve()),
        }
        answer: dict[str, Any] = {}
        try:
            with process.stdin as stdin:
                stdin.write(json.dumps(document))
        except BrokenPipeError:
            return answer
        with process.stdout as lines:
            for line in lines:
                answer = json.loads(line)
                self.phase = answer.pop("phase", self.phase)
        return answer

    def _outcome(self, answer: dict[str, Any], code: int, folder: Path) -> Outcome:
        kind: Kind = answer.pop("kind", "failed")
        if kind == "done":
            frame = read_rows(folder / "result.arrow")
            cut, considered = answer.pop("is_cut"), answer.pop("considered")
            return Outcome(kind, self.seconds, "", frame, cut, considered, answer)
        message = str(answer.get("message", ""))
        if self._is_cancelled:
            kind, message = "cancelled", "You cancelled it."
        elif code == -signal.SIGALRM and self.phase == "Running":
            kind, message = "timeout", f"It was stopped after {self.request.time_limit_s} s."
        elif code == -signal.SIGALRM:
            kind, message = "lake", f"reading took longer than {_LOADING_S} s"
        elif kind == "failed" and self.phase == "Running":
            # Refused memory below DuckDB's own accounting, a native library just aborts.
            kind = "memory"
        if kind == "failed":
            trace = (folder / "stderr").read_text(errors="replace")
            log.error("explore.worker_failed", exit_code=code, stderr=trace[-4000:])
        return Outcome(kind, self.seconds, message)

    def _kill(self) -> None:
        """SIGKILL to the worker and whatever it started; harmless after its end."""
        with self._lock:
            if self._process and self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGKILL)


def start(request: Request, when_done: Callable[[Outcome], None]) -> Run:
    """Runs it in the background; `when_done` is called once, in that thread. Raises Busy."""
    if not _AT_ONCE.acquire(blocking=False):
        raise Busy("Two queries run already on this console. Try again in a few seconds.")
    run = Run(request)

    def work() -> None:
        try:
            when_done(run.execute())
        finally:
            _AT_ONCE.release()

    threading.Thread(target=work, name="explore", daemon=True).start()
    return run
