"""`python -m iac.local up|down|status|logs|clean|bootstrap|env|history`; the Makefile calls it."""

import argparse
import shlex
import sys
from collections.abc import Callable

from iac.local import seeding, show, stack
from iac.local.bootstrap import bootstrap
from iac.local.ports import Addresses, process_environment

_COMMANDS: dict[str, Callable[[Addresses], int]] = {}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m iac.local", description=__doc__)
    parser.add_argument("command", choices=sorted([*_COMMANDS, "up"]))
    parser.add_argument(
        "--until", choices=["emulator", "services"], help="start only this much (up only)"
    )
    args = parser.parse_args()
    try:
        at = Addresses.from_environ()
    except ValueError as error:
        show.out.print(f"[red]{error}[/red]")
        return 2
    if args.command == "up":
        return stack.up(at, until=args.until)
    return _COMMANDS[args.command](at)


def _apply(at: Addresses) -> int:
    show.outcomes(bootstrap(at))
    return 0


def _env(at: Addresses) -> int:
    for key, value in process_environment(at).items():
        if key not in ("PATH", "HOME", "LANG"):
            sys.stdout.write(f"export {key}={shlex.quote(value)}\n")
    return 0


_COMMANDS |= {
    "down": stack.down,
    "status": stack.status,
    "logs": stack.logs,
    "clean": stack.clean,
    "bootstrap": _apply,
    "env": _env,
    "history": seeding.replay_history,
}

if __name__ == "__main__":
    sys.exit(main())
