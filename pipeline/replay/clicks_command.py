"""`make replay-clicks`: 165,474 real clicks through the pipeline, accounted for to the click.

What the lake has already is not sent again: a click is counted by its place in the stream, so one
that came twice would be counted twice until its day is recomputed.

Exit codes: 0 all checks hold · 1 a check fails or the pipeline stalls · 2 an option is not usable,
or another replay runs.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import polars as pl
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.markup import escape

from pipeline.contracts.events import to_iso_z
from pipeline.replay.check import Check
from pipeline.replay.clicks import click_events, read_clicks, unsent
from pipeline.replay.clicks_check import check_clicks, curated_clicks
from pipeline.replay.screen import Screen, verdicts
from pipeline.replay.service import STALLED_AFTER_S, Progress, Replay, Stalled
from pipeline.replay.settings import ReplaySettings
from pipeline.replay.store import Ops, Pipeline
from pipeline.replay.turn import wait_for_turn
from pipeline.runtime import clock, logs, terminal
from pipeline.runtime.kinesis import Outgoing
from pipeline.runtime.lake import Lake

_FILE = "eshop_clicks.parquet"


def main() -> int:
    parser = argparse.ArgumentParser(prog="make replay-clicks", description=__doc__)
    parser.add_argument("--limit", type=int, help="clicks; the last session is completed")
    options = parser.parse_args()
    console = terminal.console()
    if options.limit is not None and options.limit < 1:
        console.print(f"[red]✗[/] LIMIT={options.limit} is no whole number above zero")
        return 2
    settings = ReplaySettings()  # a missing value stops here, by name
    logs.configure("WARNING")
    run_id, ops = clock.new_id(), Ops(settings.names)
    if not wait_for_turn(ops, run_id, console):
        return 2
    try:
        code = _replay(read_clicks(options.limit), run_id, ops, settings, console)
        ops.drop_lease(run_id)  # after anything unforeseen it runs out by itself
    except (BotoCoreError, ClientError) as error:
        console.print(f"[red]✗[/] AWS does not answer: {escape(str(error))}")
        console.print("Replay again when it does: what is in stays in, and is not sent again.")
        return 1
    return code


def _replay(
    clicks: pl.DataFrame, run_id: str, ops: Ops, settings: ReplaySettings, console: Console
) -> int:
    names, pipeline = settings.names, Pipeline(settings.names)
    # A day early: S3's clock and ours may disagree at midnight.
    since = ops.settle_first_day(_FILE, (clock.now() - timedelta(days=1)).date())
    progress = Progress(run_id, _FILE, clicks.height, 0, clock.now())
    with Screen(console) as screen:
        replay = Replay(ops, pipeline, progress, clock.now, time.sleep, screen.show)
        try:
            _wait_for_earlier(pipeline, run_id, lambda: replay.set_status("starting"))
            left = unsent(clicks, curated_clicks(Lake(names))["event_id"])
            progress.rows_total = left.height
            replay.run(click_events(left), speed=0)
        except Stalled as error:
            replay.set_status("failed")
            console.print(f"[red]✗[/] {escape(str(error))}")
            return 1
        replay.set_status("checking")
        checks = check_clicks(names, clicks, since)
        is_ok = all(check.is_ok for check in checks)
        replay.set_status("done" if is_ok else "failed")
    console.print(verdicts(checks, settings.currency))
    path = _write_report(clicks, progress, checks, settings.state_dir)
    console.print(
        f"{progress.rows_sent:,} clicks sent, {clicks.height - progress.rows_sent:,} were there, "
        f"in {progress.seconds:.0f} s. {'All checks hold' if is_ok else 'A check fails'}: {path}"
    )
    return 0 if is_ok else 1


def _wait_for_earlier(pipeline: Pipeline, run_id: str, while_waiting: Callable[[], None]) -> None:
    """Until what a killed replay left on the stream has landed and is counted.

    Raises: Stalled when nothing moves any more.
    """
    moved_at = clock.now()
    before: list[dict[str, str]] = []
    marks = pipeline.mark(Outgoing(run_id, _started(run_id)))
    while True:
        readers = [pipeline.landed(marks), pipeline.folded()]
        if all(one.get(shard, "") >= mark for one in readers for shard, mark in marks.items()):
            return
        if readers != before:
            before, moved_at = readers, clock.now()
        if (clock.now() - moved_at).total_seconds() > STALLED_AFTER_S:
            raise Stalled(f"Nothing moved for {STALLED_AFTER_S:.0f} s")
        while_waiting()
        time.sleep(0.5)


def _started(run_id: str) -> bytes:
    event = {
        "event_id": run_id, "event_type": "replay.started.v1",
        "occurred_at": to_iso_z(clock.now()), "source": "replay", "correlation_id": run_id,
        "partition_key": run_id, "payload": {"file": _FILE},
    }  # fmt: skip
    return json.dumps(event).encode()


def _write_report(
    clicks: pl.DataFrame, progress: Progress, checks: list[Check], state_dir: Path
) -> Path:
    report = {
        **progress.facts(clock.now()),
        "clicks": clicks.height,
        "seconds": round(progress.seconds, 1),
        "checks": [asdict(check) for check in checks],
    }
    path = state_dir / "replay" / "clicks.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    return path


if __name__ == "__main__":
    sys.exit(main())
