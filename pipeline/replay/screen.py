"""What a replay prints: a live bar on a terminal, plain lines elsewhere, and the accounting."""

import polars as pl
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from pipeline.replay.check import Check, log_figures
from pipeline.replay.files import QUARANTINED
from pipeline.replay.notes import Note, faults_of
from pipeline.replay.service import Progress as Run

_PLAIN_EVERY_S = 5.0
_MONEY = ("gross", "refunds")


class Screen:
    """Draws the progress of a run; use as a context manager."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = Progress(
            TextColumn("{task.fields[status]:<12}"),
            BarColumn(bar_width=32),
            TextColumn("{task.completed:>9,.0f} / {task.total:,.0f} rows"),
            TextColumn("{task.fields[rate]:>7,.0f} rows/s · lag {task.fields[lag]:,} rows"),
            TimeElapsedColumn(),
            console=console,
        )
        self._task = self._bar.add_task("", total=0, status="", rate=0, lag=0)
        self._printed_at, self._printed_status = -_PLAIN_EVERY_S, ""

    def __enter__(self) -> "Screen":
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._bar.stop()

    def show(self, run: Run) -> None:
        status = run.status.replace("_", " ")
        if self._console.is_terminal:
            self._bar.update(
                self._task, total=run.rows_total, completed=run.rows_done,
                status=status, rate=run.rows_per_s, lag=run.lag_rows,
            )  # fmt: skip
        elif run.status != self._printed_status or run.seconds - self._printed_at > _PLAIN_EVERY_S:
            self._printed_at, self._printed_status = run.seconds, run.status
            self._console.print(
                f"{run.seconds:6.0f} s  {status}: {run.rows_sent:,} rows sent, {run.rows_done:,} "
                f"of {run.rows_total:,} landed and folded, {run.rows_per_s:,.0f} rows/s, "
                f"lag {run.lag_rows:,} rows"
            )


def accounting(log: pl.DataFrame, currency: str) -> Table:
    """Every row of the log in exactly one class."""
    counted: dict[str, int] = dict(log.group_by("fate").len().iter_rows())
    figures = log_figures(log)
    table = Table("rows", "class", "what they are", title="Accounting of the log")
    table.columns[0].justify = "right"
    sold, back = (_money(figures[name], currency) for name in _MONEY)
    table.add_row(
        f"{figures['sale lines']:,}", "sale lines",
        f"{figures['orders']:,} orders, {sold}, {figures['countries']} countries, "
        f"{figures['customers']:,} known customers",
    )  # fmt: skip
    table.add_row(
        f"{figures['refund lines']:,}", "refund lines",
        f"{figures['credit notes']:,} credit notes, {back}",
    )  # fmt: skip
    for fate in QUARANTINED:
        if counted.get(fate):
            table.add_row(f"{counted[fate]:,}", "quarantined", fate)
    for fault, rows in faults_of(log).items():
        table.add_row(f"{rows:,}", "  of which", fault, style="dim")
    table.add_section()
    total = sum(counted.values())
    mark = "=" if total == log.height else "≠"
    table.add_row(f"{total:,}", "total", f"{mark} {log.height:,} rows of the file")
    return table


def oddities(notes: list[Note]) -> Table:
    """What is odd and stands all the same; rows may be named more than once."""
    table = Table("rows", "what", title="Odd, and booked all the same")
    table.columns[0].justify = "right"
    for what, rows in notes:
        table.add_row("all" if rows is None else f"{rows:,}", what)
    return table


def verdicts(checks: list[Check], currency: str) -> Table:
    table = Table("", "check", "left", "right", "", title="End to end")
    for column in table.columns[2:4]:
        column.justify = "right"
    for check in checks:
        mark = {True: "[green]✓[/]", False: "[red]✗[/]", None: "–"}[check.is_ok]
        is_money = check.name.endswith(_MONEY)
        left, right = (
            _money(value, currency) if is_money and value is not None else _number(value)
            for value in (check.left, check.right)
        )
        table.add_row(mark, check.name, left, right, check.detail)
    return table


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else ("" if value is None else str(value))


def _money(minor: int, currency: str) -> str:
    sign = "-" if minor < 0 else ""
    return f"{currency} {sign}{abs(minor) // 100:,}.{abs(minor) % 100:02d}"
