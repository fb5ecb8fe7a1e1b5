"""Queues, the stream's readers, functions, tables and the lake, as AWS (or the emulator) says."""

import json
import time
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from console import wording
from console.queries import clients
from console.settings import ROOT, settings
from pipeline.contracts import keys

_TOPOLOGY = ROOT / "iac" / "topology"
_LAKE_PREFIXES = ("raw/", "curated/", "quarantine/")
_MAX_OBJECTS = 20_000
_MAX_LAG_RECORDS = 2_000


@dataclass(frozen=True, slots=True)
class Queue:
    """`waiting` and `in_flight` are counts; `backlog_s`: how long it has not been seen empty."""

    name: str
    waiting: int
    in_flight: int
    backlog_s: float | None
    is_dead_letter: bool


@dataclass(frozen=True, slots=True)
class Lag:
    """Records of the stream that a reader has not reached, and the age of the oldest of them."""

    reader: str
    records: int
    is_more: bool
    oldest_s: float | None


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    state: str
    source: str
    last_result: str


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    status: str
    items: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class LakePart:
    prefix: str
    files: int
    size_bytes: int
    newest_at: datetime | None
    is_more: bool


@cache
def declared(kind: str) -> dict[str, Any]:
    """What `iac/topology/<kind>.json` declares, by short name."""
    content: dict[str, Any] = json.loads((_TOPOLOGY / f"{kind}.json").read_text())
    return content


def queue_names() -> list[str]:
    """Every declared queue and its dead-letter queue, by short name."""
    queues = declared("queues")
    dead = [f"{name}-dlq" for name, facts in queues.items() if facts.get("max_receives")]
    return [*queues, *dead]


_not_empty_since: dict[str, float] = {}


def read_queue(name: str) -> Queue:
    sqs = clients.quick("sqs")
    url = sqs.get_queue_url(QueueName=settings().names.queue(name))["QueueUrl"]
    wanted = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    facts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=wanted)["Attributes"]
    waiting, in_flight = (int(facts.get(attribute, 0)) for attribute in wanted)
    now = time.monotonic()
    if waiting:
        since = _not_empty_since.setdefault(name, now)
    else:
        _not_empty_since.pop(name, None)
        since = None
    # What was put aside after failing counts as dead, whichever way it came there.
    is_dead = name.endswith("-dlq") or not declared("queues").get(name, {}).get("max_receives")
    return Queue(name, waiting, in_flight, None if since is None else now - since, is_dead)


def read_folding_lag() -> list[Lag]:
    """Per shard. `STATE#folding` holds the last folded sequence number of each shard."""
    state = _find(settings().names.table("analytics"), keys.progress("folding"))
    marks = {
        name.partition("|")[2]: str(value)
        for name, value in state.items()
        if name.startswith("sequence|")
    }
    return [_lag("folding", shard, first, marks.get(shard)) for shard, first in _shards()]


def read_landing_lag() -> list[Lag]:
    """Per shard. A raw file's name ends with the last sequence number it holds."""
    newest: dict[str, str] = {}
    for item in _newest_raw():
        parts = item.rsplit("/", 1)[-1].removesuffix(".parquet").rsplit("-", 2)
        if len(parts) == 3:
            newest[parts[0]] = max(newest.get(parts[0], ""), parts[2], key=_number)
    return [_lag("landing", shard, first, newest.get(shard)) for shard, first in _shards()]


def read_functions() -> list[Function]:
    aws = clients.quick("lambda")
    sources: dict[str, tuple[str, str]] = {}
    for mapping in aws.list_event_source_mappings(MaxItems=100)["EventSourceMappings"]:
        name = str(mapping.get("FunctionArn", "")).split(":function:")[-1].split(":")[0]
        source = str(mapping.get("EventSourceArn", ""))
        label = f"{source.split(':')[2]} {_short(source)}" if source.count(":") > 2 else source
        state = str(mapping.get("State", ""))
        sources[name] = (
            label if state == "Enabled" else f"{label} ({state})",
            str(mapping.get("LastProcessingResult", "")),
        )
    found = {f["FunctionName"]: f for f in aws.list_functions(MaxItems=50)["Functions"]}
    result = []
    for short in declared("functions"):
        name = settings().names.function(short)
        source, last = sources.get(name, ("schedule or direct", ""))
        facts = found.get(name)
        state = "missing" if facts is None else str(facts.get("State") or "Active")
        result.append(Function(short, state, source, last))
    return result


def read_tables() -> list[Table]:
    aws = clients.quick("dynamodb")
    tables = []
    for short in declared("tables"):
        facts = aws.describe_table(TableName=settings().names.table(short))["Table"]
        tables.append(
            Table(
                short,
                str(facts.get("TableStatus")),
                int(facts.get("ItemCount") or 0),
                int(facts.get("TableSizeBytes") or 0),
            )
        )
    return tables


def read_lake() -> list[LakePart]:
    """Files and bytes of each prefix; a prefix with too many files says so instead of waiting."""
    pages = clients.quick("s3").get_paginator("list_objects_v2")
    parts = []
    for prefix in _LAKE_PREFIXES:
        files = size = 0
        newest: datetime | None = None
        for page in pages.paginate(Bucket=settings().names.lake_bucket, Prefix=prefix):
            for found in page.get("Contents", []):
                files += 1
                size += int(found["Size"])
                newest = max(newest or found["LastModified"], found["LastModified"])
            if files >= _MAX_OBJECTS:
                break
        parts.append(LakePart(prefix.rstrip("/"), files, size, newest, files >= _MAX_OBJECTS))
    return parts


def _shards() -> list[tuple[str, str]]:
    """(shard, its first sequence number)."""
    stream = settings().names.events_stream
    found = clients.quick("kinesis").list_shards(StreamName=stream)["Shards"]
    return [
        (str(shard["ShardId"]), str(shard["SequenceNumberRange"]["StartingSequenceNumber"]))
        for shard in found
    ]


def _lag(reader: str, shard: str, first: str, mark: str | None) -> Lag:
    kinesis, stream = clients.quick("kinesis"), settings().names.events_stream
    start = {"ShardIteratorType": "TRIM_HORIZON"}
    if mark:
        # Marks are padded so that they compare as text; the stream wants its own width.
        exact = mark.lstrip("0").zfill(len(first))
        start = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": exact}
    iterator = kinesis.get_shard_iterator(StreamName=stream, ShardId=shard, **start)
    answer = kinesis.get_records(ShardIterator=iterator["ShardIterator"], Limit=_MAX_LAG_RECORDS)
    records = answer["Records"]
    oldest = None
    if records:
        arrived = records[0]["ApproximateArrivalTimestamp"]
        oldest = max(0.0, time.time() - arrived.timestamp())
    return Lag(reader, len(records), len(records) >= _MAX_LAG_RECORDS, oldest)


def _newest_raw() -> list[str]:
    """Keys of the newest hour's raw files (partitions are by arrival, so they sort by time)."""
    s3, bucket = clients.quick("s3"), settings().names.lake_bucket
    prefix = "raw/"
    for _ in ("dt", "hour"):
        page = s3.list_objects_v2(Bucket=bucket, Prefix=prefix, Delimiter="/")
        folders = [found["Prefix"] for found in page.get("CommonPrefixes", [])]
        if not folders:
            return []
        prefix = max(folders)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [str(found["Key"]) for page in pages for found in page.get("Contents", [])]


def _find(table: str, key: dict[str, str]) -> dict[str, Any]:
    item = clients.table(table).get_item(Key=key).get("Item") or {}
    return dict(clients.plain(item))


def _number(sequence: str) -> int:
    return int(sequence) if sequence.isdigit() else -1


def _short(arn: str) -> str:
    """`has-local-events` of a stream's, queue's or table's ARN."""
    tail = arn.split(":", 5)[-1]
    return tail.split("/")[1] if "/" in tail else tail.rsplit(":", 1)[-1]


def newest_words(at: datetime | None, now: datetime) -> str:
    return "never" if at is None else f"{wording.age((now - at).total_seconds())} ago"
