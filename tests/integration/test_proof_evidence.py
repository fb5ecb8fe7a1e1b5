"""What a proof rests on and leaves behind: clients' journals, the signing key, kept reports."""

import json
import re
from pathlib import Path

import httpx
import pytest
from pipeline_stage import own_stage

from loadgen import probe
from loadgen.journal import Journal
from pipeline.contracts import keys
from pipeline.contracts.journal import PART_LINES, folder, part
from pipeline.contracts.names import Names
from pipeline.landing.service import land
from pipeline.landing.store import LakeFiles
from pipeline.proof import __main__ as command
from pipeline.proof.domain import Verdict, console_shows
from pipeline.proof.lake import Journals
from pipeline.proof.signing import sign
from pipeline.proof.store import console_totals, real_totals
from pipeline.proof.under_way import late_readers
from pipeline.runtime import aws
from pipeline.runtime.clock import now
from pipeline.runtime.kinesis import StreamRecord
from pipeline.runtime.lease import Lease
from pipeline.runtime.signed_report import read_published
from tests.conftest import Stack, wait_until

POUNDS = {"amount_minor": 2399, "currency": "GBP"}


@pytest.fixture(scope="module")
def stage(emulator: Stack) -> Names:
    """Of its own; its keys have no value yet, as on AWS before the first proof."""
    names = own_stage(emulator)
    for short in ("proof-signing", "proof-verification"):
        aws.client("secretsmanager").create_secret(Name=names.secret(short))
    return names


def test_a_journal_is_read_as_it_was_written_and_tells_a_killed_writer(stage: Names) -> None:
    ended, killed = Journal(stage, "ended", now), Journal(stage, "killed", now)
    for number in range(PART_LINES + 1):
        ended.note(f"order-{number}", POUNDS, f"load-{number}")
        if number == 10:
            ended.save()
    killed.note("order-a", POUNDS, "")
    killed.save()
    killed.note("order-b", POUNDS, "")
    ended.close()
    reading = Journals(stage)
    first, second = reading.read()
    assert [line.order_id for line in first.told] == [f"order-{n}" for n in range(PART_LINES + 1)]
    assert first.closing is not None
    assert (first.closing.lines, first.missing) == (PART_LINES + 1, 0)
    assert [line.order_id for line in second.told] == ["order-a"], "the rest died with its writer"
    assert (second.closing, second.missing) == (None, 0)

    killed.save()  # a part that has grown is read again
    assert [len(journal.told) for journal in reading.read()] == [PART_LINES + 1, 2]
    gone = folder("ended", now()) + part(0)
    aws.client("s3").delete_object(Bucket=stage.lake_bucket, Key=gone)
    assert [journal.missing for journal in reading.read()] == [PART_LINES, 0]


def test_a_probe_notes_what_it_was_told_and_takes_it_back(stack: Stack) -> None:
    order_id = probe.buy(stack.names, stack.edge_url)
    noted = {line.order_id for journal in Journals(stack.names).read() for line in journal.told}
    assert order_id in noted
    assert probe.has_journal(stack.names)
    row = stack.table("orders").get_item(Key=keys.order(order_id), ConsistentRead=True)["Item"]
    assert row["synthetic"] is True
    states = {entry["status"] for entry in row["timeline"]}
    assert states & {"cancelled", "packed"}, "taken back, or too late for it"


def test_the_console_says_its_own_figures_to_those_who_may_read_the_report(stack: Stack) -> None:
    def agrees() -> bool:
        chart, cards = console_totals(stack.console_url)
        report = real_totals(stack.edge_url, now().date())
        return console_shows(report, chart, cards).verdict is Verdict.VALID

    wait_until(agrees, pause_s=0.5)
    # What the console remembers was read by somebody who may; that lets in nobody else.
    for forged in (b"Bearer forged", b"Bearer caf\xe9"):
        answer = httpx.get(f"{stack.console_url}/figures", headers={"Authorization": forged})
        assert answer.status_code == 401


def test_a_reader_that_lets_a_record_wait_is_late_until_it_has_read(stage: Names) -> None:
    assert late_readers(stage, "landing", "folding", late_s=0) == ""
    sent = aws.client("kinesis").put_record(
        StreamName=stage.events_stream, Data=b"{}", PartitionKey="a"
    )
    said = wait_until(lambda: late_readers(stage, "landing", "folding", late_s=0))
    assert re.fullmatch(r"folding is \d+ s behind, landing is \d+ s behind", said)
    assert late_readers(stage, "landing", late_s=600) == "", "a moment is no delay"
    record = StreamRecord(sent["ShardId"], sent["SequenceNumber"], now(), b"{}")
    land([record], LakeFiles(stage))
    assert late_readers(stage, "landing", late_s=0) == ""


def test_the_key_is_made_once_and_a_kept_report_can_be_checked(
    stage: Names,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    report = {"run_id": "01TEST", "at": "2026-11-27T03:00:00.000Z", "verdict": "holds",
              "duration_s": 2.0, "checks": [{"name": "a claim", "left": "23.99"}]}  # fmt: skip
    signed = sign(stage, report)
    assert sign(stage, report) == signed, "Ed25519 has no dice: the same key, the same signature"
    (key,) = read_published(aws.client("secretsmanager"), stage)
    assert signed["signature"]["key_id"] == key["kid"]

    monkeypatch.setenv("HAS_STAGE", stage.stage)
    monkeypatch.setenv("HAS_STATE_DIR", str(tmp_path))

    def verified(which: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["make prove", "--verify", which])
        return command.main(), " ".join(capsys.readouterr().out.split())

    path = tmp_path / "report.json"
    path.write_text(json.dumps(signed, indent=2))
    code, said = verified(str(path))
    assert (code, f"Signature verified: key {key['kid']}" in said) == (0, True), said
    aws.table(stage.table("ops")).put_item(
        Item={**keys.past_proof("01TEST"), "report": json.dumps(signed)}
    )
    assert verified("01TEST")[0] == 0, "by its id, from the history"

    path.write_text(path.read_text().replace("23.99", "23.98"))
    code, said = verified(str(path))
    assert (code, "NOT verified" in said) == (1, True), said
    path.write_text("{")
    assert verified(str(path))[0] == 2
    assert verified("no-such-proof")[0] == 2


def test_one_proof_at_a_time(
    stage: Names,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("HAS_STAGE", stage.stage)
    monkeypatch.setenv("HAS_STATE_DIR", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["make prove"])
    lease = Lease(aws.table(stage.table("ops")), "proof")
    assert lease.take("another proof", now(), 600)
    assert command.main() == 2
    assert "Another proof is running" in capsys.readouterr().out
    assert lease.find_holder(now()) == "another proof"
