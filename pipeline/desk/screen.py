"""Tables and texts of the desk's command line."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from pipeline.contracts.events import to_iso_z
from pipeline.desk import figures
from pipeline.desk.counting import Count
from pipeline.desk.domain import Balance, Case, State, groups
from pipeline.desk.failures import ADVICE, failure_of
from pipeline.desk.masking import shown, words
from pipeline.desk.service import Preview
from pipeline.desk.transforms import TRANSFORMS

MAX_LISTED = 50


def show_groups(console: Console, cases: Sequence[Case]) -> None:
    table = Table(Column("place", overflow="fold"), Column("cause", overflow="fold"),
                  title="Set aside, by cause")  # fmt: skip
    for name in ("open", "redriven", "discarded", "oldest open", "newest open"):
        table.add_column(name, justify="right")
    for group in groups(cases):
        redriven, discarded = (group.by_state.get(s, 0) for s in (State.REDRIVEN, State.DISCARDED))
        when = [to_iso_z(at)[:19] + "Z" if at else "" for at in (group.oldest, group.newest)]
        table.add_row(group.place, escape(group.cause), f"{group.open:,}", f"{redriven:,}",
                      f"{discarded:,}", *when)  # fmt: skip
    console.print(table if table.row_count else "Nothing was ever set aside.")


def show_cases(console: Console, cases: Sequence[Case]) -> None:
    table = Table("case", "state", "arrived", "source", "event", "detail")
    for case in cases[:MAX_LISTED]:
        table.add_row(
            case.case_id, case.state.value, to_iso_z(case.at)[:19] + "Z", escape(case.source),
            escape(words(case.event_id or "")), escape(words(case.detail)),
        )  # fmt: skip
    console.print(table)
    if len(cases) > MAX_LISTED:
        console.print(f"{len(cases) - MAX_LISTED:,} more are not shown.")


def show_case(console: Console, case: Case) -> None:
    often = "once" if case.times == 1 else f"{case.times:,} times, first"
    console.print(
        f"[bold]{case.case_id}[/] in {case.place}: {escape(case.cause)}, {case.state.value}, "
        f"arrived {often} at {to_iso_z(case.at)}"
    )
    console.print(escape(words(case.detail)))
    if case.place == "stream-failures":
        console.print(f"[yellow]{ADVICE[failure_of(case.body).kind]}")
    if row := case.row:
        steps = f" by {', '.join(row.steps)}" if row.steps else ""
        why = f": {row.reason}" if row.reason else ""
        console.print(escape(f"{row.state.value}{steps} at {to_iso_z(row.at)} by {row.by}{why}"))
    console.print(shown(case.body), markup=False, highlight=False)


def show_preview(console: Console, case: Case, preview: Preview) -> None:
    for line in preview.changes.splitlines():
        colour = {"+": "green", "-": "red"}.get(line[:1], "")
        console.print(f"[{colour}]{escape(line)}[/]" if colour else escape(line))
    verdict = f"[red]still refused: {escape(preview.fault)}" if preview.fault else "[green]accepted"
    console.print(f"{case.case_id}: {verdict}")


def show_count(console: Console, found: Count) -> None:
    table = Table(Column("hour (UTC)", no_wrap=True, min_width=13), "source",
                  title="received = landed + quarantined")  # fmt: skip
    names = ("received", "landed", "quarantined", "under_way", "missing")
    for name in names:
        table.add_column(name.replace("_", " "), justify="right")
    for line in found.lines:
        table.add_row(line.slot.hour, escape(line.slot.source),
                      *(f"{getattr(line, name):,}" for name in names))  # fmt: skip
    table.add_section()
    table.add_row("all", "", *(f"{found.total(name):,}" for name in names))
    console.print(table)
    console.print(f"received from {figures.RECEIVED_FROM}\nthe others from {figures.LAKE_FROM}")
    if found.both:
        console.print(f"{found.both:,} were quarantined at first, and landed when delivered again.")
    if found.is_cut:
        console.print("[yellow]The stream holds more than was read: these are the oldest.")
    for word, ids in (("in the stream, not in the lake", found.missing),
                      ("in the lake, not in the stream", found.extra)):  # fmt: skip
        if ids:
            console.print(f"[red]{len(ids):,} {word}: {', '.join(ids[:5])}")


def show_balances(console: Console, balances: Sequence[Balance]) -> None:
    table = Table("place", title="set aside = open + redriven + discarded")
    names = ("set_aside", "open", "redriven", "discarded")
    for name in names:
        table.add_column(name.replace("_", " "), justify="right")
    for one in balances:
        table.add_row(one.place, *(f"{getattr(one, name):,}" for name in names))
    console.print(table)
    console.print(f"set aside from {figures.FOUND_FROM}\nstates from {figures.ROWS_FROM}")
    for one in balances:
        if one.strays:
            console.print(f"[red]{one.place}: rows without a case: {', '.join(one.strays[:5])}")


def transforms_help() -> str:
    return "; ".join(
        f"{one.name}{f' ({one.takes})' if one.takes else ''}: {one.what}"
        for one in TRANSFORMS.values()
    )
