"""Long work that a person starts: a process group of its own, its output in `<state>/log`.

It goes on when the page is left, and when the console ends. That one runs at a time, over all
consoles, is seen to by the program's own lease in the ops table.
"""

import os
import subprocess
import sys
from dataclasses import dataclass, field

from console.settings import ROOT, settings


@dataclass(slots=True)
class Program:
    """`python -m <module>`; `fine` are the exit codes after which it has told its result itself."""

    name: str
    module: str
    fine: tuple[int, ...] = (0,)
    failed: int | None = None
    _process: "subprocess.Popen[bytes] | None" = field(default=None)

    def start(self, *arguments: str) -> None:
        folder = settings().state_dir / "log"
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"{self.name}.log").open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self.module, *arguments],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "160"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def has_ended(self) -> bool:
        """Once after each end; how it went is in `failed` then."""
        if self._process is None or (code := self._process.poll()) is None:
            return False
        self._process = None
        self.failed = None if code in self.fine else code
        return True

    def last_words(self, lines: int = 6) -> str:
        path = settings().state_dir / "log" / f"{self.name}.log"
        text = path.read_text(errors="replace") if path.exists() else ""
        return "\n".join(text.splitlines()[-lines:])


# 1 says that something differs or does not hold, which the result itself shows.
PROOF = Program("prove", "loadgen.probe", (0, 1))
RECONCILIATION = Program("reconcile", "pipeline.reconciliation", (0, 1))
REBUILD = Program("rebuild", "pipeline.rebuild")
