"""How far the lake is behind the stream, told by sequence numbers and by no clock.

The names of raw files say what landed. What had reached the stream at a moment is in the lake once
the files reach the last sequence number that could be read at that moment.
"""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

import stamina

from pipeline.contracts.names import Names
from pipeline.runtime import aws

# The stream keeps a record for a day: what landed longer ago than that is nobody's backlog.
_HOURS = 26
_PAGE = 1_000
_MAX_PAGES = 200


class NotLanded(Exception):
    """The lake is behind the stream, and stayed so."""


def sequences(names: Names, shards: Iterable[str]) -> dict[str, str]:
    """Shard -> the last sequence number that landed; without shards of which nothing landed."""
    wanted, newest = set(shards), dict[str, str]()
    for prefix in islice(_hours(names), _HOURS):
        for shard, last in _in_hour(names, prefix).items():
            newest[shard] = max(newest.get(shard, "0"), last, key=int)
        if wanted <= newest.keys():
            break
    return newest


def tips(names: Names) -> dict[str, str]:
    """Shard -> the last sequence number in the stream by now; without those that are empty."""
    kinesis = aws.batch_client("kinesis")
    shards = kinesis.list_shards(StreamName=names.events_stream)["Shards"]
    marks = sequences(names, (shard["ShardId"] for shard in shards))
    found = dict(marks)
    for shard in shards:
        if last := _last_after(names, shard, marks.get(shard["ShardId"])):
            found[shard["ShardId"]] = last
    return found


@stamina.retry(
    on=NotLanded, attempts=60, timeout=60, wait_initial=0.25, wait_max=2, wait_jitter=0.1
)
def wait_for(names: Names, wanted: Mapping[str, str]) -> None:
    """Returns once everything up to these sequence numbers is in the lake; a minute at most.

    Raises: NotLanded.
    """
    marks = sequences(names, wanted)
    behind = [shard for shard, tip in wanted.items() if int(marks.get(shard, "0")) < int(tip)]
    if behind:
        raise NotLanded(f"Landing is behind on {', '.join(sorted(behind))}")


def start_after(mark: str | None, width: int) -> dict[str, Any]:
    """Where to read a shard from, after a mark; from its oldest record without one."""
    if not mark:
        return {"ShardIteratorType": "TRIM_HORIZON"}
    # Marks may be padded so that they compare as text; the stream wants its own width.
    exact = mark.lstrip("0").zfill(width)
    return {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": exact}


def _last_after(names: Names, shard: dict[str, Any], mark: str | None) -> str | None:
    kinesis = aws.batch_client("kinesis")
    width = len(shard["SequenceNumberRange"]["StartingSequenceNumber"])
    iterator = kinesis.get_shard_iterator(
        StreamName=names.events_stream, ShardId=shard["ShardId"], **start_after(mark, width)
    )["ShardIterator"]
    last: str | None = None
    for _ in range(_MAX_PAGES):
        page = kinesis.get_records(ShardIterator=iterator, Limit=_PAGE)
        if page["Records"]:
            last = page["Records"][-1]["SequenceNumber"]
        iterator = page.get("NextShardIterator")
        if not page.get("MillisBehindLatest") or not iterator:
            return last
    raise NotLanded(f"The backlog of {shard['ShardId']} is too long to be read through")


def _hours(names: Names) -> Iterable[str]:
    """Prefixes `raw/dt=…/hour=…/`, the newest first."""
    for day in _folders(names, "raw/"):
        yield from _folders(names, day)


def _folders(names: Names, prefix: str) -> list[str]:
    pages = aws.batch_client("s3").get_paginator("list_objects_v2").paginate(
        Bucket=names.lake_bucket, Prefix=prefix, Delimiter="/"
    )  # fmt: skip
    found = [one["Prefix"] for page in pages for one in page.get("CommonPrefixes", [])]
    return sorted(found, reverse=True)


def _in_hour(names: Names, prefix: str) -> dict[str, str]:
    newest: dict[str, str] = {}
    pages = aws.batch_client("s3").get_paginator("list_objects_v2").paginate(
        Bucket=names.lake_bucket, Prefix=prefix
    )  # fmt: skip
    for page in pages:
        for found in page.get("Contents", []):
            name = found["Key"].rsplit("/", 1)[-1].removesuffix(".parquet")
            shard, _, last = name.rsplit("-", 2)
            newest[shard] = max(newest.get(shard, "0"), last, key=int)
    return newest
