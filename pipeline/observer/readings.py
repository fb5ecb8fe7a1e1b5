"""What the machinery shows from outside: queues, readers of the stream, processes.

Each function reads one source and returns gauges; what a source does not answer is left out.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from pipeline.contracts import keys
from pipeline.contracts.names import Names
from pipeline.runtime import aws, landed, supervisor_rpc
from pipeline.runtime.families import families
from pipeline.runtime.metrics import Unit

_MAX_LAG_RECORDS = 1_000
_TIMEOUT_S = 3


@dataclass(frozen=True, slots=True)
class Gauge:
    """One reading. `is_sum` says that it is an amount since the last one, to be added up."""

    name: str
    value: float
    unit: Unit
    dimensions: dict[str, str]
    is_sum: bool = False


class Queues:
    """Depth, and for how long each queue has not been seen empty (SQS tells no age here)."""

    def __init__(self, names: Names) -> None:
        self._prefix = names.of("")
        self._waiting_since: dict[str, float] = {}

    def read(self) -> Iterator[Gauge]:
        sqs = aws.plain_client("sqs")
        found = sqs.list_queues(QueueNamePrefix=self._prefix, MaxResults=100)
        wanted = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        for url in found.get("QueueUrls", []):
            name = url.rsplit("/", 1)[-1].removeprefix(self._prefix)
            facts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=wanted)["Attributes"]
            waiting, in_flight = (int(facts.get(attribute, 0)) for attribute in wanted)
            age_s = self._age_s(name, waiting)
            of = {"Queue": name}
            is_dead = name.endswith("-dlq") or name == "stream-failures"
            yield Gauge("DeadLetters" if is_dead else "QueueDepth", waiting, "Count", of)
            yield Gauge("QueueAge", age_s, "Seconds", of)
            if not is_dead:
                yield Gauge("QueueInFlight", in_flight, "Count", of)

    def _age_s(self, name: str, waiting: int) -> float:
        if not waiting:
            self._waiting_since.pop(name, None)
            return 0.0
        return time.monotonic() - self._waiting_since.setdefault(name, time.monotonic())


def read_stream(names: Names) -> Iterator[Gauge]:
    """Per reader and shard: records not read yet, and the age of the oldest of them."""
    kinesis = aws.plain_client("kinesis")
    folding = aws.plain_client("dynamodb").get_item(
        TableName=names.table("analytics"),
        Key={name: {"S": value} for name, value in keys.progress("folding").items()},
    ).get("Item", {})  # fmt: skip
    folded = {
        name.partition("|")[2]: value["S"]
        for name, value in folding.items()
        if name.startswith("sequence|")
    }
    shards = kinesis.list_shards(StreamName=names.events_stream)["Shards"]
    reached = landed.sequences(names, (shard["ShardId"] for shard in shards))
    for shard in shards:
        shard_id = shard["ShardId"]
        width = len(shard["SequenceNumberRange"]["StartingSequenceNumber"])
        for reader, marks in (("folding", folded), ("landing", reached)):
            count, age_s = _lag(names.events_stream, shard_id, marks.get(shard_id), width)
            of = {"Reader": reader}
            yield Gauge("StreamLag", age_s, "Seconds", of)
            yield Gauge("StreamBacklog", count, "Count", of)
            layer = {"folding": "aggregates", "landing": "raw"}[reader]
            yield Gauge("Freshness", age_s, "Seconds", {"Layer": layer})


def _lag(stream: str, shard: str, mark: str | None, width: int) -> tuple[int, float]:
    """(records after the mark, at most a thousand; seconds since the first of them arrived)."""
    kinesis = aws.plain_client("kinesis")
    iterator = kinesis.get_shard_iterator(
        StreamName=stream, ShardId=shard, **landed.start_after(mark, width)
    )
    records = kinesis.get_records(
        ShardIterator=iterator["ShardIterator"], Limit=_MAX_LAG_RECORDS
    )["Records"]  # fmt: skip
    if not records:
        return 0, 0.0
    arrived: datetime = records[0]["ApproximateArrivalTimestamp"]
    return len(records), max(0.0, time.time() - arrived.timestamp())


def read_drift(names: Names) -> Iterator[Gauge]:
    """Figures that differed in the last reconciliation, by reason; repaired ones are left out."""
    last = aws.plain_client("dynamodb").get_item(
        TableName=names.table("ops"),
        Key={name: {"S": value} for name, value in keys.job("RECONCILIATION", "latest").items()},
        ProjectionExpression="by_reason",
    ).get("Item", {})  # fmt: skip
    for reason, amount in last.get("by_reason", {}).get("M", {}).items():
        yield Gauge("AggregateDrift", float(amount["N"]), "Count", {"Reason": reason})


class Processes:
    """CPU and memory of what supervisor runs, the functions below the emulator included."""

    def __init__(self, socket_path: Path) -> None:
        self._socket_path = socket_path
        self._known: dict[int, psutil.Process] = {}

    def read(self) -> Iterator[Gauge]:
        alive: dict[int, psutil.Process] = {}
        with supervisor_rpc.connect(self._socket_path, _TIMEOUT_S) as rpc:
            programs: Any = rpc.supervisor.getAllProcessInfo()
        pids = {str(one["name"]): int(one["pid"]) for one in programs if one["pid"]}
        by_root = families(pids.values())
        for name, pid in pids.items():
            cpu, rss = 0.0, 0
            for member in by_root[pid]:
                try:
                    # It counts since its last call, so the same objects are asked each time.
                    process = self._known.get(member) or psutil.Process(member)
                    cpu += process.cpu_percent()
                    rss += process.memory_info().rss
                except psutil.Error:
                    continue  # it ended meanwhile
                alive[member] = process
            of = {"Program": name}
            yield Gauge("ProcessCpu", round(cpu, 1), "Percent", of)
            yield Gauge("ProcessMemory", rss, "Bytes", of)
        self._known = alive
        yield Gauge("HostCpu", psutil.cpu_percent(), "Percent", {})
        yield Gauge("HostMemory", psutil.virtual_memory().percent, "Percent", {})
