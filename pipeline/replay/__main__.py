"""`python -m pipeline.replay`: the order log through the whole pipeline, accounted for to the row.

Exit codes: 0 all checks hold · 1 a check fails or the pipeline stalls · 2 the file or an option is
not usable, or another replay runs.
"""

import argparse
import json
import os
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import polars as pl
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.markup import escape

from pipeline.replay import domain
from pipeline.replay.check import Check, check_all, log_figures
from pipeline.replay.files import OrderLog, UnusableLog, fingerprint, open_log
from pipeline.replay.notes import faults_of, notes_of
from pipeline.replay.products import DATA, log_products
from pipeline.replay.screen import Screen, accounting, oddities, verdicts
from pipeline.replay.service import Progress, Replay, Stalled
from pipeline.replay.settings import ReplaySettings
from pipeline.replay.store import Ops, Pipeline, put_absent_products
from pipeline.replay.turn import wait_for_turn
from pipeline.runtime import clock, logs, terminal

_CHECK_ROUNDS = 5  # live orders move the figures while they are read


def main() -> int:
    options = _options()
    settings = ReplaySettings()  # a missing value stops here, by name
    logs.configure("WARNING")
    console = terminal.console()
    if options.background_safe:
        os.nice(5)
    try:
        log = open_log(options.file, options.limit, settings.currency)
        file = fingerprint(options.file)
    except UnusableLog as error:
        console.print(f"[red]✗[/] {escape(str(error))}")
        return 2
    if not log.rows.height:
        console.print(f"[red]✗[/] {escape(options.file.name)} has no rows")
        return 2
    run_id, ops = clock.new_id(), Ops(settings.names)
    if not wait_for_turn(ops, run_id, console):
        return 2
    try:
        rows, weeks = _shifted(log.rows, ops, file, options.shift_to_now, console)
        log = replace(log, rows=rows)
        code = _replay(log, weeks, run_id, ops, settings, options, console)
        ops.drop_lease(run_id)  # after anything unforeseen it runs out by itself
    except (BotoCoreError, ClientError) as error:
        console.print(f"[red]✗[/] AWS does not answer: {escape(str(error))}")
        console.print("Replay again when it does: what is in stays in, and counts once.")
        return 1
    return code


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m pipeline.replay", description=__doc__)
    default = DATA / "online_retail.parquet"
    parser.add_argument("--file", type=Path, default=default, help="Parquet or CSV")
    parser.add_argument(
        "--limit", type=terminal.whole_number(1, 10**9), help="rows; the last invoice is completed"
    )
    parser.add_argument(
        "--speed", type=_speed, default=0.0,
        help="seconds of the log per second, e.g. 86400 for a day a second; 0: as fast as it goes",
    )  # fmt: skip
    parser.add_argument(
        "--shift-to-now", action="store_true",
        help="move all dates by whole weeks, so that the last one is less than a week ago",
    )  # fmt: skip
    parser.add_argument("--background-safe", action="store_true", help="give way to others")
    return parser.parse_args()


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = -1.0
    if not 0 <= speed < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is no speed; 0 is as fast as it goes")
    return speed


def _shifted(
    log: pl.DataFrame, ops: Ops, file: str, shift_to_now: bool, console: Console
) -> tuple[pl.DataFrame, int]:
    wanted = domain.weeks_to_now(log, clock.now()) if shift_to_now else 0
    weeks = ops.settle_shift(file, wanted)
    if weeks != wanted:
        console.print(
            f"This file was replayed before with its dates moved by {weeks} weeks. Its events keep "
            f"their ids, so they keep that date too: {wanted} weeks are not applied."
        )
    elif weeks:
        console.print(f"Dates are moved by {weeks} weeks.")
    return (domain.shifted(log, weeks) if weeks else log), weeks


def _replay(
    log: OrderLog,
    weeks: int,
    run_id: str,
    ops: Ops,
    settings: ReplaySettings,
    options: argparse.Namespace,
    console: Console,
) -> int:
    written = put_absent_products(settings.names, log_products(settings.currency))
    if written:
        console.print(f"{written:,} products of the log entered the catalogue as archived goods.")
    rows = log.rows
    progress = Progress(run_id, options.file.name, rows.height, weeks, clock.now())
    with Screen(console) as screen:
        replay = Replay(ops, Pipeline(settings.names), progress, clock.now, time.sleep, screen.show)
        try:
            replay.run(domain.events(rows, settings.currency), options.speed)
        except Stalled as error:
            replay.set_status("failed")
            console.print(f"[red]✗[/] {escape(str(error))}")
            return 1
        replay.set_status("checking")
        checks = _checked(rows, settings)
        is_ok = all(check.is_ok is not False for check in checks)
        replay.set_status("done" if is_ok else "failed")
    console.print(accounting(rows, settings.currency))
    if notes := notes_of(log):
        console.print(oddities(notes))
    console.print(verdicts(checks, settings.currency))
    path = _write_report(log, checks, progress, settings)
    console.print(
        f"{progress.rows_done:,} rows in {progress.seconds:.0f} s: {progress.rows_per_s:,.0f} "
        f"rows/s to lake and aggregates. {'All checks hold' if is_ok else 'A check fails'}: {path}"
    )
    return 0 if is_ok else 1


def _checked(log: pl.DataFrame, settings: ReplaySettings) -> list[Check]:
    ids = domain.event_ids(log, settings.currency)
    checks: list[Check] = []
    for attempt in range(_CHECK_ROUNDS):
        if attempt:
            time.sleep(2)
        checks = check_all(settings.names, log, ids, settings.currency, settings.edge_url)
        if all(check.is_ok is not False for check in checks):
            break
    return checks


def _write_report(
    log: OrderLog, checks: list[Check], progress: Progress, settings: ReplaySettings
) -> Path:
    report: dict[str, Any] = {
        **progress.facts(clock.now()),
        "seconds": round(progress.seconds, 1),
        "rows_by_class": dict(log.rows.group_by("fate").len().sort("fate").iter_rows()),
        "corrupt_rows_by_fault": faults_of(log.rows),
        "notes": dict(notes_of(log)),
        "log": log_figures(log.rows),
        "checks": [asdict(check) for check in checks],
    }
    folder = settings.state_dir / "replay"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{progress.run_id}.json"
    text = json.dumps(report, indent=2, ensure_ascii=False)
    path.write_text(text)
    (folder / "latest.json").write_text(text)
    return path


if __name__ == "__main__":
    sys.exit(main())
