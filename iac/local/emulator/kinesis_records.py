"""The emulator's Kinesis, fit for a stream of a day with hundreds of thousands of records.

By itself ministack copies a shard's whole list for each record put and walks it for each reader.
And it counts a mapping's place from the beginning of that list: when records get older than the
stream's retention they leave it, every place is too far along by then, and as many new records are
never handed to the functions. Here records stay while the process lives, and those that are old and
read by all go, places adjusted, from the state that is written (`forget_old`).
"""

import time
from bisect import bisect_left, bisect_right
from typing import Any

from ministack.services import kinesis, lambda_svc

Records = list[dict[str, Any]]


def complete() -> None:
    """Put the quick ways in place of ministack's own."""
    by_kind = kinesis._start_position

    def start(records: Records, kind: str, number: str | None, at: float | None) -> int | None:
        if number is not None and kind == "AT_SEQUENCE_NUMBER":
            return bisect_left(records, number, key=_number)
        if number is not None and kind == "AFTER_SEQUENCE_NUMBER":
            return bisect_right(records, number, key=_number)
        if at is not None and kind == "AT_TIMESTAMP":
            return bisect_left(records, float(at), key=_arrival)
        position: int | None = by_kind(records, kind, number, at)
        return position

    kinesis._expire_records = _keep
    kinesis._start_position = start


def forget_old() -> None:
    """Drop what is beyond the retention and read. Only for a process that serves nobody."""
    for stream in kinesis._streams._data.values():
        cutoff = time.time() - stream["RetentionPeriodHours"] * 3600
        readers = [
            lambda_svc._kinesis_positions._data.get(scoped, {})
            for scoped, mapping in lambda_svc._esms._data.items()
            if mapping.get("EventSourceArn") == stream["StreamARN"]
        ]
        for shard_id, shard in stream["shards"].items():
            old = bisect_left(shard["records"], cutoff, key=_arrival)
            dropped = min([old, *(places.get(shard_id, 0) for places in readers)])
            del shard["records"][:dropped]
            for places in readers:
                if shard_id in places:
                    places[shard_id] -= dropped


def _keep(stream: dict[str, Any]) -> None:
    pass


def _arrival(record: dict[str, Any]) -> float:
    return float(record["ApproximateArrivalTimestamp"])


def _number(record: dict[str, Any]) -> str:
    return str(record["SequenceNumber"])
