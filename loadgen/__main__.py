"""`python -m loadgen`: one load run through the edge; `make load` and the console start it."""

# Locust's sockets are cooperative only if gevent patches them before anything opens one.
from gevent import monkey

monkey.patch_all()

import argparse  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable  # noqa: E402
from typing import Any  # noqa: E402

import httpx  # noqa: E402
from botocore.exceptions import BotoCoreError, ClientError  # noqa: E402

from loadgen import report  # noqa: E402
from loadgen.catalogue import EmptyShop  # noqa: E402
from loadgen.cleaning import Cleaning  # noqa: E402
from loadgen.lease import AlreadyRunning  # noqa: E402
from loadgen.record import Records  # noqa: E402
from loadgen.runner import Run  # noqa: E402
from loadgen.scenarios import SHAPES, Plan, make_plan  # noqa: E402
from loadgen.settings import LoadSettings  # noqa: E402
from loadgen.tally import Second  # noqa: E402
from pipeline.contracts.errors import ShopError  # noqa: E402
from pipeline.runtime.clock import new_id  # noqa: E402
from pipeline.runtime.order_store import StockMismatch  # noqa: E402

COMMAND_LINE = "command line"
_CLEANING_PATIENCE_S = 45.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="make load", description=__doc__)
    parser.add_argument("--scenario", choices=[s.value for s in SHAPES], default="normal")
    for name, kind in (("users", int), ("ramp", int), ("duration", int), ("rate", float)):
        parser.add_argument(f"--{name}", type=_number(kind))
    parser.add_argument("--run-id", default=new_id())
    parser.add_argument("--by", default=COMMAND_LINE)
    given = parser.parse_args()
    try:
        plan = make_plan(
            given.run_id, given.scenario, given.by, users=given.users, ramp_s=given.ramp,
            duration_s=given.duration, arrivals_per_s=given.rate,
        )  # fmt: skip
    except ValueError as error:
        _say(f"make load: {error}")
        return 2
    settings = LoadSettings()
    records = Records(settings.ops_table())
    if plan.by == COMMAND_LINE:
        records.audit(plan.by, "load.start", f"{plan.scenario} {plan.run_id}")
    run = Run(plan, settings, _show)
    try:
        return _execute(run, plan, settings, records)
    except AlreadyRunning as error:
        _say(f"{error}: one run at a time")
        return 2
    except (EmptyShop, httpx.HTTPError, BotoCoreError, ClientError) as error:
        reason = f"could not go on ({type(error).__name__}: {error})"
        _say(f"ENDED EARLY: the run {reason}")
        try:
            records.end(plan.run_id, "failed", {"reason": reason})
        except (BotoCoreError, ClientError):
            _say("the ops table does not answer: the console will show this run as lost")
        run.release()
        return 2


def _execute(run: Run, plan: Plan, settings: LoadSettings, records: Records) -> int:
    summary = run.execute()
    # Said at once: what comes after it may have to wait for a shop that does not answer.
    _conclude(summary, plan)
    records.end(plan.run_id, "cleaning", summary)
    run.release()
    try:
        is_well = _tidy(plan, settings, records, summary)
    except (BotoCoreError, ClientError) as error:
        _say(f"the ops table does not answer ({type(error).__name__}): the figures are kept there")
        return 1
    return 0 if summary["verdict"]["holds"] and is_well else 1


def _tidy(plan: Plan, settings: LoadSettings, records: Records, summary: dict[str, Any]) -> bool:
    """Clean up after the run, and write its report; whether nothing was left or found wrong."""
    head = records.find(plan.run_id)
    assert head is not None
    try:
        removed = Cleaning(settings.names, head).execute(plan.by, _CLEANING_PATIENCE_S)
        left, is_well = removed.sentence(), not removed.not_synthetic
    except (BotoCoreError, ClientError, ShopError, StockMismatch) as error:
        # The figures stand without it, and `make load-clean` takes it up again.
        left, is_well = f"not done ({type(error).__name__}): run make load-clean", False
    records.settle(plan.run_id, "stopped" if summary["reason"] else "finished")
    head = records.find(plan.run_id)
    assert head is not None
    minutes = records.minutes(plan.run_id)
    seconds = [second for minute in sorted(minutes) for second in minutes[minute]["seconds"]]
    report.write(settings.reports(plan.run_id), head, seconds)
    _say(f"clean: {left}")
    _say(f"report: {settings.reports(plan.run_id)}/report.html")
    return is_well


def _show(second: Second) -> None:
    _say(
        f"{second.elapsed_s:>5} s  {second.users:>5} users  {second.achieved:>7.1f} of "
        f"{second.offered:>7.1f} requests/s  p50 {second.p50_ms:>5.0f}  p95 {second.p95_ms:>5.0f}  "
        f"p99 {second.p99_ms:>5.0f} ms  {second.failures:>3} failed  cpu {second.cpu:>3.0f} %"
    )


def _conclude(summary: dict[str, Any], plan: Plan) -> None:
    if summary["reason"]:
        _say(
            f"\nENDED EARLY after {summary['lasted_s']:,} of {plan.duration_s:,} s: "
            f"the run {summary['reason']}\n"
        )
    _say(
        f"{summary['requests']:,} requests, {summary['achieved_per_s']:,}/s of "
        f"{summary['offered_per_s']:,}/s offered, {summary['failures']:,} failed"
        + (f", {lost:,} arrivals found no place" if (lost := summary["lost_arrivals"]) else "")
    )
    if (envoy := summary["envoy"]) and envoy["logged"] is not None:
        _say(
            f"Envoy counted {envoy['logged']:,} of this run, Locust {envoy['ours']:,} "
            f"({envoy['difference']:.2%} apart); {envoy['everybody']:,} of everybody"
        )
    for criterion in summary["verdict"]["criteria"]:
        _say(
            f"{'holds ' if criterion['holds'] else 'BROKEN'}  {criterion['name']}: "
            f"{criterion['measured']}, wanted {criterion['objective']}"
        )


def _number(kind: type[int] | type[float]) -> Callable[[str], int | float | None]:
    """An empty variable of make is no value."""

    def convert(text: str) -> int | float | None:
        return kind(text) if text else None

    return convert


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
