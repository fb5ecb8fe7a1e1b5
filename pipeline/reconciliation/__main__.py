"""`python -m pipeline.reconciliation`: lake against aggregates; exit 1 on unexplained drift."""

import argparse
import sys
from typing import Any

import polars as pl
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline.contracts.errors import ShopError
from pipeline.reconciliation.service import reconcile
from pipeline.runtime import clock, logs, terminal
from pipeline.runtime.settings import RuntimeSettings

_ROWS = 40


def main() -> int:
    parser = argparse.ArgumentParser(prog="make reconcile", description=__doc__)
    parser.add_argument("--repair", action="store_true", help="put unexplained figures right")
    parser.add_argument("--by", default="the command line", help="who asked for it")
    options = parser.parse_args()
    names = RuntimeSettings(service="reconciliation").names
    logs.configure("WARNING")
    screen = terminal.console()
    try:
        result = reconcile(names, clock.new_id(), clock.now, options.by, repairs=options.repair)
    except (ShopError, BotoCoreError, ClientError, pl.exceptions.PolarsError) as error:
        screen.print(f"[red]✗[/] Not compared: {type(error).__name__}: {escape(str(error)[:200])}")
        return 2
    if result is None:
        screen.print("Another reconciliation is running; it holds the lease.")
        return 2
    _show(screen, result)
    return 1 if result["unexplained"] else 0


def _show(screen: Console, result: dict[str, Any]) -> None:
    if result["drifts"]:
        table = Table("bucket (UTC)", "figure", "lake", "aggregates", "drift", "why")
        for one in result["drifts"][:_ROWS]:
            done = " (repaired)" if one["is_repaired"] else ""
            table.add_row(
                f"{one['bucket']} {one['currency']} {one['stream']}", one["metric"],
                f"{one['lake']:,}", f"{one['aggregates']:,}", f"{one['drift']:+,}",
                f"{one['why']}{done} {one['detail']}",
            )  # fmt: skip
        screen.print(table)
    screen.print(
        f"{result['compared']:,} figures of {result['hours']:,} hours compared in "
        f"{result['duration_ms'] / 1000:.1f} s: {result['unexplained']:,} differ unexplained, "
        f"{result['explained']:,} with a reason, {result['repaired']:,} repaired."
    )


if __name__ == "__main__":
    sys.exit(main())
