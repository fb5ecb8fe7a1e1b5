"""`python -m pipeline.proof`: run the ledger, print it, keep it; exit 0 if every check holds."""

import argparse
import json
import sys
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import Field
from rich.console import Console
from rich.table import Table

from pipeline.contracts import keys
from pipeline.proof.domain import Check, Verdict
from pipeline.proof.service import Report, run
from pipeline.runtime import aws
from pipeline.runtime.clock import new_id, now
from pipeline.runtime.settings import RuntimeSettings

HISTORY_DAYS = 90
STYLES = {Verdict.VALID: "green", Verdict.INVALID: "bold red", Verdict.NOT_PROVEN: "yellow"}


class ProofSettings(RuntimeSettings):
    state_dir: Path
    edge_url: str
    gateway_url: str
    journal: Path = Field(description="The edge's journal of acknowledged orders")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make prove", description=__doc__)
    parser.add_argument("--patience", type=float, default=45.0, metavar="S",
                        help="how long events still under way may take, in seconds")  # fmt: skip
    arguments = parser.parse_args()
    settings = ProofSettings()
    screen = Console()
    report = run(
        settings.names,
        settings.journal,
        settings.edge_url,
        settings.gateway_url,
        run_id=new_id(),
        at=now(),
        patience_s=arguments.patience,
        on_check=lambda check: screen.print(_line(check)),
    )
    path = settings.state_dir / "proof" / f"{report.run_id}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report.to_dict(), indent=2) + "\n")
    screen.print(_table(report))
    screen.print(f"Evidence: {path}")
    try:
        _keep(settings, report)
    except (BotoCoreError, ClientError) as error:
        screen.print(f"[yellow]Not kept for the console: {type(error).__name__}")
    screen.print("[green]Every claim holds." if report.holds else "[red]Not every claim holds.")
    return 0 if report.holds else 1


def _line(check: Check) -> str:
    return f"[{STYLES[check.verdict]}]{check.verdict.value:>10}[/]  {check.name}"


def _table(report: Report) -> Table:
    table = Table("claim", "verdict", "one reading", "another", "detail")
    for check in report.checks:
        offenders = f"\n{', '.join(check.offending_ids)}" if check.offending_ids else ""
        table.add_row(
            check.name,
            f"[{STYLES[check.verdict]}]{check.verdict.value}",
            check.left,
            check.right,
            check.detail + offenders,
        )
    return table


def _keep(settings: ProofSettings, report: Report) -> None:
    """For the console: the last one under a fixed key, and each in the history."""
    table = aws.table(settings.names.table("ops"))
    item = {
        "report": json.dumps(report.to_dict()),
        "at": report.to_dict()["at"],
        "verdict": report.to_dict()["verdict"],
        "expires_at_epoch_s": int(report.at.timestamp()) + HISTORY_DAYS * 86_400,
    }
    for key in (keys.past_proof(report.run_id), keys.proof_run("latest")):
        table.put_item(Item={**key, **item, "run_id": report.run_id})


if __name__ == "__main__":
    sys.exit(main())
