"""The emulator serves each event source mapping by itself, at its pace, and in full batches."""

import io
import json
import os
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import pytest

from tests.conftest import Stack, wait_until

# Notes its start, each batch and its own niceness in a file; with a gate it then stays until the
# gate's file is there.
CODE = """
import os, pathlib, time

with open(os.environ["NOTES"], "a") as notes:
    notes.write("started\\n")

def handler(event, context):
    with open(os.environ["NOTES"], "a") as notes:
        notes.write(f"{len(event['Records'])} {os.nice(0)}\\n")
    gate = os.environ.get("GATE")
    while gate and not pathlib.Path(gate).exists():
        time.sleep(0.05)
"""


@dataclass
class Reader:
    """A function that reads a stream, or a queue, of its own."""

    stack: Stack
    name: str
    notes: Path

    def send(self, count: int) -> None:
        records = [{"Data": json.dumps(n).encode(), "PartitionKey": "p"} for n in range(count)]
        self.stack.aws("kinesis").put_records(StreamName=self.name, Records=records)

    def batches(self) -> list[int]:
        return [int(size) for size, _ in self._noted()]

    def niceness(self) -> set[int]:
        return {int(niceness) for _, niceness in self._noted()}

    def starts(self) -> int:
        return self.notes.read_text().split().count("started")

    def _noted(self) -> list[list[str]]:
        lines = [line.split() for line in self.notes.read_text().splitlines()]
        return [words for words in lines if len(words) == 2]

    def has_read(self, count: int) -> bool:
        return sum(self.batches()) == count


class QueueReader(Reader):
    def send(self, count: int) -> None:
        sqs = self.stack.aws("sqs")
        url = sqs.get_queue_url(QueueName=self.name)["QueueUrl"]
        for first in range(0, count, 10):
            entries = [{"Id": str(n), "MessageBody": "m"} for n in range(min(10, count - first))]
            sqs.send_message_batch(QueueUrl=url, Entries=entries)


class Readers:
    def __init__(self, stack: Stack, folder: Path) -> None:
        self._stack, self._folder = stack, folder
        self._undo: list[Callable[[], object]] = []

    def make(self, *, batch_size: int = 500, window_s: int = 0, gate: Path | None = None) -> Reader:
        name, kinesis = f"reader-{uuid4().hex[:8]}", self._stack.aws("kinesis")
        kinesis.create_stream(StreamName=name, ShardCount=1)
        self._undo.append(lambda: kinesis.delete_stream(StreamName=name))
        stream = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
        notes = self._map(
            name, stream["StreamARN"], gate, StartingPosition="TRIM_HORIZON",
            BatchSize=batch_size, MaximumBatchingWindowInSeconds=window_s,
        )  # fmt: skip
        return Reader(self._stack, name, notes)

    def make_of_queue(self, *, batch_size: int, gate: Path | None = None) -> QueueReader:
        name, sqs = f"reader-{uuid4().hex[:8]}", self._stack.aws("sqs")
        hidden_s = {"VisibilityTimeout": "900"}
        url = sqs.create_queue(QueueName=name, Attributes=hidden_s)["QueueUrl"]
        self._undo.append(lambda: sqs.delete_queue(QueueUrl=url))
        queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
        notes = self._map(
            name, queue["QueueArn"], gate,
            BatchSize=batch_size, MaximumBatchingWindowInSeconds=1,
        )  # fmt: skip
        return QueueReader(self._stack, name, notes)

    def _map(self, name: str, source: str, gate: Path | None, **how: Any) -> Path:
        """A function that reads this source; the file it writes its notes to."""
        client, notes = self._stack.aws("lambda"), self._folder / name
        notes.touch()
        variables = {"NOTES": str(notes)} | ({"GATE": str(gate)} if gate else {})
        client.create_function(
            FunctionName=name, Runtime="python3.12", Handler="main.handler", Timeout=900,
            Role="arn:aws:iam::000000000000:role/reader", Code={"ZipFile": _zipped(CODE)},
            Environment={"Variables": variables},
        )  # fmt: skip
        self._undo.append(lambda: client.delete_function(FunctionName=name))
        mapping = client.create_event_source_mapping(
            EventSourceArn=source, FunctionName=name, **how
        )
        self._undo.append(lambda: client.delete_event_source_mapping(UUID=mapping["UUID"]))
        return notes

    def remove(self) -> None:
        for undo in reversed(self._undo):
            undo()


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


def test_messages_wait_for_the_batch_under_way_unless_they_fill_another(
    readers: Readers, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    slow, other = (
        readers.make_of_queue(batch_size=20, gate=gate),
        readers.make_of_queue(batch_size=20),
    )
    try:
        slow.send(1)
        wait_until(lambda: slow.has_read(1))
        slow.send(19)
        other.send(1)  # later, so that when it was read, there was a look at those 19
        wait_until(lambda: other.has_read(1))
        assert slow.batches() == [1]
        slow.send(1)
        wait_until(lambda: slow.has_read(21))
        assert slow.batches() == [1, 20]
        slow.send(20)  # a third worker is not woken even for a full one
        other.send(1)
        wait_until(lambda: other.has_read(2))
        assert slow.batches() == [1, 20]
        gate.touch()
        wait_until(lambda: slow.has_read(41))
    finally:
        gate.touch()


def test_a_function_is_started_before_there_is_work_for_it(readers: Readers) -> None:
    reader = readers.make_of_queue(batch_size=10)
    wait_until(lambda: reader.starts() == 1)
    reader.send(1)
    wait_until(lambda: reader.has_read(1))
    assert reader.starts() == 1


def test_no_function_outlives_the_emulator(readers: Readers, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    busy = readers.make(gate=gate)
    busy.send(1)
    wait_until(lambda: busy.has_read(1))
    stack = busy.stack
    program = psutil.Process(stack.supervisor.running()["emulator"].pid)
    functions = program.children(recursive=True)
    assert functions
    try:
        stack.supervisor.stop_program("emulator")
        _, alive = psutil.wait_procs(functions, timeout=5)
        assert alive == []
    finally:
        gate.touch()
        assert stack.run("up", "--until", "emulator").returncode == 0
