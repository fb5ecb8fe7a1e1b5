"""What a batch of the stream leaves in the lake.

A raw frame is DataFrame[event_id: str, event_type: str, occurred_at: datetime us UTC, source: str,
correlation_id: str, causation_id: str?, partition_key: str, synthetic: bool, payload: str (JSON),
extra: str? (JSON of the envelope's unknown fields), shard: str, sequence_number: str, arrived_at:
datetime us UTC], one row per accepted record, in stream order.

A quarantine frame is DataFrame[event_id: str?, reason: str, detail: str, body: str, source: str?,
arrived_at: datetime us UTC, shard: str, sequence_number: str], one row per refused record.
"""

import json
from collections.abc import Sequence
from typing import Any

import polars as pl

from pipeline.contracts.events import Rejected, parse_event
from pipeline.runtime.kinesis import StreamRecord

_TIME = pl.Datetime("us", "UTC")
RAW: dict[str, Any] = {
    "event_id": pl.String, "event_type": pl.String, "occurred_at": _TIME, "source": pl.String,
    "correlation_id": pl.String, "causation_id": pl.String, "partition_key": pl.String,
    "synthetic": pl.Boolean, "payload": pl.String, "extra": pl.String, "shard": pl.String,
    "sequence_number": pl.String, "arrived_at": _TIME,
}  # fmt: skip
QUARANTINE: dict[str, Any] = {
    "event_id": pl.String, "reason": pl.String, "detail": pl.String, "body": pl.String,
    "source": pl.String, "arrived_at": _TIME, "shard": pl.String, "sequence_number": pl.String,
}  # fmt: skip
Cells = tuple[Any, ...]


def sort_out(records: Sequence[StreamRecord]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(raw frame, quarantine frame): every record is in exactly one of them."""
    raw: list[Cells] = []
    refused: list[Cells] = []
    for record in records:
        try:
            raw.append(_raw_cells(record))
        except Rejected as rejection:
            refused.append(_refused_cells(record, rejection))
    return (
        pl.DataFrame(raw, schema=RAW, orient="row"),
        pl.DataFrame(refused, schema=QUARANTINE, orient="row"),
    )


def batch_name(records: Sequence[StreamRecord]) -> str:
    """A delivery of the same records gets the same name, and so replaces its own file."""
    first, last = records[0], records[-1]
    return f"{first.shard}-{first.sequence_number}-{last.sequence_number}.parquet"


def raw_key(records: Sequence[StreamRecord]) -> str:
    return f"raw/{records[0].arrived_at:dt=%Y-%m-%d/hour=%H}/{batch_name(records)}"


def quarantine_key(records: Sequence[StreamRecord]) -> str:
    return f"quarantine/{records[0].arrived_at:dt=%Y-%m-%d}/{batch_name(records)}"


def _raw_cells(record: StreamRecord) -> Cells:
    event = parse_event(record.body)
    extra = json.dumps(event.model_extra, separators=(",", ":")) if event.model_extra else None
    return (
        event.event_id, event.event_type, event.occurred_at, event.source, event.correlation_id,
        event.causation_id, event.partition_key, event.synthetic,
        json.dumps(event.payload, separators=(",", ":"), ensure_ascii=False), extra,
        record.shard, record.sequence_number, record.arrived_at,
    )  # fmt: skip


def _refused_cells(record: StreamRecord, rejection: Rejected) -> Cells:
    body = record.body.decode("utf-8", "replace")
    named = _names(record.body)
    return (
        named["event_id"], rejection.reason, rejection.detail, body, named["source"],
        record.arrived_at, record.shard, record.sequence_number,
    )  # fmt: skip


def _names(body: bytes) -> dict[str, str | None]:
    """What can still be said of a body that is refused: its id and source, if it has them."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    fields = document if isinstance(document, dict) else {}
    return {
        name: value if isinstance(value := fields.get(name), str) else None
        for name in ("event_id", "source")
    }
