"""The shop's own books of some goods: their movements in the lake, and their rows of stock.

Neither is made of the other: the stock function tells the movements from the table's stream.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Self

import polars as pl

from pipeline.contracts import keys
from pipeline.contracts.events import STOCK_ADJUSTED
from pipeline.contracts.names import Names
from pipeline.runtime import aws
from pipeline.runtime.lake import Lake, groups

# S3's clock and ours may differ by so much; the goods are new, so nothing earlier is theirs.
_CLOCKS = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Account:
    """Units of one SKU, or of several together.

    The first four are sums of movements: `sold` counts what was `returned`, too. The others are the
    row's, whose own count of sold units, `kept`, does not.
    """

    received: int
    adjusted: int
    returned: int
    sold: int
    available: int
    held: int
    kept: int

    @classmethod
    def of(cls, moved: Mapping[str, int], row: Mapping[str, Any]) -> Self:
        """Args: units by kind of movement; the stock row, empty for one that is not there."""
        kinds = {kind: moved.get(kind, 0) for kind in ("received", "adjusted", "returned", "sold")}
        available, held, kept = (int(row.get(name, 0)) for name in ("available", "held", "sold"))
        return cls(**kinds, available=available, held=held, kept=kept)

    @property
    def is_balanced(self) -> bool:
        """Whether all that came is somewhere, and row and movements agree on what was sold."""
        came = self.received + self.adjusted + self.returned
        is_somewhere = came == self.available + self.held + self.sold
        return is_somewhere and self.kept == self.sold - self.returned

    def __str__(self) -> str:
        came = self.received + self.adjusted + self.returned
        there = self.available + self.held + self.sold
        return (
            f"received {self.received} + adjusted {self.adjusted} "
            f"+ returned {self.returned} = {came}; "
            f"available {self.available} + held {self.held} + sold {self.sold} = {there}; "
            f"sold less returned {self.sold - self.returned}, by the row {self.kept}"
        )


def total(accounts: Sequence[Account]) -> Account:
    """The same sums over several SKUs."""
    return Account(
        **{one.name: sum(getattr(a, one.name) for a in accounts) for one in fields(Account)}
    )


class Books:
    """Those of SKUs that were put on sale after `since`; a raw file is read once."""

    def __init__(self, names: Names, skus: Sequence[str], since: datetime) -> None:
        self._skus, self._since = skus, since - _CLOCKS
        self._rows, self._lake = aws.table(names.table("products")), Lake(names)
        self._seen: set[tuple[str, str]] = set()
        self._moved: dict[str, tuple[str, str, int]] = {}  # of each event once, by its id

    def read(self) -> dict[str, Account]:
        """By SKU, as both say now: a movement that has not landed yet is missing in its sums.

        Raises: botocore's errors, PolarsError.
        """
        for event_id, payload in self._landed():
            told = json.loads(payload)
            if told["sku"] in self._skus:
                self._moved[event_id] = told["sku"], told["kind"], told["delta"]
        moved: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for sku, kind, units in self._moved.values():
            moved[sku][kind] += units
        return {sku: Account.of(moved[sku], self._row(sku)) for sku in self._skus}

    def _row(self, sku: str) -> Mapping[str, Any]:
        found = self._rows.get_item(Key=keys.stock(sku), ConsistentRead=True)
        row: Mapping[str, Any] = found.get("Item", {})
        return row

    def _landed(self) -> Iterator[tuple[str, str]]:
        """(event id, payload) of the movements in raw files that were not read before."""
        new = [
            one
            for one in self._lake.list_objects("raw/", self._since.date())
            if one.modified_at >= self._since and (one.key, one.etag) not in self._seen
        ]
        for group in groups(new):
            raw = self._lake.read_raw(group, ("event_id", "event_type", "payload"))
            is_movement = pl.col("event_type") == STOCK_ADJUSTED
            yield from raw.filter(is_movement).select("event_id", "payload").iter_rows()
            self._seen |= {(one.key, one.etag) for one in group}
