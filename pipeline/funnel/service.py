"""Makes the funnels of all days what the curated clicks say."""

from collections.abc import Callable

from pipeline.contracts.names import Names
from pipeline.folding.store import Busy
from pipeline.funnel import files
from pipeline.funnel.domain import Funnels
from pipeline.funnel.store import FunnelItems, FunnelState
from pipeline.runtime import generations
from pipeline.runtime.generations import Moved
from pipeline.runtime.logs import get_logger

log = get_logger()
_ROUNDS = 5


def keep_up(names: Names) -> bool:
    """Counts, unless the clicks are those that were counted last; whether it did.

    Clicks are read where they changed, and all sessions from the files that are kept of them. Which
    clicks were counted is noted afterwards, as they stood before: whatever fails or overtakes in
    between is counted the next time. Raises as `refresh` does.
    """
    state, before = FunnelState(names), files.find(names)
    if state.read() == before.digest and not before.missing and not before.left:
        return False
    _make_right(names, None, lambda: files.count_kept(names))
    files.tidy(names, before)
    state.save(before.digest)
    return True


def refresh(names: Names, only: str | None = None) -> tuple[Funnels, Funnels]:
    """(funnels of the first generation written as they were, and as they are now).

    From the clicks alone, all of them, and whatever files are kept.

    Args: `only`, the generation to write; all that are written by default.
    Raises: Busy when others keep changing items or clicks; Moved when `only` is not written any
    more; ClientError, BotoCoreError, OSError, PolarsError.
    """
    return _make_right(names, only, lambda: files.count_anew(names))


def _make_right(
    names: Names, only: str | None, count: Callable[[], Funnels]
) -> tuple[Funnels, Funnels]:
    """As `refresh`. All sessions are counted, because a late click may begin one that others
    continue years later.

    Counts are put, not added to, so that a repetition changes nothing; and only where an item is
    still as it was before the clicks were looked at, so that of two at once the later look stays.
    """
    for _ in range(_ROUNDS):
        seen = generations.read(names)
        if only is not None and only not in seen.written:
            raise Moved
        items = [FunnelItems(names, one) for one in ((only,) if only else seen.written)]
        held = [one.read() for one in items]
        try:
            right = count()
            if all(i.replace(seen, h, right) for i, h in zip(items, held, strict=True)):
                log.info("funnel.counted", days=len(right))
                return held[0], right
        except files.Changed as changed:
            log.info("funnel.clicks_changed", file=str(changed)[:200])
        except Moved:
            log.info("funnel.generations_moved")
    raise Busy("the funnels are being counted elsewhere, too")
