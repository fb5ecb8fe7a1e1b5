"""`python -m iac.local COMMAND`: what the Makefile calls."""

import argparse
import shlex
import sys
from collections.abc import Callable

from iac.local import seeding, show, stack, tools
from iac.local.bootstrap import bootstrap
from iac.local.browser import install_browser
from iac.local.ports import Addresses, process_environment


def main() -> int:
    commands: dict[str, Callable[[Addresses], int]] = {
        "up": lambda at: stack.up(at, until=args.until),
        "down": stack.down,
        "status": stack.status,
        "logs": stack.logs,
        "clean": stack.clean,
        "bootstrap": _apply,
        "env": _env,
        "history": seeding.replay_history,
        "build": tools.build_storefront,
        "browser": lambda at: install_browser(),
        "test-web": tools.test_storefront,
        "lint": tools.lint,
        "contracts": lambda at: tools.write_contracts(at, check=args.check),
        "run": lambda at: tools.run_module(at, args.rest),
    }
    parser = argparse.ArgumentParser(prog="python -m iac.local", description=__doc__)
    parser.add_argument("command", choices=sorted(commands))
    parser.add_argument("--until", choices=["emulator"], help="up: start no more than this")
    parser.add_argument("--check", action="store_true", help="contracts: write nothing")
    parser.add_argument("rest", nargs="*", help="run: what to give to Python, after `--`")
    args = parser.parse_args()
    try:
        at = Addresses.from_environ()
    except ValueError as error:
        show.out.print(f"[red]{error}[/red]")
        return 2
    return commands[args.command](at)


def _apply(at: Addresses) -> int:
    show.outcomes(bootstrap(at))
    return 0


def _env(at: Addresses) -> int:
    for key, value in process_environment(at).items():
        if key not in ("PATH", "HOME", "LANG"):
            sys.stdout.write(f"export {key}={shlex.quote(value)}\n")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
