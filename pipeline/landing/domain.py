"""What a batch of the stream leaves in the lake.

Frames: RAW and QUARANTINE of `pipeline.runtime.facts`.
"""

import json
from collections.abc import Sequence
from typing import Any

import polars as pl
from pydantic_core import to_json

from pipeline.contracts.events import Envelope, Open, Rejected, parse_fact
from pipeline.runtime.facts import QUARANTINE, RAW
from pipeline.runtime.kinesis import StreamRecord

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
    event, fact = parse_fact(record.body)
    return (
        event.event_id, event.event_type, event.occurred_at, event.source, event.correlation_id,
        event.causation_id, event.partition_key, event.synthetic,
        to_json(event.payload).decode(), _extra(event, fact),
        record.shard, record.sequence_number, record.arrived_at,
    )  # fmt: skip


def _extra(event: Envelope, fact: Open | None) -> str | None:
    """What no schema knows, as JSON: fields of the envelope, under `payload` those of the payload.

    No field of the envelope is hidden by that name: a payload it has itself.
    """
    beyond = fact.unknown() if fact else None
    found = {**event.unknown(), **({"payload": beyond} if beyond else {})}
    return to_json(found).decode() if found else None


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
        # An unpaired surrogate is a string to Python and not to Parquet.
        name: value.encode("utf-8", "replace").decode() if isinstance(value, str) else None
        for name in ("event_id", "source")
        for value in [fields.get(name)]
    }
