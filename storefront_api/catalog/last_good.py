"""The pages of products as the table last told them, for when it does not answer."""

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock

from botocore.exceptions import BotoCoreError, ClientError

from pipeline.contracts.errors import Unavailable
from pipeline.runtime.clock import Clock
from pipeline.runtime.logs import get_logger
from storefront_api.catalog.service import Detail

log = get_logger()
OUT_OF_REACH = (ClientError, BotoCoreError, Unavailable)
_MAX_PAGES = 2_000


class LastGood:
    """Bounded; the page looked at longest ago goes first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pages: OrderedDict[str, tuple[datetime, Detail]] = OrderedDict()
        self._lock = Lock()

    def read(
        self, product_id: str, ask: Callable[[str], Detail]
    ) -> tuple[Detail, timedelta | None]:
        """What the table says, or what it said last and how long ago that is.

        Raises what `ask` raises, for a product nobody has looked at here.
        """
        try:
            detail = ask(product_id)
        except OUT_OF_REACH as error:
            with self._lock:
                kept = self._pages.get(product_id)
            if kept is None:
                raise
            log.warning("product.stale", product_id=product_id, error=type(error).__name__)
            return kept[1], self._clock() - kept[0]
        with self._lock:
            self._pages[product_id] = (self._clock(), detail)
            self._pages.move_to_end(product_id)
            if len(self._pages) > _MAX_PAGES:
                self._pages.popitem(last=False)
        return detail, None
