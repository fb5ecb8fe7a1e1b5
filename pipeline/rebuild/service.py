"""One rebuild: begin, read the lake, write, compare; then swap, roll back or discard.

The new generation is the sum over the same events as the live one at every moment from its end on.
What folding books after `begin` it books in both. What it booked before is in the lake (`landed`
waits for that) and its marker does not name the new generation, so that it is added here, once.
Nothing before the swap touches what is read.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from pipeline.contracts.events import to_iso_z
from pipeline.contracts.names import Names
from pipeline.folding.domain import MONEY_TYPES, Increments, Item
from pipeline.folding.markers import read_markers
from pipeline.funnel import service as funnel
from pipeline.rebuild import store
from pipeline.rebuild.domain import EXAMPLES, Base, Pairs, differences
from pipeline.runtime import generations, landed
from pipeline.runtime.clock import Clock
from pipeline.runtime.generations import Generations
from pipeline.runtime.lake import Lake, groups

_WRITERS = 8
_SAVE_EVERY = 400  # items
# Taken apart at once: an order of a thousand lines is a thousand counters.
_EVENTS = 1_000


@dataclass(slots=True)
class Rebuild:
    """A run; `run_id` (a ULID) is the new generation's name, too."""

    names: Names
    run_id: str
    by: str
    clock: Clock
    on_progress: Any = None
    facts: dict[str, Any] = field(default_factory=dict)
    runs: store.Runs = field(init=False)

    def __post_init__(self) -> None:
        self.runs = store.Runs(self.names, self.run_id)

    def run(self) -> dict[str, Any]:
        """Builds and compares; returns the facts of the run: status `ready`, and what differs.

        Raises: store.Lost, landed.NotLanded, generations.Moved or NotNow, Unavailable, ClientError.
        Then the live figures are as they were, and another run may follow.
        """
        self.runs.hold(self.clock())
        self.facts = {"by": self.by, "started_at": to_iso_z(self.clock()), "status": "running"}
        try:
            self._say("beginning", 0, 0)
            seen = self._begin()
            self._write(self._read())
            self._say("counting sessions", 0, 0)
            funnel.refresh(self.names, self.run_id)
            self._compare(seen)
            # By now each figure of the new generation is whole: it may be read.
            generations.write(self.names, seen, seen.finished(self.run_id))
        except Exception as error:
            self.facts |= {"status": "failed", "detail": f"{type(error).__name__}: {error}"[:300]}
            self._over()
            raise
        self.facts |= {"status": "ready", "stage": "ready"}
        self._over()
        return self.facts

    def _over(self) -> None:
        ended = self.clock()
        self.runs.save(self.facts | {"ended_at": to_iso_z(ended)}, ended, is_over=True)
        self.runs.release()

    def _begin(self) -> Generations:
        """From here on folding books in both. A second generation of before is given up."""
        seen, _ = _drop_other(self.names, generations.read(self.names))
        wanted = seen.begun(self.run_id)
        generations.write(self.names, seen, wanted)
        landed.wait_for(self.names, landed.tips(self.names))
        return wanted

    def _read(self) -> Increments:
        lake, base, cuts = Lake(self.names), Base(self.run_id), dict[str, str]()
        shadow = store.Shadow(self.names, self.run_id)
        found = sorted(lake.list_objects("raw/"), key=lambda one: (one.modified_at, one.key))
        done = 0
        for group in groups(found):
            raw = lake.read_raw(group)
            self._read_orders(base, raw)
            for shard in set(raw["shard"].unique()) - cuts.keys():
                cuts[shard] = shadow.cut(shard)
            base.add_clicks(raw, cuts)
            done += len(group)
            self.facts["events"] = base.events
            self._say("reading the lake", done, len(found))
        return base.increments

    def _read_orders(self, base: Base, raw: pl.DataFrame) -> None:
        for part in raw.filter(pl.col("event_type").is_in(list(MONEY_TYPES))).iter_slices(_EVENTS):
            portions = base.portions(part)
            base.add(portions, read_markers(self.names, [one.marker for one in portions]))

    def _write(self, base: Increments) -> None:
        shadow, total = store.Shadow(self.names, self.run_id), len(base.counters)
        counters = list(base.counters.items())
        with ThreadPoolExecutor(_WRITERS) as pool:
            list(pool.map(lambda one: shadow.join(*one), base.members.items()))
            for start in range(0, total, _SAVE_EVERY):
                part = counters[start : start + _SAVE_EVERY]
                list(pool.map(lambda one: shadow.add(*one), part))
                self._say("writing the new figures", start + len(part), total)

    def _compare(self, seen: Generations) -> None:
        self._say("comparing", 0, 0)
        pairs = Pairs((seen.live, self.run_id))
        for pk, sk, found in store.scan(self.names):
            pairs.take(pk, sk, found)
        examples: list[dict[str, Any]] = []
        differing = 0
        # What folding moved between two pages of the scan is equal when read at one moment.
        apart_at_first = pairs.differing()
        for item in apart_at_first:
            apart = self._differing(item, seen.live)
            differing += bool(apart)
            examples += apart[: EXAMPLES - len(examples)]
        self.facts |= {
            "items": pairs.equal + len(apart_at_first),
            "differing": differing,
            "examples": examples,
        }
        self._say("comparing", 1, 1)

    def _differing(self, item: Item, live: str) -> list[dict[str, Any]]:
        pair = store.read_pair(self.names, item, (live, self.run_id))
        return [{"item": " ".join(item), **one} for one in differences(*pair)]

    def _say(self, stage: str, done: int, total: int) -> None:
        self.runs.hold(self.clock())
        self.facts |= {"stage": stage, "done": done, "total": total}
        self.runs.save(self.facts, self.clock())
        if self.on_progress:
            self.on_progress(stage, done, total)


def discard(names: Names, run_id: str, clock: Clock) -> int:
    """Gives up the generation that is not read, and removes it; returns its items.

    Raises: store.Lost while a rebuild runs; generations.Moved.
    """
    runs = store.Runs(names, run_id)
    runs.hold(clock())
    try:
        _, removed = _drop_other(names, generations.read(names))
        return removed
    finally:
        runs.release()


def _drop_other(names: Names, seen: Generations) -> tuple[Generations, int]:
    """Nobody writes it from here on, since every booking checks that item; then its items go.

    Returns: how the generations stand then, and how many items were removed.
    """
    if seen.other is None:
        return seen, 0
    wanted = seen.without_other()
    generations.write(names, seen, wanted)
    return wanted, store.delete(names, seen.other)
