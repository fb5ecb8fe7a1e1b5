"""The pages of products as the table last told them: for when it does not answer, and for when it
says the same again."""

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import blake2b
from threading import Lock
from typing import NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from pipeline.contracts.errors import Unavailable
from pipeline.runtime.clock import Clock
from pipeline.runtime.logs import get_logger

log = get_logger()
OUT_OF_REACH = (ClientError, BotoCoreError, Unavailable)
_MAX_PAGES = 2_000


class Page(NamedTuple):
    body: bytes
    etag: str


class _Kept(NamedTuple):
    at: datetime
    digest: bytes
    page: Page


class LastGood:
    """Bounded; the page looked at longest ago goes first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pages: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = Lock()

    def read(
        self, product_id: str, ask: Callable[[str], bytes], show: Callable[[bytes], Page]
    ) -> tuple[Page, timedelta | None]:
        """The page of what the table says, or of what it said last and how long ago that is.

        The table is asked each time; only what it has not said before is made a page of.
        Raises what `ask` raises, for a product nobody has looked at here, and what `show` does.
        """
        with self._lock:
            kept = self._pages.get(product_id)
        try:
            told = ask(product_id)
        except OUT_OF_REACH as error:
            if kept is None:
                raise
            log.warning("product.stale", product_id=product_id, error=type(error).__name__)
            return kept.page, self._clock() - kept.at
        digest = blake2b(told, digest_size=16).digest()
        page = kept.page if kept and kept.digest == digest else show(told)
        with self._lock:
            self._pages[product_id] = _Kept(self._clock(), digest, page)
            self._pages.move_to_end(product_id)
            if len(self._pages) > _MAX_PAGES:
                self._pages.popitem(last=False)
        return page, None
