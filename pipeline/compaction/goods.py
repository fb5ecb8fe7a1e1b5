"""What the catalogue says of the goods that clicks name, at the moment of the compaction."""

import io
import json
from collections.abc import Iterator
from typing import Any

import polars as pl

from pipeline.contracts.categories import sales_category
from pipeline.contracts.names import CATALOGUE_SNAPSHOT, Names
from pipeline.runtime.dynamo import from_item
from pipeline.runtime.facts import OF_PRODUCT
from pipeline.runtime.logs import get_logger
from pipeline.runtime.packed import Packed

log = get_logger()
_ATTRIBUTES = ("product_id", "title", "category", "brand")
_SCHEMA = {"product_id": pl.String, **OF_PRODUCT}


class Goods:
    """The attributes OF_PRODUCT by product id; read once, and only when a click names one."""

    def __init__(self, names: Names) -> None:
        self._file = Packed(names.lake_bucket, CATALOGUE_SNAPSHOT)
        self._frame: pl.DataFrame | None = None

    def joined(self, clicks: pl.DataFrame) -> pl.DataFrame:
        """Rows of the clickstream with the attributes of their products; null where nobody knows.

        Raises: botocore's errors, so that the run is made again: a row keeps what it got first.
        """
        if clicks["product_id"].null_count() == clicks.height:
            return clicks
        if self._frame is None:
            self._frame = self._read()
        found = clicks.select("product_id").join(
            self._frame, on="product_id", how="left", maintain_order="left"
        )
        return clicks.with_columns(found[name] for name in OF_PRODUCT)

    def _read(self) -> pl.DataFrame:
        """DataFrame[_SCHEMA], one row per product; empty while there is no snapshot to be read."""
        try:
            content = self._file.read()
            if content is not None:
                found = pl.DataFrame(_products(content), schema=_SCHEMA, orient="row")
                return found.unique("product_id", keep="first", maintain_order=True)
        except (
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            pl.exceptions.PolarsError,
        ) as error:
            log.warning("goods.unreadable", error=f"{type(error).__name__}: {error}"[:300])
        return pl.DataFrame(schema=_SCHEMA)


def _products(content: bytes) -> Iterator[tuple[str | None, ...]]:
    """A line at a time: a hundred thousand goods are a hundred megabytes."""
    lines = io.BytesIO(content)
    next(lines, None)
    for line in lines:
        item: dict[str, Any] = json.loads(line)
        said = from_item({name: item[name] for name in _ATTRIBUTES if name in item})
        category = sales_category(said.get("category", ()))
        yield said["product_id"], said.get("title"), category, said.get("brand")
