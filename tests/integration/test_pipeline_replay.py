"""A replay comes out to the penny, twice, after a kill, and with a damaged file."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import psutil
import pytest

from iac.local.ports import ROOT
from pipeline.contracts import keys
from pipeline.replay.files import QUARANTINED
from pipeline.replay.products import DATA
from tests.conftest import Stack, wait_until
from tests.unseen_log import write_unseen_log

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"


def start(stack: Stack, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline.replay", *options],
        cwd=ROOT, env=stack_env(stack), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def replay(stack: Stack, *options: str, expect: int = 0) -> str:
    process = start(stack, *options)
    output, _ = process.communicate(timeout=600)
    assert process.returncode == expect, output
    return output


def stack_env(stack: Stack) -> dict[str, str]:
    return os.environ | stack.env


def report(stack: Stack) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((stack.at.state / "replay" / "latest.json").read_text())
    return document


def a_slice(tmp_path: Path, first: int, rows: int) -> Path:
    """Invoices of the real log, far from those of other tests."""
    log = pl.read_parquet(DATA / "online_retail.parquet")
    wanted = log.slice(first, rows).select("InvoiceNo").unique()
    path = tmp_path / "slice.parquet"
    log.join(wanted, on="InvoiceNo", how="semi", maintain_order="left").write_parquet(path)
    return path


def test_a_slice_of_the_log_is_the_same_in_lake_aggregates_and_api_and_twice_changes_nothing(
    stack: Stack, tmp_path: Path
) -> None:
    path = a_slice(tmp_path, 0, 4_000)
    output = replay(stack, "--file", str(path))
    first = report(stack)
    assert "All checks hold" in output
    assert sum(first["rows_by_class"].values()) == pl.read_parquet(path).height
    assert all(check["is_ok"] for check in first["checks"])
    assert any(check["name"] == "aggregates = API: gross" for check in first["checks"])
    replay(stack, "--file", str(path), "--shift-to-now")  # keeps the dates of the first time
    again = report(stack)
    assert again["run_id"] != first["run_id"]
    assert again["checks"] == first["checks"]
    assert stack.table("products").get_item(Key=keys.product("22423"))["Item"]["title"] == (
        "REGENCY CAKESTAND 3 TIER"
    )


def test_killed_in_the_middle_with_its_functions_it_completes_to_the_same_numbers(
    stack: Stack, tmp_path: Path
) -> None:
    path = a_slice(tmp_path, 60_000, 16_000)
    process = start(stack, "--file", str(path))
    wait_until(lambda: _is_under_way(stack, pl.read_parquet(path).height))
    process.kill()
    process.communicate(timeout=10)
    assert _kill_functions(stack) > 0
    output = replay(stack, "--file", str(path))
    assert "All checks hold" in output
    assert report(stack)["rows_done"] == pl.read_parquet(path).height


def test_the_emulator_restarted_in_the_middle_costs_time_and_nothing_else(
    stack: Stack, tmp_path: Path
) -> None:
    path = a_slice(tmp_path, 120_000, 12_000)
    process = start(stack, "--file", str(path))
    wait_until(lambda: _is_under_way(stack, pl.read_parquet(path).height))
    stack.supervisor.stop_program("emulator")
    stack.supervisor.start_program("emulator")
    output, _ = process.communicate(timeout=600)
    assert process.returncode == 0, output
    assert "All checks hold" in output


def _is_under_way(stack: Stack, rows: int) -> bool:
    run = stack.table("ops").get_item(Key=keys.replay_run("latest")).get("Item", {})
    return bool(run.get("rows_total") == rows and run["rows_sent"] and run["lag_rows"] > 0)


def _kill_functions(stack: Stack) -> int:
    """SIGKILL to every process that runs a function of this stack's emulator."""
    state = str(stack.at.state / "emulator")
    victims = [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(state in part and "lambda" in part for part in process.info["cmdline"] or [])
    ]
    for victim in victims:
        victim.kill()
    return len(victims)


def test_a_damaged_row_is_quarantined_and_the_rest_accounted_for(
    stack: Stack, tmp_path: Path
) -> None:
    path = tmp_path / "damaged.csv"
    path.write_text(
        "\n".join(
            [
                HEADER,
                "D1,A,MUG,2,2009-12-09 12:50:00,2.55,17850,France",
                "D1,B,CUP,two,2009-12-09 12:50:00,2.55,17850,France",
                "D2,A,MUG,1,yesterday,2.55,17850,France",
                "D3,A,MUG,1,2009-12-09 13:50:00,0.00,17850,France",
                "CD4,A,MUG,-1,2009-12-09 14:50:00,2.55,17850,France",
            ]
        )
    )
    output = replay(stack, "--file", str(path))
    assert report(stack)["rows_by_class"] == {
        "corrupt_row": 2, "refund": 1, "sale": 1, "zero_price": 1,
    }  # fmt: skip
    checks = {check["name"]: check["right"] for check in report(stack)["checks"]}
    assert checks["log = quarantine: corrupt_row"] == 2
    assert checks["log = lake: gross"] == 510
    assert "All checks hold" in output


def test_an_unseen_log_of_the_same_columns_goes_through_and_adds_up(
    stack: Stack, tmp_path: Path
) -> None:
    path = tmp_path / "unseen.txt"
    expected = write_unseen_log(path, "UNSEEN")
    output = replay(stack, "--file", str(path))
    found = report(stack)
    assert "All checks hold" in output
    assert found["rows_by_class"] == expected.fates
    assert found["corrupt_rows_by_fault"] == expected.faults
    assert sum(found["rows_by_class"].values()) == found["rows_done"] == expected.rows
    lake = {check["name"]: check["right"] for check in found["checks"]}
    assert lake["log = lake: gross"] == expected.gross
    assert lake["log = lake: refunds"] == expected.refunds
    refused = {fate: rows for fate, rows in expected.fates.items() if fate in QUARANTINED}
    assert {fate: lake[f"log = quarantine: {fate}"] for fate in refused} == refused
    assert "Quantity: not whole" in output
    assert "equal to an earlier row of their invoice" in output


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\n1,2\n", "lacks the columns InvoiceNo, StockCode"),
        (HEADER + "\n", "has no rows"),
        (None, "There is no file"),
        ("", "cannot be read"),
    ],
)
def test_an_unusable_file_is_refused_with_a_clear_message(
    stack: Stack, tmp_path: Path, content: str | None, message: str
) -> None:
    path = tmp_path / "log.csv"
    if content is not None:
        path.write_text(content)
    output = replay(stack, "--file", str(path), expect=2)
    assert message in output
    assert "Traceback" not in output
