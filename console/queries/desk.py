"""What the pipeline set aside, and whether its counts add up, by way of the pipeline's desk."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from console import wording
from console.queries import clients
from console.queries.edge import Unreachable
from console.queries.shared import shared
from console.settings import settings
from pipeline.desk import figures
from pipeline.desk.counting import Count
from pipeline.desk.domain import PLACES, Balance, Case
from pipeline.desk.service import Desk, Place
from pipeline.desk.store import OpsLedger
from pipeline.runtime import clock

T = TypeVar("T")
# A redrive reports each second or so; one that has been silent for this long has died.
_SILENT_AFTER_S = 70


@dataclass(frozen=True, slots=True)
class Run:
    """The latest redrive; `why` are reasons of cases that were not sent."""

    by: str
    place: str
    total: int
    done: int
    refused: int
    why: tuple[str, ...]
    is_over: bool
    updated_at: datetime | None

    @property
    def is_silent(self) -> bool:
        """Says that it goes on, but has stopped reporting."""
        at = self.updated_at
        return not self.is_over and (
            at is None or (clock.now() - at).total_seconds() > _SILENT_AFTER_S
        )


@cache
def ledger() -> OpsLedger:
    """To look at."""
    names = settings().names
    return OpsLedger(names, clock.now, clients.table(names.table("ops")))


@cache
def places() -> dict[str, Place]:
    """To look at, not to work on: they remember the files they have read."""
    return {place.name: place for place in figures.places_of(settings().names, clock.now)}


def build(sleep: Callable[[float], None]) -> Desk:
    """A desk of its own: places hold messages while they are worked on."""
    names = settings().names
    return Desk(figures.places_of(names, clock.now), OpsLedger(names, clock.now), clock.now, sleep)


def begin_look() -> None:
    """Begin to read every place, so that they are read side by side."""
    for place in PLACES:
        look.begin(place)


@shared(4.0, keep_s=20.0)
def look(place: str) -> list[Case]:
    """Every case of a place, newest first, those dealt with included. Raises Unreachable."""
    quiet = Desk(places().values(), ledger(), clock.now, lambda _: None)
    return guarded(lambda: quiet.cases(place))


@shared(60.0, keep_s=60.0)
def count(hours: float) -> tuple[Count, list[Balance]]:
    """(records received and landed, cases by place). Raises Unreachable."""
    names = settings().names

    def read() -> tuple[Count, list[Balance]]:
        records = figures.count_records(names, clock.now, hours)
        return records, [figures.count_place(ledger(), place) for place in places().values()]

    return guarded(read)


@shared(1.0, keep_s=1.0)
def find_run() -> Run | None:
    """The latest redrive, under way or over. Raises Unreachable."""
    item: dict[str, Any] | None = guarded(lambda: ledger().find_report())
    if item is None:
        return None
    return Run(
        str(item["by"]), str(item["place"]), int(item["total"]), int(item["done"]),
        int(item["refused"]), tuple(map(str, item["why"])), bool(item["is_over"]),
        wording.moment(item["updated_at"]),
    )  # fmt: skip


def forget() -> None:
    """What was read is outdated: somebody has dealt with cases."""
    look.clear()
    count.clear()
    find_run.clear()


def guarded(call: Callable[[], T]) -> T:
    try:
        return call()
    except (BotoCoreError, ClientError) as error:
        raise Unreachable(f"AWS does not answer ({type(error).__name__}).") from None
