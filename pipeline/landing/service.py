"""Lands one batch of the stream."""

from collections.abc import Sequence
from typing import Protocol

import polars as pl

from pipeline.landing.domain import quarantine_key, raw_key, sort_out
from pipeline.runtime.kinesis import StreamRecord
from pipeline.runtime.logs import get_logger

log = get_logger()


class Files(Protocol):
    def write(self, key: str, frame: pl.DataFrame) -> None:
        """One Parquet object, replacing it."""


def land(records: Sequence[StreamRecord], files: Files) -> None:
    """Writes every record to quarantine or raw before it returns.

    Raises only what may pass (the store is down), so that the batch is delivered again.
    """
    raw, refused = sort_out(records)
    if refused.height:
        files.write(quarantine_key(records), refused)
        log.warning("landing.quarantined", records=refused.height)
    # Also when it is empty: the newest file's name says how far landing has come.
    files.write(raw_key(records), raw)
