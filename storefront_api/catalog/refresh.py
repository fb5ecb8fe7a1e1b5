"""Keeps a replica's search index at most about a second behind the table."""

import asyncio
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import stamina
from botocore.exceptions import BotoCoreError, ClientError
from ulid import ULID

from pipeline.runtime.clock import Clock
from pipeline.runtime.logs import get_logger
from storefront_api.catalog.domain import Product
from storefront_api.catalog.search import SearchIndex

log = get_logger()
PERIOD_S = 1.0
# A change becomes readable after its id was made, by its transaction and by the index's lag, and
# clocks differ a little: so each reading begins this much before the one before it.
_OVERLAP = timedelta(seconds=10)
_ENTROPY_BYTES = 10


class IndexNotBuilt(Exception):
    """The first reading of the table has not succeeded yet."""


class Refresher:
    """`changed_after` yields the products whose change id is greater than the one given."""

    def __init__(
        self,
        index: SearchIndex,
        changed_after: Callable[[str], Iterable[Product]],
        clock: Clock,
    ) -> None:
        self._index = index
        self._changed_after = changed_after
        self._clock = clock
        self._last_started: datetime | None = None

    def refresh(self) -> int:
        """Take in what changed; returns how many products. The index stays as it was on failure."""
        started = self._clock()
        count = self._index.apply(self._changed_after(self._from()))
        self._last_started = started
        return count

    def _from(self) -> str:
        if self._last_started is None:
            return ""
        overlap = self._last_started - _OVERLAP
        floor = ULID.from_bytes(
            int(overlap.timestamp() * 1000).to_bytes(6, "big") + bytes(_ENTROPY_BYTES)
        )
        return min(self._index.newest_change, str(floor))

    async def run(self) -> None:
        """Refresh for as long as the process lives; a table that is down only makes it older."""
        while True:
            started = time.perf_counter()
            try:
                count = await self._refresh_with_retries()
            except (ClientError, BotoCoreError) as error:
                log.error("index.stale", error=type(error).__name__, built=self._index.is_built)
            else:
                if count:
                    duration_ms = round((time.perf_counter() - started) * 1000)
                    log.info("index.refreshed", products=count, duration_ms=duration_ms)
            await asyncio.sleep(PERIOD_S)

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
