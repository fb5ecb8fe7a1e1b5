"""Files of sessions: one beside each curated file of clicks, made of that very version of it.

`sessions/dt=<date>/<digest>-<rows>.parquet`: the digest is of the clicks' key and ETag, so that a
file is what its name says for good, and who makes it once more writes the same. A curated file is
small enough to be held, so its sessions are; those of all files are gone through in parts.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from pipeline.contracts.names import Names
from pipeline.funnel.domain import DEFINITION, SESSIONS, Funnels, funnels_of, sessions_of
from pipeline.runtime import aws, s3
from pipeline.runtime.facts import CLICKSTREAM
from pipeline.runtime.lake import Lake, LakeObject
from pipeline.runtime.packs import digest

_CLICKS = f"curated/{CLICKSTREAM.name}/"
_KEPT = f"{SESSIONS.name}/"
# Held at a time, with some 100 bytes each.
ROWS_AT_ONCE = 2_000_000
# A pass reads the groups of its parts, and of every file one more than it needs.
_ROW_GROUP = 10_000


class Changed(Exception):
    """A file was replaced or taken away since it was listed: look again."""


@dataclass(frozen=True, slots=True)
class Found:
    """The files there are, by the digest of their version of the clicks."""

    clicks: Mapping[str, LakeObject]
    kept: Mapping[str, LakeObject]

    @property
    def digest(self) -> str:
        """Of all clicks."""
        return digest(DEFINITION, list(self.clicks.values()))

    @property
    def missing(self) -> Sequence[LakeObject]:
        """Clicks whose sessions are not kept."""
        return [one for version, one in self.clicks.items() if version not in self.kept]

    @property
    def left(self) -> Sequence[LakeObject]:
        """Sessions of clicks that were replaced since, or went."""
        return [one for version, one in self.kept.items() if version not in self.clicks]


def find(names: Names) -> Found:
    """Sessions first: then none of them is of clicks that are newer than those listed."""
    kept = _kept(names)
    return Found({_digest(one): one for one in Lake(names).list_objects(_CLICKS)}, kept)


def count_kept(names: Names, rows_at_once: int = ROWS_AT_ONCE) -> Funnels:
    """The funnels of all clicks, by the files that are kept; what is missing is made.

    Raises: Changed; ClientError, BotoCoreError, OSError, PolarsError.
    """
    lake, bucket, found = Lake(names), names.lake_bucket, find(names)
    for one in found.missing:
        sessions = _sessions(bucket, one)
        key = f"{_KEPT}dt={one.dt}/{_digest(one)}-{sessions.height}.parquet"
        aws.batch_client("s3").put_object(Bucket=bucket, Key=key, Body=_parquet(sessions))
    kept = _kept(names) if found.missing else found.kept
    if not found.clicks.keys() <= kept.keys():
        raise Changed(_KEPT)
    files = [kept[version] for version in found.clicks]
    if not files:
        return {}
    rows = sum(_rows(one.key) for one in files)
    try:
        return funnels_of(lake.scan_objects(SESSIONS, files), _passes(rows, rows_at_once))
    except FileNotFoundError as error:
        raise Changed(str(error)) from None


def count_anew(names: Names, rows_at_once: int = ROWS_AT_ONCE) -> Funnels:
    """The same, from the clicks themselves, and without a trace in the lake: the files lie on this
    machine's disk meanwhile, 30 bytes a session.

    Raises: Changed; ClientError, BotoCoreError, OSError, PolarsError.
    """
    rows = 0
    with TemporaryDirectory(prefix="sessions-") as folder:
        for one in Lake(names).list_objects(_CLICKS):
            sessions = _sessions(names.lake_bucket, one)
            Path(folder, f"{_digest(one)}.parquet").write_bytes(_parquet(sessions))
            rows += sessions.height
        if not rows:
            return {}
        return funnels_of(pl.scan_parquet(f"{folder}/*.parquet"), _passes(rows, rows_at_once))


def tidy(names: Names, found: Found) -> None:
    """Takes away what is left of clicks that are no more."""
    for one in found.left:
        aws.batch_client("s3").delete_object(Bucket=names.lake_bucket, Key=one.key)


def _kept(names: Names) -> dict[str, LakeObject]:
    return {_version(one.key): one for one in Lake(names).list_objects(_KEPT)}


def _sessions(bucket: str, clicks: LakeObject) -> pl.DataFrame:
    body = s3.get_if(bucket, clicks.key, clicks.etag)
    if body is None:
        raise Changed(clicks.key)
    return sessions_of(pl.scan_parquet(io.BytesIO(body)))


def _parquet(sessions: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    sessions.write_parquet(
        buffer, compression="zstd", compression_level=3, row_group_size=_ROW_GROUP
    )
    return buffer.getvalue()


def _digest(clicks: LakeObject) -> str:
    return digest(DEFINITION, [clicks])


def _version(key: str) -> str:
    """`0f3a…` of `sessions/dt=2011-12-09/0f3a…-1200.parquet`."""
    return key.rpartition("/")[2].partition("-")[0]


def _rows(key: str) -> int:
    """1200 of that."""
    return int(key.rpartition("-")[2].removesuffix(".parquet"))


def _passes(rows: int, rows_at_once: int) -> int:
    return max(1, -(-rows // rows_at_once))
