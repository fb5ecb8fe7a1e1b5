"""`python -m tests.simulation.defects`: each promise that is broken on purpose is noticed.

A check that cannot fail shows nothing. Each defect here is one that the pipeline's design is there
to prevent; exit code 0 only if a seed of the cell that should notice it does.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from pipeline.compaction import packing
from pipeline.compaction.domain import next_state
from pipeline.compaction.store import Catalogue, NotRegistered, Ops
from pipeline.folding import service as folding
from pipeline.folding.domain import Click, click_chunks
from pipeline.folding.store import AnalyticsTable
from pipeline.landing.store import LakeFiles
from pipeline.relay.store import EventStream, OrdersTopic
from pipeline.runtime import clock
from pipeline.runtime.kinesis import NotAccepted
from pipeline.runtime.lake import CompactionState, Lake, LakeObject, read_state
from pipeline.runtime.packed import Packed
from tests.simulation import runs
from tests.simulation.every_write import SMALL_SHOPS, Hour, Missed
from tests.simulation.matrix import CELLS
from tests.simulation.seam import Call

# A kind of write of each service.
KINDS = ("UpdateItem", "PutObject", "PutRecords", "PublishBatch", "SendMessage", "CreateTable")
_SEEDS = 20
_is_write = Call.is_write.fget
_transact = AnalyticsTable._transact
_pending = Lake.pending


def _without_markers(self: AnalyticsTable, items: list[dict[str, Any]]) -> list[int]:
    for item in items:
        item.get("Put", {}).pop("ConditionExpression", None)
    return _transact(self, items)


def _every_click(shard: str, clicks: Sequence[Click], table: AnalyticsTable) -> None:
    for _, increments in click_chunks(clicks):
        _transact(table, table._updates(increments))


def _noted_too_soon(self: Lake, state: CompactionState | None = None) -> list[LakeObject]:
    state = state or read_state(self._names)
    found = _pending(self, state)
    if found:
        Ops(self._names).save(next_state(state, found, [], clock.now()))
    return found


def _careless(method: Callable[..., Any], *errors: type[Exception]) -> Callable[..., Any]:
    """The same, but what goes wrong is taken for done."""

    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return method(*args, **kwargs)
        except errors:
            return 0

    return call


# What is broken -> (owner, name, what takes its place, the cell that notices).
DEFECTS: dict[str, tuple[Any, str, Callable[..., Any], tuple[str, str]]] = {
    "events are folded without looking at markers": (
        AnalyticsTable, "_transact", _without_markers, ("folding", "duplicate delivery")),
    "clicks are folded without looking at the mark": (
        folding, "_book_clicks", _every_click, ("folding", "duplicate delivery")),
    "what Kinesis refuses is forgotten": (
        EventStream, "send", _careless(EventStream.send, NotAccepted, ClientError),
        ("relay", "throttling")),
    "what the topic refuses is forgotten": (
        OrdersTopic, "send", _careless(OrdersTopic.send, ClientError), ("relay", "throttling")),
    "what the lake refuses is forgotten": (
        LakeFiles, "write", _careless(LakeFiles.write, ClientError), ("landing", "throttling")),
    "raw files are noted as merged before they are": (
        Lake, "pending", _noted_too_soon, ("compaction", "crash before a write")),
    "the list of packs stays while tables change": (
        packing, "take_list_away", lambda *_: None, ("packing", "crash before a write")),
    "a packing that was overtaken lists what it saw": (
        Packed, "write_over", lambda packed, content, _: packed.write(content) or True,
        ("packing", "slow consumer")),
    "dates that Glue put off are forgotten": (
        Catalogue, "_register", _careless(Catalogue._register.__wrapped__, NotRegistered),
        ("compaction", "partial batch failure")),
}  # fmt: skip


def notices(defect: str) -> int | None:
    """The first seed of the defect's cell that does not end as it should; None when all do."""
    stage = runs.own_stage()
    owner, method, broken, cell = DEFECTS[defect]
    first = CELLS.index(cell)
    for seed in range(first, first + _SEEDS * len(CELLS), len(CELLS)):
        expected = runs.expected(stage, seed)
        with _replaced(owner, method, broken):
            if runs.judged(stage, seed, expected).problems:
                return seed
    return None


@contextmanager
def _replaced(owner: Any, method: str, broken: Callable[..., Any]) -> Iterator[None]:
    sound = getattr(owner, method)
    setattr(owner, method, broken)
    try:
        yield
    finally:
        setattr(owner, method, sound)


def misses(operation: str) -> str | None:
    """What `every_write` says of a hour in which this kind of write goes by as a read."""
    listed = property(lambda call: _is_write(call) and call.operation != operation)
    with _replaced(Call, "is_write", listed):
        try:
            Hour(runs.own_stage(), SMALL_SHOPS[0])
        except Missed as missed:
            return str(missed)
    return None


def main() -> int:
    with runs.pool_of(os.cpu_count() or 1) as pool:
        noticed = dict(zip(DEFECTS, pool.map(notices, DEFECTS), strict=True))
        missed = dict(zip(KINDS, pool.map(misses, KINDS), strict=True))
    for defect, seed in noticed.items():
        print(f"{defect}: " + ("NOT NOTICED" if seed is None else f"noticed by seed {seed}"))
    for operation, said in missed.items():
        print(f"{operation} goes by as a read: {said or 'NOT NOTICED'}")
    return 1 if None in (*noticed.values(), *missed.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
