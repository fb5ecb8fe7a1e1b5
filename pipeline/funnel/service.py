"""Makes the funnels of all days what the curated clicks say."""

from pipeline.contracts.names import Names
from pipeline.folding.store import Busy
from pipeline.funnel.domain import Funnels, funnels_of, sessions_of
from pipeline.funnel.store import FunnelItems, FunnelState, clicks, digest_of_clicks
from pipeline.runtime import generations
from pipeline.runtime.generations import Moved
from pipeline.runtime.logs import get_logger

log = get_logger()
_ROUNDS = 5


def keep_up(names: Names) -> bool:
    """`refresh`, unless the clicks are those that were counted last; whether it was.

    Which these are is noted afterwards, as they stood before: whatever fails or overtakes in
    between is counted the next time. Raises as `refresh` does.
    """
    state, present = FunnelState(names), digest_of_clicks(names)
    if state.read() == present:
        return False
    refresh(names)
    state.save(present)
    return True


def refresh(names: Names, only: str | None = None) -> tuple[Funnels, Funnels]:
    """(funnels of the first generation written as they were, and as they are now).

    All clicks are read, because a late one may begin a session that others continue years later.
    Counts are put, not added to, so that a repetition changes nothing; and only where an item is
    still as it was before the clicks were read, so that of two at once the later reading stays.

    Args: `only`, the generation to write; all that are written by default.
    Raises: Busy when others keep changing the items; Moved when `only` is not written any more;
    ClientError, BotoCoreError, PolarsError.
    """
    for _ in range(_ROUNDS):
        seen = generations.read(names)
        if only is not None and only not in seen.written:
            raise Moved
        items = [FunnelItems(names, one) for one in ((only,) if only else seen.written)]
        held = [one.read() for one in items]
        right = funnels_of(sessions_of(clicks(names)))
        try:
            if all(i.replace(seen, h, right) for i, h in zip(items, held, strict=True)):
                log.info("funnel.counted", days=len(right))
                return held[0], right
        except Moved:
            log.info("funnel.generations_moved")
    raise Busy("the funnels are being counted elsewhere, too")
