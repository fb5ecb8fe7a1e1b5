"""`python -m pipeline.rebuild`: every aggregate anew from the raw lake; then swap, or go back."""

import argparse
import sys

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from pipeline.contracts.errors import ShopError
from pipeline.rebuild import service, store
from pipeline.runtime import clock, generations, logs, terminal
from pipeline.runtime.landed import NotLanded
from pipeline.runtime.settings import RuntimeSettings

_REFUSALS = (
    generations.NotNow, generations.Moved, store.Lost, NotLanded, ShopError, BotoCoreError,
    ClientError,
)  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(prog="make rebuild", description=__doc__)
    parser.add_argument(
        "do", nargs="?", default="build", choices=["build", "swap", "roll-back", "discard", "show"]
    )
    parser.add_argument("--by", default="the command line", help="who asked for it")
    options = parser.parse_args()
    names = RuntimeSettings(service="rebuild").names
    logs.configure("WARNING")
    screen = terminal.console()
    try:
        if options.do == "build":
            _build(service.Rebuild(names, clock.new_id(), options.by, clock.now), screen)
        elif options.do == "swap":
            generations.swap(names)
        elif options.do == "roll-back":
            generations.roll_back(names)
        elif options.do == "discard":
            removed = service.discard(names, clock.new_id(), clock.now)
            screen.print(f"Removed {removed:,} items.")
    except _REFUSALS as error:
        screen.print(f"[red]✗[/] {escape(str(error) or type(error).__name__)}")
        return 1
    screen.print(_standing(generations.read(names)))
    return 0


def _build(rebuild: service.Rebuild, screen: Console) -> None:
    with Progress(console=screen, disable=not screen.is_terminal) as bar:
        tasks = {}

        def show(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage)
                if not screen.is_terminal:
                    screen.print(stage)
            bar.update(tasks[stage], completed=done, total=total or None)

        rebuild.on_progress = show
        facts = rebuild.run()
    screen.print(
        f"{facts.get('events', 0):,} events of the lake rebuilt; {facts['items']:,} items compared "
        f"with the live ones, {facts['differing']:,} differ."
    )
    if facts["examples"]:
        table = Table("item", "figure", "live", "rebuilt")
        for one in facts["examples"]:
            table.add_row(one["item"], one["attribute"], f"{one['live']:,}", f"{one['rebuilt']:,}")
        screen.print(table)


def _standing(now: generations.Generations) -> str:
    """How the generations stand, and what may be done next."""
    said = f"Read is generation {now.live}."
    follows = {
        "none": "",
        "building": f" {now.other} is unfinished: build again, or discard it.",
        "ready": f" {now.other} is ready: make rebuild DO=swap reads it from then on.",
        "kept": f" {now.other} is kept: make rebuild DO=roll-back goes back to it.",
    }
    return said + follows[now.state]


if __name__ == "__main__":
    sys.exit(main())
