"""A client's own journal of the orders it was told of; the proof ledger compares it with the shop.

What it is and where it lies: `pipeline.contracts.journal`. Nothing of it is on a request's path:
`note` keeps a line in memory, and `save` is for whoever has time.
"""

from datetime import datetime
from typing import Any

from pipeline.contracts import journal as contract
from pipeline.contracts.events import to_iso_z
from pipeline.contracts.journal import PART_LINES, Closing, Told
from pipeline.contracts.names import Names
from pipeline.runtime import aws
from pipeline.runtime.clock import Clock

# Lines that wait while S3 does not answer; 2 MB. Beyond, a line is lost, and counted.
MOST_WAITING = 10_000


class Journal:
    """One writer's. `name` is its own for good, e.g. `load-<run>`."""

    def __init__(self, names: Names, name: str, clock: Clock) -> None:
        self._bucket = names.lake_bucket
        self._clock = clock
        self._folder = contract.folder(name, clock())
        self._lines: list[str] = []  # of the part under way, and of those that still wait
        self._saved = 0  # of `_lines`
        self._part = 0
        self._noted = 0
        self._lost = 0

    @property
    def lines(self) -> int:
        """Orders noted."""
        return self._noted

    def note(
        self, order_id: str, total: dict[str, Any], correlation_id: str, at: datetime | None = None
    ) -> None:
        """An order was acknowledged. Args: `total` as the answer has it: {amount_minor, currency}.

        Raises ValidationError when the answer's total is none.
        """
        told = Told.model_validate(
            {
                "no": self._noted + 1,
                "order_id": order_id,
                "total_minor": total["amount_minor"],
                "currency": total["currency"],
                "acknowledged_at": to_iso_z(at or self._clock()),
                "correlation_id": correlation_id,
            }
        )
        if len(self._lines) - self._saved >= MOST_WAITING:
            self._lost += 1
            return
        self._noted += 1
        self._lines.append(told.model_dump_json())

    def save(self) -> None:
        """Write what is new. Raises boto3's errors; the next call writes it then."""
        while self._saved < len(self._lines):
            lines = self._lines[:PART_LINES]
            self._put(contract.part(self._part), "\n".join(lines) + "\n")
            self._saved = len(lines)
            if self._saved == PART_LINES:
                del self._lines[:PART_LINES]
                self._saved, self._part = 0, self._part + 1

    def close(self) -> None:
        """Write the rest, and that it is all. Raises boto3's errors: then it stays open."""
        self.save()
        closing = Closing(lines=self._noted, lost=self._lost, closed_at=self._clock())
        self._put(contract.CLOSED, closing.model_dump_json())

    def _put(self, name: str, body: str) -> None:
        aws.client("s3").put_object(
            Bucket=self._bucket, Key=self._folder + name, Body=body.encode()
        )
