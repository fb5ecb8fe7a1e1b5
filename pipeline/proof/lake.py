"""The readings of the lake's bucket: raw events, curated lines, and the clients' journals."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, TypeVar

import polars as pl

from pipeline.contracts import journal as contract
from pipeline.contracts.events import ORDER_TYPES, STOCK_ADJUSTED
from pipeline.contracts.journal import Closing, Told
from pipeline.contracts.names import Names
from pipeline.proof.domain import METRICS, Fact, Totals
from pipeline.proof.stock import Movement
from pipeline.proof.told import Journal
from pipeline.runtime import aws
from pipeline.runtime.lake import Lake, LakeObject

_AT_ONCE = 64
_READERS = 8
_WANTED = ["event_id", "event_type", "occurred_at", "source", "synthetic", "payload"]
T = TypeVar("T")
Event = Fact | Movement


class Events:
    """Distinct order and stock events of the raw files: neither folding nor compaction is asked.

    A file is read once, unless it is written again: claim after claim looks at the same ones.
    """

    def __init__(self, names: Names) -> None:
        self._lake = Lake(names)
        self._files: _Unchanged[dict[tuple[str, str], Event]] = _Unchanged(self._read)

    def facts(self) -> list[Fact]:
        return [event for event in self._distinct() if isinstance(event, Fact)]

    def movements(self) -> list[Movement]:
        return [event for event in self._distinct() if isinstance(event, Movement)]

    def _distinct(self) -> Iterator[Event]:
        distinct: dict[tuple[str, str], Event] = {}
        for events in self._files.of(self._lake.list_objects("raw/")):
            for key, event in events.items():
                distinct.setdefault(key, event)
        yield from distinct.values()

    def _read(self, files: Sequence[LakeObject]) -> list[dict[tuple[str, str], Event]]:
        return [_events_of(frame) for frame in self._lake.read_objects(files)]


class Journals:
    """What clients noted; a part is read again only when it has grown."""

    def __init__(self, names: Names) -> None:
        self._bucket = names.lake_bucket
        self._lake = Lake(names)
        self._files: _Unchanged[bytes] = _Unchanged(self._read)

    def read(self) -> list[Journal]:
        """Raises ValidationError for a line that is none."""
        found = self._lake.list_objects(contract.PREFIX)
        told: defaultdict[str, list[Told]] = defaultdict(list)
        closings: dict[str, Closing] = {}
        for file, body in zip(found, self._files.of(found), strict=True):
            journal, name = contract.journal_of(file.key)
            if name == contract.CLOSED:
                closings[journal] = Closing.model_validate_json(body)
            else:
                told[journal] += map(Told.model_validate_json, body.splitlines())
        return [
            Journal(name, told[name], closings.get(name)) for name in sorted({*told, *closings})
        ]

    def _read(self, files: Sequence[LakeObject]) -> list[bytes]:
        with ThreadPoolExecutor(_READERS) as pool:
            return list(pool.map(self._body, files))

    def _body(self, file: LakeObject) -> bytes:
        answer = aws.batch_client("s3").get_object(Bucket=self._bucket, Key=file.key)
        body: bytes = answer["Body"].read()
        return body


class _Unchanged(Generic[T]):
    """What files hold, by key and ETag."""

    def __init__(self, read: Callable[[Sequence[LakeObject]], list[T]]) -> None:
        self._read = read
        self._kept: dict[tuple[str, str], T] = {}

    def of(self, files: Sequence[LakeObject]) -> list[T]:
        """In their order; a bounded number is in memory as files at once."""
        new = [file for file in files if (file.key, file.etag) not in self._kept]
        for start in range(0, len(new), _AT_ONCE):
            some = new[start : start + _AT_ONCE]
            for file, held in zip(some, self._read(some), strict=True):
                self._kept[file.key, file.etag] = held
        return [self._kept[file.key, file.etag] for file in files]


def _events_of(frame: pl.DataFrame) -> dict[tuple[str, str], Event]:
    wanted = frame.filter(pl.col("event_type").is_in([*ORDER_TYPES, STOCK_ADJUSTED]))
    return {
        (row["event_id"], row["event_type"]): (
            _to_movement(row) if row["event_type"] == STOCK_ADJUSTED else _to_fact(row)
        )
        for row in wanted.select(_WANTED).iter_rows(named=True)
    }


def _to_fact(row: dict[str, Any]) -> Fact:
    payload = json.loads(row["payload"])
    return Fact(
        event_id=row["event_id"],
        event_type=row["event_type"],
        order_id=payload["order_id"],
        source=row["source"],
        synthetic=row["synthetic"],
        month=f"{row['occurred_at']:%Y-%m}",
        currency=payload["currency"],
        units=sum(line["quantity"] for line in payload["lines"]),
        amount_minor=sum(line["line_total_minor"] for line in payload["lines"]),
        total_minor=payload["total_minor"],
    )


def _to_movement(row: dict[str, Any]) -> Movement:
    payload = json.loads(row["payload"])
    # `<sku>:<sequence number of the change>`, and `:<n>` from its second movement on.
    change = row["event_id"].removeprefix(f"{payload['sku']}:").partition(":")[0]
    return Movement(
        payload["sku"], int(change), payload["kind"], payload["delta"], payload["received"]
    )


def curated_totals(names: Names) -> Totals:
    """Sums over the curated order lines, with the raw tail that is not compacted yet."""
    is_sale = pl.col("kind") == "sale"
    grouped = (
        Lake(names)
        .order_lines(fresh=True)
        .group_by(
            pl.when("synthetic")
            .then(pl.lit("synthetic"))
            .otherwise(pl.lit("real"))
            .alias("stream"),
            pl.col("dt").dt.strftime("%Y-%m").alias("month"),
            "currency",
        )
        .agg(
            pl.col("order_id").filter(is_sale).n_unique().alias("orders"),
            pl.col("quantity").filter(is_sale).cast(pl.Int64).sum().alias("units"),
            pl.col("line_total_minor").filter(is_sale).sum().alias("gross"),
            pl.col("line_total_minor").filter(~is_sale).sum().alias("refunds"),
        )
    )
    return {
        (row["stream"], row["month"], row["currency"]): {m: int(row[m]) for m in METRICS}
        for row in grouped.iter_rows(named=True)
    }
