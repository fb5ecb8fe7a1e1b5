"""`make gateway`: how the simulated card gateway behaves, and making it behave otherwise.

    make gateway                                        what is set
    make gateway SET="authorise latency_ms=300 lost_percent=20"
    make gateway SET=reset                              as it should behave

Takes effect within a second.
"""

import argparse
import getpass
import sys
from typing import get_args

from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from iac.local.payment_gateway.store import GatewayStore
from pipeline.contracts.payments import Knobs, Operation
from pipeline.runtime.clock import now
from pipeline.runtime.settings import RuntimeSettings

OPERATIONS: tuple[str, ...] = get_args(Operation)
RESET = "reset"


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="make gateway", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("operation", nargs="?", choices=[*OPERATIONS, RESET])
    parser.add_argument("settings", nargs="*", metavar="NAME=NUMBER", help=", ".join(_names()))
    given = parser.parse_args()
    store = GatewayStore(RuntimeSettings().names)
    if given.operation == RESET:
        store.reset_knobs()
    elif given.operation:
        before = store.read_knobs().get(given.operation, Knobs())
        try:
            chosen = _changed(before, given.settings)
        except ValueError as error:
            parser.error(_reason(error))
        store.set_knobs(given.operation, chosen, getpass.getuser(), now())
    Console().print(_table(store.read_knobs()))
    return 0


def _changed(before: Knobs, settings: list[str]) -> Knobs:
    """Raises ValueError for what is no knob, or not within its bounds."""
    changes: dict[str, str] = {}
    for setting in settings:
        name, _, number = setting.partition("=")
        if name not in _names():
            raise ValueError(f"{name}: not one of {', '.join(_names())}")
        changes[name] = number
    return Knobs.model_validate({**before.model_dump(), **changes})


def _reason(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        fault = error.errors()[0]
        return f"{fault['loc'][0]}: {fault['msg']}"
    return str(error)


def _names() -> list[str]:
    return list(Knobs.model_fields)


def _table(knobs: dict[str, Knobs]) -> Table:
    table = Table("operation", *_names())
    for operation in OPERATIONS:
        chosen = knobs.get(operation)
        values = chosen.model_dump().values() if chosen else ["as usual"]
        table.add_row(operation, *map(str, values))
    return table


if __name__ == "__main__":
    sys.exit(main())
