"""A shop's pipeline with nobody but the test to wake its functions: the real handlers, one thread.

The world brings records to the functions as Lambda would, in an order and in batches that its dice
decide. A function that crashes loses its memory and gets the batch again, bisected.
"""

import importlib
import random
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from pipeline.compaction import service as compaction
from pipeline.compaction.files import Changed
from pipeline.compaction.store import NotRegistered
from pipeline.contracts.names import Names
from pipeline.folding.service import Contended
from pipeline.folding.store import Busy
from pipeline.funnel import service as funnel
from pipeline.relay.store import NotPublished
from pipeline.runtime import aws, clock, lake
from pipeline.runtime.dynamo import to_item
from pipeline.runtime.kinesis import NotAccepted, Outgoing, put_records
from tests.simulation.scenario import Happening
from tests.simulation.seam import Crash, Fault, Seam
from tests.simulation.streams import ChangeStream, EventStream, Place, Record
from tests.simulation.virtual_time import VirtualTime

COMPONENTS = ("relay", "landing", "folding", "compaction", "packing")
HOURLY = ("compaction", "packing")  # woken by the clock; the others by streams
# What a function may raise to have its batch delivered again; anything else is a defect.
_GIVEN_UP = (
    BotoCoreError, ClientError, Busy, Contended, Changed, NotRegistered, NotPublished, NotAccepted,
)  # fmt: skip
LEASE_S = 301
_MAX_ROUNDS = 200


class Stuck(Exception):
    """A function fails although nothing is wrong any more."""


class InTurn(Executor):
    """A thread pool without threads: calls happen in order, so that a seed is repeatable."""

    def __init__(self, max_workers: int) -> None:
        self._is_in_bounds = max_workers > 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def take_turns() -> None:
    """The product's thread pools do without threads, in this process and from now on."""
    compaction.ThreadPoolExecutor = lake.ThreadPoolExecutor = InTurn


class World:
    """The functions, their places in the streams, and how to bring a batch to one of them."""

    def __init__(self, names: Names, seam: Seam, time: VirtualTime, dice: random.Random) -> None:
        self.names, self.seam, self.time, self._dice = names, seam, time, dice
        self.trace: list[str] = []
        self._is_new = False
        self._handlers: dict[str, Callable[[Record, Any], Any]] = {}
        self._changes, self.events = ChangeStream(names), EventStream(names)
        self.events.open()
        self.places = [
            Place("relay", shard, log, 6) for shard, log in self._changes.shards.items()
        ] + [
            Place(function, shard, log, size)
            for function, size in (("landing", 9), ("folding", 7))
            for shard, log in self.events.shards.items()
        ]  # fmt: skip

    def happen(self, happening: Happening) -> None:
        """The shop writes a row, or the browser's events reach the stream; that never fails."""
        if happening.row is not None:
            table = self.names.table("orders")
            aws.client("dynamodb").put_item(TableName=table, Item=to_item(happening.row))
        else:
            record = Outgoing(happening.partition_key, happening.body)
            put_records(aws.client("kinesis"), self.names.events_stream, [record])
        self._is_new = True

    def pull(self) -> None:
        """What is new in the streams can be delivered from now on."""
        if self._is_new:
            self._changes.pull()
            self.events.pull()
            self._is_new = False

    def deliver(self, place: Place, fault: Fault | None = None, clock_error_s: float = 0) -> bool:
        """One batch to one function, from its place on; False when it has to come again."""
        batch = place.batch(self._dice.randint(1, place.batch_size))
        start = place.position
        handler = self._handler(place.function)
        what = f"{place.function} {place.shard[-1]} [{start}:{start + len(batch)}]"
        is_done = self._invoke(
            what, lambda: handler({"Records": batch}, None), place.function, fault, clock_error_s
        )
        if is_done:
            place.position = start
            place.done(len(batch))
        else:
            place.failed(len(batch))
        self._is_new = self._is_new or place.function == "relay"
        return is_done

    def has_delivered(self) -> None:
        """All that is in the streams was delivered before this world began."""
        self._is_new = True
        self.pull()
        for place in self.places:
            place.position = len(place.log)

    def again(self, place: Place, records: int) -> None:
        """Some that were delivered are delivered once more."""
        place.position = max(0, place.position - records)
        self.trace.append(f"{place.function} {place.shard[-1]} goes back {records}")

    def compact(self, fault: Fault | None = None, clock_error_s: float = 0) -> bool:
        """A run of compaction; False when it failed or another one holds the lease."""
        outcome = compaction.Outcome(is_skipped=True)

        def run() -> None:
            nonlocal outcome
            outcome = compaction.compact(self.names, clock.now, clock.new_id)
            if not outcome.is_skipped:
                funnel.keep_up(self.names)

        self._invoke("compaction", run, "compaction", fault, clock_error_s)
        return not outcome.is_skipped

    def pack(self, fault: Fault | None = None, clock_error_s: float = 0) -> None:
        """What follows a run of compaction; nothing while another one holds the lease."""
        self._invoke(
            "packing",
            lambda: compaction._pack(self.names, clock.now, clock.new_id),
            "packing", fault, clock_error_s,
        )  # fmt: skip

    def restart_aws(self, restart: Callable[[], None]) -> None:
        self.pull()  # the emulator keeps no stream of a table that no function is mapped to
        restart()
        self._changes.forget()
        self.events.forget()
        self.trace.append("AWS restarts")

    def behind(self, functions: Sequence[str]) -> list[Place]:
        """Where something waits for one of these functions."""
        self.pull()
        return [one for one in self.places if one.is_behind and one.function in functions]

    def come_to_rest(self) -> None:
        """Without a fault from now on, all is delivered, compacted and packed. Raises Stuck."""
        for _ in range(_MAX_ROUNDS):
            if not (behind := self.behind(COMPONENTS)):
                break
            for place in behind:
                if not self.deliver(place) and place.limit == 1:
                    raise Stuck(self.trace[-1])
        else:
            raise Stuck("there is always more to deliver")
        if not self.compact():
            self.time.advance(LEASE_S)  # the lease of one that crashed runs out
            if not self.compact():
                raise Stuck(self.trace[-1])
        self.pack()

    def _invoke(
        self, what: str, run: Callable[[], Any], function: str, fault: Fault | None, error_s: float
    ) -> bool:
        result = "done"
        with self.seam.with_fault(fault, function), self.time.off_by(error_s):
            try:
                run()
            except Crash:
                self._handlers.pop(function, None)  # what it remembered is gone
                result = "crashed"
            except _GIVEN_UP as error:
                result = f"failed: {type(error).__name__} {error}"[:150]
        self.trace.append(f"{what} {_told(fault)}{result}")
        return result == "done"

    def _handler(self, function: str) -> Callable[[Record, Any], Any]:
        """The function as a cold start wires it, kept warm until it crashes."""
        if function not in self._handlers:
            module = f"pipeline.{function}.handler"
            sys.modules.pop(module, None)
            with self.seam.with_fault(None):
                self._handlers[function] = importlib.import_module(module).handler
        return self._handlers[function]


def _told(fault: Fault | None) -> str:
    return f"({type(fault).__name__} x{fault.hits}) " if fault and fault.hits else ""
