"""`python -m tests.simulation.defects`: each promise that is broken on purpose is noticed.

A check that cannot fail shows nothing. Each defect here is one that the pipeline's design is there
to prevent; exit code 0 only if a seed of the cell that should notice it does.
"""

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from pipeline.compaction.domain import next_state
from pipeline.compaction.store import Catalogue, NotRegistered, Ops
from pipeline.folding.store import AnalyticsTable
from pipeline.landing.store import LakeFiles
from pipeline.relay.store import EventStream, OrdersTopic
from pipeline.runtime import clock
from pipeline.runtime.kinesis import NotAccepted
from pipeline.runtime.lake import CompactionState, Lake, LakeObject, read_state
from tests.simulation import matrix
from tests.simulation.matrix import CELLS, Ordeal, judge
from tests.simulation.stage import InProcess

_SEEDS = 6
_transact = AnalyticsTable._transact
_pending = Lake.pending


def _without_markers(self: AnalyticsTable, items: list[dict[str, Any]]) -> list[int]:
    for item in items:
        item.get("Put", {}).pop("ConditionExpression", None)
    return _transact(self, items)


def _without_mark(self: AnalyticsTable, items: list[dict[str, Any]]) -> list[int]:
    for item in items:
        update = item.get("Update", {})
        if update.pop("ConditionExpression", None):
            update["ExpressionAttributeValues"].pop(":seen", None)
    return _transact(self, items)


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


# What is broken -> (class, method, what takes its place, the cell that notices).
DEFECTS: dict[str, tuple[type, str, Callable[..., Any], tuple[str, str]]] = {
    "events are folded without looking at markers": (
        AnalyticsTable, "_transact", _without_markers, ("folding", "duplicate delivery")),
    "clicks are folded without looking at the mark": (
        AnalyticsTable, "_transact", _without_mark, ("folding", "slow consumer")),
    "what Kinesis refuses is forgotten": (
        EventStream, "send", _careless(EventStream.send, NotAccepted, ClientError),
        ("relay", "throttling")),
    "what the topic refuses is forgotten": (
        OrdersTopic, "send", _careless(OrdersTopic.send, ClientError), ("relay", "throttling")),
    "what the lake refuses is forgotten": (
        LakeFiles, "write", _careless(LakeFiles.write, ClientError), ("landing", "throttling")),
    "raw files are noted as merged before they are": (
        Lake, "pending", _noted_too_soon, ("compaction", "crash before a write")),
    "dates that Glue put off are forgotten": (
        Catalogue, "_register", _careless(Catalogue._register.__wrapped__, NotRegistered),
        ("compaction", "partial batch failure")),
}  # fmt: skip


def notices(stage: InProcess, defect: str) -> int | None:
    """The first seed of the defect's cell that does not end as it should; None when all do."""
    owner, method, broken, cell = DEFECTS[defect]
    first = CELLS.index(cell)
    for seed in range(first, first + _SEEDS * len(CELLS), len(CELLS)):
        expected = matrix.without_faults(
            stage.world(random.Random(f"peace {seed}")), matrix.scenario_of(seed)
        )
        dice = random.Random(f"ordeal {seed}")
        with _replaced(owner, method, broken):
            world = stage.world(dice)
            if judge(Ordeal(world, seed, dice, stage.restart), world, seed, expected).problems:
                return seed
    return None


@contextmanager
def _replaced(owner: type, method: str, broken: Callable[..., Any]) -> Iterator[None]:
    sound = getattr(owner, method)
    setattr(owner, method, broken)
    try:
        yield
    finally:
        setattr(owner, method, sound)


def main() -> int:
    stage = InProcess()
    found = {defect: notices(stage, defect) for defect in DEFECTS}
    stage.close()
    for defect, seed in found.items():
        print(f"{defect}: " + ("NOT NOTICED" if seed is None else f"noticed by seed {seed}"))
    return 1 if None in found.values() else 0


if __name__ == "__main__":
    sys.exit(main())
