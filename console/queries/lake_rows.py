"""The lake's order lines and clicks, kept in memory and read again as its files change.

Only files that are new or changed are read, in a thread: a page never waits for more than
`_PATIENCE_S`, and gets the rows of a moment ago while newer ones are on their way.
"""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlow
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from threading import Lock

import polars as pl
from botocore.exceptions import BotoCoreError, ClientError

from console.queries.edge import Unreachable
from console.settings import settings
from pipeline.runtime import logs
from pipeline.runtime.clock import now
from pipeline.runtime.facts import CLICKSTREAM, ORDER_LINES, ORDERS, Table, rows_of
from pipeline.runtime.lake import Lake, LakeObject

_PATIENCE_S = 5.0
_FILES_AT_ONCE = 64
_LISTING_S = 1.0
# Dates and raw files; a shop that has more of them keeps the newest.
_MAX_FILES = 8_000
_LABELS = ("event_id", "country", "product_id", "title", "category", "currency")
log = logs.get_logger()


@dataclass(frozen=True, slots=True)
class Rows:
    """`version` counts the changes, for caches; `as_of` is when the files were listed."""

    frame: pl.DataFrame
    version: int
    as_of: datetime
    fault: str | None = None


def lines() -> Rows:
    """Sold and given back lines of real orders.

    Frame: DataFrame[at: datetime UTC (when it was booked), event_id, order_id, customer_id (null
    for guests), country, product_id, title, category, currency: text, quantity, amount: i64 minor
    units (negative when given back), is_sale: bool]. Raises Unreachable.
    """
    return _lines().rows()


def clicks() -> Rows:
    """Browser events of real shoppers.

    Frame: DataFrame[at: datetime UTC, event_id, event_type, session_id, query, results_count: i64,
    referrer, device, path, product_id]. Raises Unreachable.
    """
    return _clicks().rows()


def warm() -> None:
    """Begin to read, so that the first person to ask need not wait."""
    for source in (_lines(), _clicks()):
        source.begin()


class Tail:
    """Raw files that compaction has not merged yet, as the rows of real shoppers and orders.

    Every table is made from the same files, so each is fetched once for all of them.
    """

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._lock = Lock()
        self._objects: list[LakeObject] = []
        self._listed_s = -1e9
        self._frames: dict[tuple[str, str], pl.DataFrame] = {}

    def list_files(self) -> list[LakeObject]:
        with self._lock:
            if time.monotonic() - self._listed_s > _LISTING_S:
                self._objects = self._lake.pending()[-_MAX_FILES:]
                self._listed_s = time.monotonic()
                pending = {(one.key, one.etag) for one in self._objects}
                self._frames = {key: f for key, f in self._frames.items() if key in pending}
            return self._objects

    def read(self, objects: list[LakeObject]) -> list[pl.DataFrame]:
        with self._lock:
            missing = [one for one in objects if (one.key, one.etag) not in self._frames]
            for one, frame in zip(missing, self._lake.read_objects(missing), strict=True):
                self._frames[one.key, one.etag] = frame.filter(~pl.col("synthetic"))
            return [self._frames[one.key, one.etag] for one in objects]


class Kept:
    """One table's files, by key, each as the rows that matter."""

    def __init__(
        self, table: Table, prepare: Callable[[pl.DataFrame], pl.DataFrame], tail: Tail
    ) -> None:
        self._lake = Lake(settings().names)
        self._table = table
        self._prepare = prepare
        self._tail = tail
        self._merged = Parts()
        self._waiting = Parts()
        self._frame = prepare(pl.DataFrame(schema=table.columns))

    def read(self) -> pl.DataFrame:
        """Curated rows and the raw tail, each event once; the same frame while no row changes."""
        # The tail first: what compaction moves meanwhile is then found twice and kept once.
        tail = self._tail.list_files()
        curated = self._lake.list_objects(f"curated/{self._table.name}/")[-_MAX_FILES:]
        self._waiting.follow(
            tail,
            lambda group: [
                self._prepare(rows_of(self._table, frame)) for frame in self._tail.read(group)
            ],
        )
        self._merged.follow(
            curated,
            lambda group: [self._prepare(frame) for frame in self._lake.read_objects(group)],
        )
        if self._waiting.is_stale or self._merged.is_stale:
            self._frame = self._together()
        return self._frame

    def _together(self) -> pl.DataFrame:
        nothing = self._prepare(pl.DataFrame(schema=self._table.columns))
        merged, waiting = self._merged.together(nothing), self._waiting.together(nothing)
        if not waiting.height:
            return merged
        identity = [name for name in self._table.identity if name in waiting.columns]
        fresh = waiting.unique(identity, keep="first").join(merged, on="event_id", how="anti")
        return pl.concat([merged, fresh])


class Parts:
    """The frames of files by key; only those that are new or changed are read."""

    def __init__(self) -> None:
        self._parts: dict[str, tuple[str, pl.DataFrame]] = {}
        self._whole: pl.DataFrame | None = None

    def follow(
        self,
        objects: list[LakeObject],
        read: Callable[[list[LakeObject]], list[pl.DataFrame]],
    ) -> None:
        """Be stale when any row has changed: load tests change many files, and none of our rows.

        A file whose reading fails is read again the next time.
        """
        listed = {one.key for one in objects}
        for key in [key for key in self._parts if key not in listed]:
            if self._parts.pop(key)[1].height:
                self._whole = None
        changed = [one for one in objects if self._parts.get(one.key, ("",))[0] != one.etag]
        for group in batched_objects(changed):
            for one, frame in zip(group, read(group), strict=True):
                _, was = self._parts.get(one.key, ("", None))
                if frame.is_empty() if was is None else frame.equals(was):
                    self._parts[one.key] = (one.etag, frame if was is None else was)
                else:
                    self._parts[one.key] = (one.etag, frame)
                    self._whole = None

    @property
    def is_stale(self) -> bool:
        return self._whole is None

    def together(self, nothing: pl.DataFrame) -> pl.DataFrame:
        if self._whole is None:
            frames = [self._parts[key][1] for key in sorted(self._parts)]
            self._whole = pl.concat(frames, rechunk=True) if frames else nothing
        return self._whole


def batched_objects(objects: list[LakeObject]) -> Iterable[list[LakeObject]]:
    starts = range(0, len(objects), _FILES_AT_ONCE)
    return (objects[start : start + _FILES_AT_ONCE] for start in starts)


class Source:
    """The newest reading; older than `max_age_s`, the next is begun while this one is shown."""

    def __init__(self, read: Callable[[], pl.DataFrame], max_age_s: float) -> None:
        self._read = read
        self._max_age_s = max_age_s
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="lake-rows")
        self._lock = Lock()
        self._under_way: Future[None] | None = None
        self._rows: Rows | None = None
        self._began_s = -1e9

    def begin(self) -> Future[None]:
        with self._lock:
            if self._under_way is None or self._under_way.done():
                self._began_s = time.monotonic()
                self._under_way = self._pool.submit(self._renew)
            return self._under_way

    def rows(self) -> Rows:
        if self._rows is None or time.monotonic() - self._began_s > self._max_age_s:
            reading = self.begin()
            if self._rows is None:
                _wait(reading)
        if self._rows is None:
            raise Unreachable("The lake does not answer.")
        return self._rows

    def _renew(self) -> None:
        as_of, old = now(), self._rows
        try:
            frame = self._read()
            version = 0 if old is None else old.version + (frame is not old.frame)
            self._rows = Rows(frame, version, as_of)
        except (BotoCoreError, ClientError, OSError, pl.exceptions.PolarsError) as error:
            log.warning("lake.unread", fault=type(error).__name__, detail=str(error)[:300])
            self._fail(error)
        except Exception as error:  # the thread's edge: nobody else would hear of it
            log.exception("lake.unread", fault=type(error).__name__)
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        if old := self._rows:
            fault = f"The lake fails ({type(error).__name__})."
            self._rows = Rows(old.frame, old.version, old.as_of, fault)


def _wait(reading: "Future[None]") -> None:
    try:
        reading.result(_PATIENCE_S)
    except TooSlow:
        raise Unreachable("The lake is still being read; ask again in a moment.") from None


@cache
def _tail() -> Tail:
    return Tail(Lake(settings().names))


@cache
def _lines() -> Source:
    kept, events = Kept(ORDER_LINES, _line, _tail()), Kept(ORDERS, _event, _tail())
    last: list[pl.DataFrame] = []  # events, lines and what they made

    def read() -> pl.DataFrame:
        happened, sold = events.read(), kept.read()
        if not (last and last[0] is happened and last[1] is sold):
            when = happened.select("event_id", "occurred_at")
            # Lines first placed count when they were booked: a cancellation at its own time.
            booked = pl.coalesce("occurred_at", "placed_at").alias("at")
            last[:] = happened, sold, sold.join(when, on="event_id", how="left").select(
                booked, pl.exclude("occurred_at", "placed_at", "line_no")
            )  # fmt: skip
        return last[2]

    return Source(read, max_age_s=15.0)


@cache
def _clicks() -> Source:
    return Source(Kept(CLICKSTREAM, _click, _tail()).read, max_age_s=5.0)


def _line(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(~pl.col("synthetic")).select(
        "placed_at",
        "line_no",
        *(pl.col(name).cast(pl.Categorical) for name in _LABELS),
        pl.col("order_id", "customer_id").cast(pl.Categorical),
        "quantity",
        pl.col("line_total_minor").alias("amount"),
        (pl.col("kind") == "sale").alias("is_sale"),
    )


def _event(rows: pl.DataFrame) -> pl.DataFrame:
    kept = rows.filter(~pl.col("synthetic"))
    return kept.select(pl.col("event_id").cast(pl.Categorical), "occurred_at")


def _click(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(~pl.col("synthetic")).select(
        pl.col("occurred_at").alias("at"), "event_id", "event_type", "session_id", "query",
        "results_count", "referrer", "device", "path", "product_id",
    )  # fmt: skip
