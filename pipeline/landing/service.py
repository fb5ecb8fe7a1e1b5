"""Lands one batch of the stream."""

from collections.abc import Sequence
from typing import Protocol

import polars as pl

from pipeline.landing.domain import quarantine_key, raw_key, sort_out
from pipeline.runtime.clock import Clock, now
from pipeline.runtime.kinesis import StreamRecord
from pipeline.runtime.logs import get_logger
from pipeline.runtime.metrics import metrics

log = get_logger()


class Files(Protocol):
    def write(self, key: str, frame: pl.DataFrame) -> int:
        """One Parquet object, replacing it; returns its bytes."""


def land(records: Sequence[StreamRecord], files: Files, clock: Clock = now) -> None:
    """Writes every record to quarantine or raw before it returns.

    Raises only what may pass (the store is down), so that the batch is delivered again.
    """
    raw, refused = sort_out(records)
    if refused.height:
        written = files.write(quarantine_key(records), refused)
        for reason, number in refused["reason"].value_counts().iter_rows():
            metrics.add("EventsQuarantined", number, Reason=reason)
        _count_file("quarantine", written)
        log.warning("landing.quarantined", records=refused.height)
    # Also when it is empty: the newest file's name says how far landing has come.
    _count_file("raw", files.write(raw_key(records), raw))
    metrics.add("EventsLanded", raw.height)
    delay_ms = (clock() - records[0].arrived_at).total_seconds() * 1000
    metrics.observe("LandingDelay", max(0.0, delay_ms), "Milliseconds")


def _count_file(part: str, size_bytes: int) -> None:
    metrics.add("FilesWritten", 1, Prefix=part)
    metrics.add("BytesWritten", size_bytes, "Bytes", Prefix=part)
