"""The catalogue as it last was, in S3, so that a replica starts fast and without the table.

One object, written whole by any replica; an older one that comes in late does no harm, since every
product carries when it changed and a replica asks the table for all since.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from json import dumps, loads

from pipeline.contracts.events import to_iso_z
from pipeline.contracts.names import CATALOGUE_SNAPSHOT, Names
from pipeline.runtime.packed import Packed
from storefront_api.catalog import items
from storefront_api.catalog.domain import Product


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All goods as they were at `taken_at`, or a little newer."""

    taken_at: datetime
    products: list[Product]


class Snapshots:
    def __init__(self, names: Names) -> None:
        self._file = Packed(names.lake_bucket, CATALOGUE_SNAPSHOT)

    def load(self) -> Snapshot | None:
        """None when there is none yet. Raises botocore's errors; ValueError for a broken one."""
        content = self._file.read()
        if content is None:
            return None
        try:
            head, *lines = content.splitlines()
            taken_at = datetime.fromisoformat(loads(head)["taken_at"])
            return Snapshot(taken_at, [items.to_product(loads(line)) for line in lines])
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{CATALOGUE_SNAPSHOT} is no snapshot: {error!r}") from None

    def save(self, taken_at: datetime, products: Iterable[Product]) -> None:
        lines = [dumps({"taken_at": to_iso_z(taken_at)})]
        lines += (dumps(items.from_product(product)) for product in products)
        self._file.write("\n".join(lines).encode())
