"""What was written is there after a stop, and after a kill; nobody on a stream is forgotten."""

import io
import os
import signal
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from iac.local.health import is_healthy
from pipeline.runtime.clock import new_id
from tests.conftest import Stack, wait_until

_PROBE = """
import boto3
table = boto3.resource("dynamodb").Table("has-local-ops")
def handler(event, context):
    for record in event["Records"]:
        table.put_item(Item={"pk": "PROBE#SEEN", "sk": record["dynamodb"]["Keys"]["pk"]["S"]})
"""


@pytest.fixture
def probe(emulator: Stack) -> Iterator[Stack]:
    """A function on the orders table's stream that notes each item of `sk` PROBE it is shown."""
    functions, name = emulator.aws("lambda"), "has-local-probe"
    functions.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role="arn:aws:iam::000000000000:role/probe",
        Handler="probe.handler",
        Code={"ZipFile": _zip("probe.py", _PROBE)},
        Timeout=30,
    )
    table = emulator.aws("dynamodb").describe_table(TableName="has-local-orders")["Table"]
    mapping = functions.create_event_source_mapping(
        FunctionName=name,
        EventSourceArn=table["LatestStreamArn"],
        StartingPosition="TRIM_HORIZON",
        FilterCriteria={
            "Filters": [{"Pattern": '{"dynamodb": {"Keys": {"sk": {"S": ["PROBE"]}}}}'}]
        },
    )
    yield emulator
    functions.delete_event_source_mapping(UUID=mapping["UUID"])
    functions.delete_function(FunctionName=name)


def test_records_of_a_stream_reach_their_function_across_a_restart(probe: Stack) -> None:
    for _ in range(3):  # so that the function's place is past the beginning when it is saved
        before = _write(probe)
        wait_until(lambda pk=before: pk in _seen(probe))  # type: ignore[misc]
    probe.supervisor.stop_program("emulator")
    _start(probe)
    after = _write(probe)
    wait_until(lambda: after in _seen(probe))


def test_a_kill_loses_nothing_that_was_in_the_last_snapshot(probe: Stack) -> None:
    kept = _write(probe)
    state = probe.at.state / "emulator" / "state"
    tables, queues = state / "dynamodb.json", state / "sqs.json"
    probe.supervisor.save_emulator_state()
    # Files are written one after the other, those of tables first and of queues last.
    wait_until(lambda: tables.exists() and kept in tables.read_text())
    wait_until(lambda: queues.exists() and queues.stat().st_mtime >= tables.stat().st_mtime)
    os.kill(probe.supervisor.running()["emulator"].pid, signal.SIGKILL)
    wait_until(lambda: _is_ready(probe))
    item = probe.aws("dynamodb").get_item(
        TableName="has-local-orders", Key={"pk": {"S": kept}, "sk": {"S": "PROBE"}}
    )
    assert "Item" in item
    wait_until(lambda: kept in _seen(probe))


def _write(stack: Stack) -> str:
    pk = new_id()
    stack.aws("dynamodb").put_item(
        TableName="has-local-orders", Item={"pk": {"S": pk}, "sk": {"S": "PROBE"}}
    )
    return pk


def _seen(stack: Stack) -> set[str]:
    answer: dict[str, Any] = stack.aws("dynamodb").query(
        TableName="has-local-ops",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "PROBE#SEEN"}},
        ConsistentRead=True,
    )
    return {item["sk"]["S"] for item in answer["Items"]}


def _start(stack: Stack) -> None:
    stack.supervisor.start_program("emulator")
    wait_until(lambda: _is_ready(stack))


def _is_ready(stack: Stack) -> bool:
    return is_healthy(f"{stack.at.url(stack.at.emulator)}/_ministack/ready")


def _zip(name: str, text: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, text)
    return buffer.getvalue()
