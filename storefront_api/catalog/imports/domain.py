"""What an import is, how far it is, and what may become of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

MAX_BYTES = 64 * 1024 * 1024
# A file that is wrong from end to end is a wrong file: nobody reads more errors than these.
MAX_ERRORS = 10_000
# Whoever carries an import out must say so this often, or another replica takes over.
LEASE_S = 15


class Format(StrEnum):
    JSONL = "jsonl"
    CSV = "csv"


class Status(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


ENDED = frozenset({Status.CANCELLED, Status.SUCCEEDED, Status.FAILED})


@dataclass(frozen=True, slots=True)
class LineError:
    """Why the product of a line (the first of its lines, in CSV) was not taken.

    A field may be a line of the product, `line 7`, which cannot be read.
    """

    line: int
    product_id: str | None
    errors: tuple[tuple[str, str], ...]  # (field, message)


@dataclass(frozen=True, slots=True)
class Counts:
    """Lines that are done, and what became of their products."""

    lines: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0

    def plus(self, lines: int, outcomes: Sequence[str]) -> "Counts":
        """With all lines up to `lines`, and these outcomes more."""
        return replace(
            self,
            lines=lines,
            created=self.created + outcomes.count("created"),
            updated=self.updated + outcomes.count("updated"),
            unchanged=self.unchanged + outcomes.count("unchanged"),
            failed=self.failed + outcomes.count("failed"),
        )


@dataclass(frozen=True, slots=True)
class Job:
    """An import as its row tells it; `attempts` counts how often somebody took it up."""

    job_id: str
    status: Status
    format: Format
    dry_run: bool
    actor: str
    created_at: str
    updated_at: str
    bytes: int
    sha256: str
    lines_total: int
    counts: Counts = field(default_factory=Counts)
    attempts: int = 0
    started_at: str | None = None
    ended_at: str | None = None
    note: str | None = None
    owner: str | None = None
    lease_until_epoch_s: int = 0

    @property
    def object_key(self) -> str:
        return f"imports/{self.job_id}"

    def is_free(self, epoch_s: float) -> bool:
        """Whether somebody may take it up: it waits, or whoever had it is silent."""
        return self.status not in ENDED and self.lease_until_epoch_s < epoch_s


def to_row(job: Job) -> dict[str, Any]:
    """Plain values for the table, without the key."""
    row = {name: getattr(job, name) for name in Job.__dataclass_fields__ if name != "counts"}
    row |= {name: getattr(job.counts, name) for name in Counts.__dataclass_fields__}
    row |= {"status": job.status.value, "format": job.format.value}
    return {name: value for name, value in row.items() if value is not None}


def to_job(row: dict[str, Any]) -> Job:
    known = {name: row[name] for name in Job.__dataclass_fields__ if name in row}
    counts = Counts(**{name: row[name] for name in Counts.__dataclass_fields__ if name in row})
    known |= {"status": Status(row["status"]), "format": Format(row["format"])}
    return Job(**{**known, "counts": counts})
