"""One replay: send the events, wait until the pipeline has them, compact."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic_core import to_json

from pipeline.contracts.events import to_iso_z
from pipeline.replay.domain import LogEvent
from pipeline.replay.store import Ops, Pipeline
from pipeline.runtime.clock import Clock
from pipeline.runtime.kinesis import Outgoing, batches

LEASE_S = 15
# Without any progress for this long, the pipeline is taken to be down.
STALLED_AFTER_S = 90.0
_POLL_S = 1.0
_EVENTS_AHEAD = 2_000
Sleep = Callable[[float], None]


class Stalled(Exception):
    """The pipeline does not move; the message says which part and how far it is."""


@dataclass(slots=True)
class Progress:
    """Rows of the log by how far they have come; what the console reads each second."""

    run_id: str
    file: str
    rows_total: int
    shift_weeks: int
    started_at: datetime
    status: str = "sending"
    rows_sent: int = 0
    rows_landed: int = 0
    rows_folded: int = 0
    events_sent: int = 0
    seconds: float = 0.0
    # By shard: (last sequence number of a batch, rows sent up to and with it), in order.
    sent: dict[str, list[tuple[str, int]]] = field(default_factory=dict)

    @property
    def rows_done(self) -> int:
        return min(self.rows_landed, self.rows_folded)

    @property
    def lag_rows(self) -> int:
        """Sent, but not yet both landed and folded."""
        return self.rows_sent - self.rows_done

    @property
    def rows_per_s(self) -> float:
        return self.rows_done / self.seconds if self.seconds > 0 else 0.0

    def facts(self, now: datetime) -> dict[str, Any]:
        return {
            "run_id": self.run_id, "status": self.status, "file": self.file,
            "rows_total": self.rows_total, "rows_sent": self.rows_sent,
            "rows_landed": self.rows_landed, "rows_folded": self.rows_folded,
            "rows_done": self.rows_done, "lag_rows": self.lag_rows,
            "events_sent": self.events_sent, "rows_per_s": round(self.rows_per_s),
            "shift_weeks": self.shift_weeks, "started_at": to_iso_z(self.started_at),
            "updated_at": to_iso_z(now),
        }  # fmt: skip

    def reached(self, positions: dict[str, str]) -> int:
        """Rows up to a reader's positions; a shard that it has not touched counts none.

        Sums over shards, so each shard's rows are kept as its own running count.
        """
        rows = 0
        for shard, marks in self.sent.items():
            index = bisect_right(marks, (positions.get(shard, ""), self.rows_total + 1))
            rows += marks[index - 1][1] if index else 0
        return rows


class Replay:
    """Runs one replay; `on_progress` is called about once a second and at each change of status."""

    def __init__(
        self,
        ops: Ops,
        pipeline: Pipeline,
        progress: Progress,
        clock: Clock,
        sleep: Sleep,
        on_progress: Callable[[Progress], None],
    ) -> None:
        self._ops, self._pipeline, self.progress = ops, pipeline, progress
        self._clock, self._sleep, self._on_progress = clock, sleep, on_progress
        self._reported_at = 0.0

    def run(self, events: Iterable[LogEvent], speed: float) -> None:
        """Sends all, waits until all is landed and folded, and compacts.

        Args: `speed` in seconds of the events per second; 0 is as fast as possible.
        Raises: Stalled when the pipeline stops moving; ClientError when AWS does not answer.
        """
        for records, rows in self._paced(_batches_of(events), speed):
            newest = self._pipeline.send(records)
            self.progress.rows_sent += sum(rows)
            self.progress.events_sent += len(records)
            self._remember(newest, sum(rows))
            self._report()
        self.set_status("catching_up")
        self._wait()
        self.set_status("compacting")
        self._compact()

    def set_status(self, status: str) -> None:
        self.progress.status = status
        self._report(force=True)

    def _remember(self, newest: dict[str, str], rows: int) -> None:
        # With several shards a batch's rows count with its last shard to be read: never too early.
        shard = max(newest, key=lambda name: newest[name])
        for name, sequence in newest.items():
            marks = self.progress.sent.setdefault(name, [])
            before = marks[-1][1] if marks else 0
            marks.append((sequence, before + (rows if name == shard else 0)))

    def _paced(
        self, found: Iterator[tuple[list[Outgoing], list[int], datetime | None]], speed: float
    ) -> Iterator[tuple[list[Outgoing], list[int]]]:
        began = self._clock()
        first: datetime | None = None
        for records, rows, at in found:
            first = first or at
            due_s = (at - first).total_seconds() / speed if speed and at and first else 0.0
            while (ahead_s := due_s - (self._clock() - began).total_seconds()) > 0:
                self._sleep(min(ahead_s, _POLL_S))
                self._report()
            yield records, rows

    def _wait(self) -> None:
        best, moved_at = -1, self._clock()
        while True:
            self._report(force=True)
            done = self.progress.rows_landed + self.progress.rows_folded
            if self.progress.lag_rows == 0:
                return
            if done > best:
                best, moved_at = done, self._clock()
            if (self._clock() - moved_at).total_seconds() > STALLED_AFTER_S:
                raise Stalled(
                    f"Nothing moved for {STALLED_AFTER_S:.0f} s: of {self.progress.rows_sent:,} "
                    f"rows sent, {self.progress.rows_landed:,} are in the lake and "
                    f"{self.progress.rows_folded:,} in the aggregates"
                )
            self._sleep(_POLL_S)

    def _compact(self) -> None:
        began = self._clock()
        while not self._pipeline.compact():
            if (self._clock() - began).total_seconds() > 600:
                raise Stalled("Another compaction has been running for 10 minutes")
            self._sleep(_POLL_S)
            self._report()

    def _report(self, *, force: bool = False) -> None:
        now = self._clock()
        elapsed = (now - self.progress.started_at).total_seconds()
        if not force and elapsed - self._reported_at < _POLL_S:
            return
        self._reported_at = elapsed
        if self.progress.status in ("sending", "catching_up"):
            self.progress.seconds = elapsed
            landed = self._pipeline.landed(self.progress.sent)
            self.progress.rows_landed = self.progress.reached(landed)
            self.progress.rows_folded = self.progress.reached(self._pipeline.folded())
        self._ops.take_lease(self.progress.run_id, now, LEASE_S)
        self._ops.save_progress(self.progress.run_id, self.progress.facts(now), now)
        self._on_progress(self.progress)


def _batches_of(
    events: Iterable[LogEvent],
) -> Iterator[tuple[list[Outgoing], list[int], datetime | None]]:
    """(records, rows each stands for, time of the first) of one PutRecords call after another."""
    ahead: list[LogEvent] = []
    for one in events:
        ahead.append(one)
        if len(ahead) == _EVENTS_AHEAD:
            yield from _packed(ahead)
            ahead = []
    yield from _packed(ahead)


def _packed(
    found: Sequence[LogEvent],
) -> Iterator[tuple[list[Outgoing], list[int], datetime | None]]:
    records = [Outgoing(one.event["partition_key"], to_json(one.event)) for one in found]
    for part in batches(records):
        yield (
            records[part],
            [one.rows for one in found[part]],
            next((one.at for one in found[part] if one.at), None),
        )
