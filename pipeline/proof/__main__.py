"""`python -m pipeline.proof`: run the ledger, print it, sign and keep it; exit 0 if every check
holds. With `--verify` it checks the signature of an earlier report instead."""

import argparse
import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import Field
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline.contracts import keys
from pipeline.proof.claims import Ledger
from pipeline.proof.domain import Check, Verdict
from pipeline.proof.queries import Queries
from pipeline.proof.service import Report, run
from pipeline.proof.signing import sign
from pipeline.runtime import aws, terminal
from pipeline.runtime.clock import new_id, now
from pipeline.runtime.lease import Lease
from pipeline.runtime.settings import RuntimeSettings
from pipeline.runtime.signed_report import SIGNATURE, NotVerified, read_published, verify

HISTORY_DAYS = 90
LEASE_S = 180  # renewed after each claim
_AWS_SILENT = (BotoCoreError, ClientError)
STYLES = {Verdict.VALID: "green", Verdict.INVALID: "bold red", Verdict.NOT_PROVEN: "yellow"}


class ProofSettings(RuntimeSettings):
    state_dir: Path
    edge_url: str
    gateway_url: str
    console_url: str
    journal: Path = Field(description="The edge's journal of acknowledged orders")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make prove", description=__doc__)
    parser.add_argument("--patience", type=float, default=45.0, metavar="S",
                        help="how long events still under way may take, in seconds")  # fmt: skip
    parser.add_argument("--verify", metavar="PROOF",
                        help="check a report's signature: a file, or a proof's id")  # fmt: skip
    arguments = parser.parse_args()
    settings, screen = ProofSettings(), terminal.console()
    if arguments.verify:
        return _verify(settings, screen, arguments.verify)
    return _prove(settings, screen, arguments.patience)


def _prove(settings: ProofSettings, screen: Console, patience_s: float) -> int:
    at = Queries(
        settings.names, settings.journal,
        settings.edge_url, settings.gateway_url, settings.console_url,
    )  # fmt: skip
    run_id, lease = new_id(), Lease(aws.table(settings.names.table("ops")), "proof")
    if not _holds(lease, run_id):
        screen.print("[red]Another proof is running; it holds the lease.")
        return 2

    def on_check(check: Check) -> None:
        screen.print(_line(check))
        _holds(lease, run_id)

    try:
        report = run(
            Ledger(at).claims(),
            run_id=run_id,
            at=now(),
            patience_s=patience_s,
            on_check=on_check,
        )
        return _conclude(settings, screen, report)
    finally:
        with suppress(*_AWS_SILENT):  # it runs out by itself
            lease.drop(run_id)


def _holds(lease: Lease, run_id: str) -> bool:
    """Takes or renews it. With a table that is silent the proof goes on: it has to say so."""
    try:
        return lease.take(run_id, now(), LEASE_S)
    except _AWS_SILENT:
        return True


def _conclude(settings: ProofSettings, screen: Console, report: Report) -> int:
    """Sign, print and keep; 0 if every claim holds."""
    written = report.to_dict()
    try:
        written = sign(settings.names, written)
    except _AWS_SILENT as error:
        screen.print(f"[yellow]Not signed: Secrets Manager says {type(error).__name__}")
    path = _file(settings, report.run_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(written, indent=2) + "\n")
    screen.print(_table(report))
    _print_queries(screen, report)
    screen.print(f"Evidence: {path}")
    if signature := written.get(SIGNATURE):
        screen.print(f"Signed with key {signature['key_id']}: make prove VERIFY={report.run_id}")
    try:
        _keep(settings, report, written)
    except _AWS_SILENT as error:
        screen.print(f"[yellow]Not kept for the console: {type(error).__name__}")
    screen.print("[green]Every claim holds." if report.holds else "[red]Not every claim holds.")
    return 0 if report.holds else 1


def _verify(settings: ProofSettings, screen: Console, which: str) -> int:
    """0 verified, 1 not, 2 when there is nothing to check, or nothing to check it with."""
    try:
        report = _find(settings, which)
        if report is None:
            screen.print(f"[red]There is no report {escape(which)}, neither a file nor a proof.")
            return 2
        published = read_published(aws.client("secretsmanager"), settings.names)
        key_id = verify(report, published)
    except NotVerified as fault:
        screen.print(f"[bold red]Signature NOT verified[/]: {escape(str(fault))}.")
        return 1
    except (OSError, ValueError, RecursionError) as error:
        screen.print(f"[red]{escape(which)} is no report ({type(error).__name__}).")
        return 2
    except _AWS_SILENT as error:
        screen.print(f"[red]The keys cannot be read ({type(error).__name__}).")
        return 2
    screen.print(
        f"[green]Signature verified[/]: key {key_id}, proof {escape(str(report.get('run_id')))} "
        f"of {escape(str(report.get('at')))}, which {escape(str(report.get('verdict')))}."
    )
    return 0


def _find(settings: ProofSettings, which: str) -> dict[str, Any] | None:
    """A report by its file, or by its id here or in the history. Raises ValueError, OSError."""
    for path in (Path(which), _file(settings, which)):
        if path.is_file():
            report = json.loads(path.read_text())
            if not isinstance(report, dict):
                raise ValueError("not an object")
            return report
    table = aws.table(settings.names.table("ops"))
    item = table.get_item(Key=keys.past_proof(which)).get("Item")
    kept: dict[str, Any] | None = json.loads(item["report"]) if item else None
    return kept


def _file(settings: ProofSettings, run_id: str) -> Path:
    return settings.state_dir / "proof" / f"{run_id}.json"


def _line(check: Check) -> str:
    return f"[{STYLES[check.verdict]}]{check.verdict.value:>10}[/]  {escape(check.name)}"


def _table(report: Report) -> Table:
    table = Table("claim", "verdict", "one reading", "another", "detail")
    for check in report.checks:
        found = check.finding
        offenders = f"\n{', '.join(found.offending_ids)}" if found.offending_ids else ""
        table.add_row(
            escape(check.name),
            f"[{STYLES[check.verdict]}]{check.verdict.value}",
            escape(found.left),
            escape(found.right),
            escape(found.detail + offenders),
        )
    return table


def _print_queries(screen: Console, report: Report) -> None:
    """A line each, cut at the screen's edge: enough to know what was asked."""
    screen.print("\nHow each reading was taken; the report has the queries whole:")
    for check in report.checks:
        screen.print(escape(check.name))
        for query in check.queries:
            screen.print(f"  [dim]{escape(query)}", no_wrap=True, overflow="ellipsis")
    screen.print()


def _keep(settings: ProofSettings, report: Report, written: dict[str, Any]) -> None:
    """For the console: the last one under a fixed key, and each in the history."""
    table = aws.table(settings.names.table("ops"))
    item = {
        "report": json.dumps(written),
        "at": written["at"],
        "verdict": written["verdict"],
        "expires_at_epoch_s": int(report.at.timestamp()) + HISTORY_DAYS * 86_400,
    }
    for key in (keys.past_proof(report.run_id), keys.proof_run("latest")):
        table.put_item(Item={**key, **item, "run_id": report.run_id})


if __name__ == "__main__":
    sys.exit(main())
