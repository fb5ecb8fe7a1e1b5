"""What the commands print."""

import time
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table

from iac.local.health import Taken
from iac.local.topology import Outcome

out = Console(highlight=False, soft_wrap=True)
_STARTED = time.monotonic()


def progress(text: str) -> None:
    """A line with the seconds since the command began."""
    out.print(f"[dim]{time.monotonic() - _STARTED:5.1f} s[/dim]  {text}")


def outcomes(results: list[Outcome]) -> None:
    """One line of counts, then each resource that was created, changed or left out."""
    counts = Counter(result.change for result in results)
    progress("topology: " + ", ".join(f"{n} {change}" for change, n in counts.most_common()))
    for result in results:
        if result.change in ("changed", "skipped"):
            detail = f" ({result.detail})" if result.detail else ""
            out.print(f"         {result.change} {result.kind} {result.name}{detail}")


def taken(found: list[Taken]) -> None:
    for port in found:
        out.print(f"[red]port {port.port} of {port.program} is taken[/red] by {port.holder}")
    out.print("Stop that process, or move this stack: HAS_PORT_OFFSET=1000 make up")


def failure(name: str, log: Path, why: str, lines: int = 20) -> None:
    """Name the program, and show the end of its log."""
    out.print(f"[red]{name} {why}[/red]; the end of {log}:")
    tail = log.read_text(errors="replace").splitlines()[-lines:] if log.exists() else []
    for line in tail or ["(empty)"]:
        out.print(f"  {line}", markup=False)
    out.print("What did start is left running to be looked at: make status, make logs, make down")


def table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    drawn = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for column in columns:
        drawn.add_column(column, no_wrap=True)
    for row in rows:
        drawn.add_row(*row)
    out.print(drawn)
