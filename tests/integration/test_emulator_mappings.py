"""The emulator serves each event source mapping by itself, at its pace, and in full batches."""

import io
import json
import os
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from tests.conftest import Stack, wait_until

# Notes each batch, and its own niceness, in a file; with a gate it then stays until the gate's
# file is there.
CODE = """
import os, pathlib, time

def handler(event, context):
    with open(os.environ["NOTES"], "a") as notes:
        notes.write(f"{len(event['Records'])} {os.nice(0)}\\n")
    gate = os.environ.get("GATE")
    while gate and not pathlib.Path(gate).exists():
        time.sleep(0.05)
"""


@dataclass
class Reader:
    """A function that reads a stream of its own."""

    stack: Stack
    name: str
    notes: Path

    def send(self, count: int) -> None:
        records = [{"Data": json.dumps(n).encode(), "PartitionKey": "p"} for n in range(count)]
        self.stack.aws("kinesis").put_records(StreamName=self.name, Records=records)

    def batches(self) -> list[int]:
        return [int(line.split()[0]) for line in self.notes.read_text().splitlines()]

    def niceness(self) -> set[int]:
        return {int(line.split()[1]) for line in self.notes.read_text().splitlines()}

    def has_read(self, count: int) -> bool:
        return sum(self.batches()) == count


class Readers:
    def __init__(self, stack: Stack, folder: Path) -> None:
        self._stack, self._folder = stack, folder
        self._made: list[tuple[str, str]] = []

    def make(self, *, batch_size: int = 500, window_s: int = 0, gate: Path | None = None) -> Reader:
        name, aws = f"reader-{uuid4().hex[:8]}", self._stack.aws
        notes = self._folder / name
        notes.touch()
        variables = {"NOTES": str(notes)} | ({"GATE": str(gate)} if gate else {})
        aws("kinesis").create_stream(StreamName=name, ShardCount=1)
        function = aws("lambda").create_function(
            FunctionName=name, Runtime="python3.12", Handler="main.handler", Timeout=900,
            Role="arn:aws:iam::000000000000:role/reader", Code={"ZipFile": _zipped(CODE)},
            Environment={"Variables": variables},
        )  # fmt: skip
        stream = aws("kinesis").describe_stream_summary(StreamName=name)
        mapping = aws("lambda").create_event_source_mapping(
            EventSourceArn=stream["StreamDescriptionSummary"]["StreamARN"],
            FunctionName=function["FunctionName"], StartingPosition="TRIM_HORIZON",
            BatchSize=batch_size, MaximumBatchingWindowInSeconds=window_s,
        )  # fmt: skip
        self._made.append((name, mapping["UUID"]))
        return Reader(self._stack, name, notes)

    def remove(self) -> None:
        for name, mapping in self._made:
            self._stack.aws("lambda").delete_event_source_mapping(UUID=mapping)
            self._stack.aws("lambda").delete_function(FunctionName=name)
            self._stack.aws("kinesis").delete_stream(StreamName=name)


def _zipped(code: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("main.py", code)
    return content.getvalue()


@pytest.fixture
def readers(emulator: Stack, tmp_path: Path) -> Iterator[Readers]:
    made = Readers(emulator, tmp_path)
    yield made
    made.remove()


@pytest.mark.parametrize(("window_s", "apart_s"), [(0, 0.5), (2, 2.0)])
def test_a_busy_stream_is_handed_over_no_more_often_than_its_pace_and_its_window(
    readers: Readers, window_s: int, apart_s: float
) -> None:
    reader = readers.make(window_s=window_s)
    started, sent = time.monotonic(), 0
    while time.monotonic() - started < 5:
        reader.send(1)
        sent += 1
        time.sleep(0.05)
    wait_until(lambda: reader.has_read(sent))
    lasted_s = time.monotonic() - started
    assert len(reader.batches()) <= lasted_s / apart_s + 2


def test_who_is_behind_gets_one_full_batch_after_the_other(readers: Readers) -> None:
    reader = readers.make(batch_size=10, window_s=300)  # longer than this test waits
    reader.send(50)
    wait_until(lambda: reader.has_read(50))
    assert reader.batches() == [10] * 5
    # Five at once would leave a shopper's request a share of a core.
    assert min(reader.niceness()) > os.nice(0)


def test_a_slow_function_holds_up_no_other(readers: Readers, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    slow, quick = readers.make(gate=gate), readers.make()
    try:
        slow.send(1)
        wait_until(lambda: slow.has_read(1))
        quick.send(1)
        wait_until(lambda: quick.has_read(1))
    finally:
        gate.touch()
