"""Keeps a replica's search index at most about a second behind the table."""

import asyncio
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Protocol

import stamina
from botocore.exceptions import BotoCoreError, ClientError

from pipeline.runtime.clock import Clock
from pipeline.runtime.insights import Insights
from pipeline.runtime.logs import get_logger
from storefront_api.catalog.domain import Product
from storefront_api.catalog.search import SearchIndex
from storefront_api.catalog.snapshot import Snapshot

log = get_logger()
PERIOD_S = 1.0
# While goods arrive by the thousand, most of a replica's time stays with its requests.
_MANY = 500
_REST = 4.0
_MAX_PAUSE_S = 15.0
# A change becomes readable after its id was made, by its transaction and by the index's lag, and
# clocks differ a little: so each reading begins this much before the one before it, and one in ten
# much more, for what a writer in trouble took long over. (Always that much would be to read the
# last half minute of an import each second.)
_OVERLAP = timedelta(seconds=4)
_LONG_OVERLAP = timedelta(seconds=40)
_LONG_EVERY = 10
# The longest a refresh may rest is not yet an outage.
_STALE_AFTER = timedelta(seconds=30)
_SNAPSHOT_EVERY = timedelta(minutes=10)
_LEARN_EVERY = timedelta(minutes=1)


class IndexNotBuilt(Exception):
    """The first reading of the table has not succeeded yet."""


class Keeper(Protocol):
    def load(self) -> Snapshot | None: ...
    def save(self, taken_at: datetime, products: Iterable[Product]) -> None: ...


class Teacher(Protocol):
    def read_news(self) -> Insights | None: ...


class Refresher:
    """`changed_since` yields the products changed at that time or later; all for None."""

    def __init__(
        self,
        index: SearchIndex,
        changed_since: Callable[[datetime | None], Iterable[Product]],
        clock: Clock,
        snapshots: Keeper,
        insights: Teacher,
    ) -> None:
        self._index = index
        self._snapshots = snapshots
        self._insights = insights
        self._asked_at: datetime | None = None
        self._saved_at: datetime | None = None
        self._saved_generation = ""
        self._changed_since = changed_since
        self._clock = clock
        self._last_started: datetime | None = None
        self._readings = 0

    def refresh(self) -> int:
        """Take in what changed; returns how many products. The index stays as it was on failure."""
        started = self._clock()
        count = self._index.apply(self._changed_since(self._from()))
        self._last_started = started
        self._readings += 1
        return count

    def start(self) -> None:
        """Begin with the last snapshot, if there is one; without it all is read from the table."""
        try:
            snapshot = self._snapshots.load()
        except (ClientError, BotoCoreError, ValueError) as error:
            log.warning("snapshot.unreadable", error=f"{type(error).__name__}: {error}"[:300])
            return
        if snapshot:
            self._index.apply(snapshot.products)
            self._last_started = self._saved_at = snapshot.taken_at
            self._saved_generation = self._index.view.generation

    def keep(self) -> None:
        """Save a snapshot, when goods changed and the last is some minutes old."""
        at, view = self._last_started, self._index.view
        is_early = self._saved_at and at and at - self._saved_at < _SNAPSHOT_EVERY
        if at is None or is_early or view.generation == self._saved_generation:
            return
        try:
            self._snapshots.save(at, view.shelf.products)
        except (ClientError, BotoCoreError) as error:
            log.warning("snapshot.not_saved", error=type(error).__name__)
        self._saved_at, self._saved_generation = at, view.generation

    def learn(self) -> None:
        """Ask once a minute for what shoppers buy together; without news all stays as it was."""
        at = self._clock()
        if self._asked_at and at - self._asked_at < _LEARN_EVERY:
            return
        self._asked_at = at
        try:
            news = self._insights.read_news()
        except (ClientError, BotoCoreError, ValueError) as error:
            log.warning("insights.unreadable", error=f"{type(error).__name__}: {error}"[:300])
            return
        if news:
            self._index.learn(news)

    def stale_for(self) -> timedelta | None:
        """How old the goods are, once the table has not answered for a while; None till then."""
        if self._last_started is None:
            return None
        age = self._clock() - self._last_started
        return age if age > _STALE_AFTER else None

    def _from(self) -> datetime | None:
        if self._last_started is None:
            return None
        is_long = self._readings % _LONG_EVERY == 0
        return self._last_started - (_LONG_OVERLAP if is_long else _OVERLAP)

    async def run(self) -> None:
        """Refresh for as long as the process lives; a table that is down only makes it older."""
        await asyncio.to_thread(self.start)
        while True:
            started, count = time.perf_counter(), 0
            try:
                count = await self._refresh_with_retries()
            except (ClientError, BotoCoreError) as error:
                log.error("index.stale", error=type(error).__name__, built=self._index.is_built)
            except Exception:  # the task's edge: a replica without it would never change again
                log.exception("index.stale", built=self._index.is_built)
            else:
                if count:
                    duration_ms = round((time.perf_counter() - started) * 1000)
                    log.info("index.refreshed", products=count, duration_ms=duration_ms)
                await asyncio.to_thread(self.keep)
                await asyncio.to_thread(self.learn)
            spent_s = time.perf_counter() - started
            rest_s = _REST * spent_s if count > _MANY else PERIOD_S
            await asyncio.sleep(min(_MAX_PAUSE_S, max(PERIOD_S, rest_s)))

    async def _refresh_with_retries(self) -> int:
        count = 0
        async for attempt in stamina.retry_context(
            on=(ClientError, BotoCoreError), attempts=5, timeout=60.0, wait_max=15.0
        ):
            with attempt:
                count = await asyncio.to_thread(self.refresh)
        return count

    def check(self) -> None:
        if not self._index.is_built:
            raise IndexNotBuilt
