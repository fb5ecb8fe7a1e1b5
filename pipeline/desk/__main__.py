"""`python -m pipeline.desk`: rejected events and dead letters, to look at, mend, send on, discard.

`make desk DO="list"`. Every action is an entry of the audit log.
"""

import argparse
import getpass
import sys
import time
from collections.abc import Callable, Sequence
from datetime import timedelta

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.markup import escape

from pipeline.contracts.names import Names
from pipeline.desk import figures, screen
from pipeline.desk.domain import PLACES, Case, Progress
from pipeline.desk.service import DEFAULT_RATE_PER_S, Act, Busy, Desk
from pipeline.desk.store import OpsLedger, audited
from pipeline.desk.transforms import NotMendable
from pipeline.runtime import clock, logs, terminal
from pipeline.runtime.settings import RuntimeSettings
from pipeline.runtime.terminal import whole_number

_PREVIEWS = 3
_SHORTEST_ID = 6


class Usage(ValueError):
    """What was asked for makes no sense; the text says why."""


class Program:
    def __init__(self, names: Names, options: argparse.Namespace, console: Console) -> None:
        self._names, self._options, self._console = names, options, console
        self._ledger = OpsLedger(names, clock.now)
        since = options.days and (clock.now() - timedelta(days=options.days)).date()
        self._places = figures.places_of(names, clock.now, since or None)
        self._desk = Desk(self._places, self._ledger, clock.now, time.sleep)

    def run(self) -> int:
        code: int = getattr(self, f"_{self._options.command}")()
        return code

    def _list(self) -> int:
        options, found = self._options, self._found()
        screen.show_groups(self._console, found)
        if options.cause or options.cases:
            wanted = [case for case in self._named(found) if case.is_open or options.all]
            screen.show_cases(self._console, wanted[: options.limit or None])
        return 0

    def _show(self) -> int:
        for case in self._chosen(only_open=False)[: screen.MAX_LISTED]:
            screen.show_case(self._console, case)
        return 0

    def _fix(self) -> int:
        cases, steps = self._chosen(), self._options.step
        if not self._options.apply:
            previews = [self._desk.preview(case, steps) for case in cases]
            for case, preview in list(zip(cases, previews, strict=True))[:_PREVIEWS]:
                screen.show_preview(self._console, case, preview)
            mended = sum(not preview.fault for preview in previews)
            self._console.print(
                f"Nothing was changed. --apply would mend {mended:,} of {len(cases):,} cases."
            )
            return 0
        return self._act("desk.fix", cases, "mended", lambda act: self._desk.fix(cases, steps, act))

    def _redrive(self) -> int:
        cases, rate = self._chosen(), self._options.rate

        def tell(progress: Progress) -> None:
            self._console.print(progress.sentence("redriven"), markup=False)

        return self._act("desk.redrive", cases, "redriven",
                         lambda act: self._desk.redrive(cases, act, rate, tell))  # fmt: skip

    def _discard(self) -> int:
        cases, reason = self._chosen(), self._options.reason
        return self._act("desk.discard", cases, "discarded",
                         lambda act: self._desk.discard(cases, reason, act))  # fmt: skip

    def _count(self) -> int:
        records = figures.count_records(self._names, clock.now, self._options.hours)
        balances = [figures.count_place(self._ledger, place) for place in self._places]
        screen.show_count(self._console, records)
        screen.show_balances(self._console, balances)
        adds_up = records.adds_up and all(one.adds_up for one in balances)
        what = "What was read" if records.is_cut else "Everything"
        self._console.print(f"[green]{what} adds up." if adds_up else "[red]It does not add up.")
        return 0 if adds_up else 1

    def _act(
        self, action: str, cases: Sequence[Case], verb: str, do: Callable[[Act], Progress]
    ) -> int:
        options = self._options
        target = f"{len(cases)} of {cases[0].place}, {options.cause or cases[0].case_id}"
        with audited(
            self._names, clock.now, clock.new_id, options.by, action, target
        ) as (entry_id, said):  # fmt: skip
            progress = do(Act(options.by, entry_id))
            said.append(progress.sentence(verb) + self._words())
        self._console.print(progress.sentence(verb), markup=False)
        for case_id, why in list(progress.refused.items())[: screen.MAX_LISTED]:
            self._console.print(f"[red]{case_id}[/]: {escape(why)}")
        return 1 if progress.refused else 0

    def _words(self) -> str:
        options = self._options
        given = getattr(options, "reason", "") or ", ".join(getattr(options, "step", None) or [])
        return f"; {given}" if given else ""

    def _found(self) -> list[Case]:
        places = [self._options.place] if self._options.place else list(PLACES)
        return [case for place in places for case in self._desk.cases(place)]

    def _chosen(self, only_open: bool = True) -> list[Case]:
        """The cases that the options name. Raises Usage when that is none, or not clear."""
        options = self._options
        if not options.cases and not options.place:
            raise Usage("Name the cases, or --place (and --cause).")
        found = self._named(self._found())
        found = [case for case in found if case.is_open or case.is_here or not only_open]
        if only_open and not any(case.is_open for case in found):
            raise Usage("No open case is like that.")
        return found[: options.limit or None]

    def _named(self, found: list[Case]) -> list[Case]:
        """Of these, the ones with the ids and the cause that the options name."""
        if self._options.cases:
            found = [_by_id(found, given) for given in self._options.cases]
        cause = self._options.cause
        return [case for case in found if not cause or case.cause == cause]


def _by_id(cases: Sequence[Case], given: str) -> Case:
    found = [case for case in cases if case.case_id.startswith(given)]
    if len(given) < _SHORTEST_ID or len(found) != 1:
        raise Usage(f"{given!r} names {len(found)} cases; give more of the id.")
    return found[0]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m pipeline.desk", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, what in {
        "list": "what was set aside, by cause; with --cause or ids, the cases",
        "show": "one case with its body, personal data masked",
        "fix": f"mend bodies by named steps, previewed first. {screen.transforms_help()}",
        "redrive": "send cases back to where they came from",
        "discard": "give cases up, with a reason; they are kept as tombstones",
        "count": "received = landed + quarantined, set aside = open + redriven + discarded",
    }.items():
        command = commands.add_parser(name, help=what, description=what)
        command.add_argument(
            "--days", type=whole_number(0, 3_650), default=0, help="of quarantine; 0: all there is"
        )
        if name == "count":
            command.add_argument(
                "--hours", type=whole_number(1, figures.MAX_HOURS), default=figures.MAX_HOURS
            )
            continue
        command.add_argument("cases", nargs="*", metavar="CASE", help="an id, or its beginning")
        command.add_argument("--place", choices=PLACES)
        command.add_argument("--cause", help="as `list` names it")
        command.add_argument(
            "--limit", type=whole_number(0, 10**6), default=0, help="at most so many cases; 0: all"
        )
        command.add_argument("--by", default=f"{getpass.getuser()}@command-line", help="who")
        if name == "list":
            command.add_argument("--all", action="store_true", help="cases dealt with, too")
        if name == "fix":
            command.add_argument("--step", action="append", required=True, metavar="NAME[:ARG]")
            command.add_argument("--apply", action="store_true", help="keep it; else only preview")
        if name == "redrive":
            command.add_argument(
                "--rate", type=whole_number(1, 1_000), default=DEFAULT_RATE_PER_S, help="a second"
            )
        if name == "discard":
            command.add_argument("--reason", required=True)
    return parser.parse_args()


def main() -> int:
    options, console = _options(), terminal.console()
    settings = RuntimeSettings(service="desk")
    logs.configure("WARNING")
    try:
        return Program(settings.names, options, console).run()
    except (NotMendable, Busy, ValueError) as error:
        console.print(f"[red]✗[/] {escape(str(error))}")
        return 2
    except (BotoCoreError, ClientError) as error:
        console.print(f"[red]✗[/] AWS does not answer: {escape(str(error))}")
        console.print("What was sent is written down; the rest stays open. Do it again.")
        return 1


if __name__ == "__main__":
    sys.exit(main())
