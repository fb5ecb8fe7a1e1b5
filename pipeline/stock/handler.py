"""Lambda on the products table's stream: every change of a stock row, but those of the seed."""

from datetime import UTC, datetime
from typing import Any

from pydantic import Field

from pipeline.runtime import clock
from pipeline.runtime.dynamo import from_item
from pipeline.runtime.lambda_signals import instrumented
from pipeline.runtime.settings import RuntimeSettings
from pipeline.stock.domain import StockChange
from pipeline.stock.service import check_stock, list_low, ran_out_or_came_back, tell
from pipeline.stock.store import EventStream, LowStockList, ProductTable


class StockSettings(RuntimeSettings):
    """`HAS_LOW_STOCK`: with so many units left, or fewer, a SKU is low."""

    low_stock: int = Field(default=5, ge=0)


settings = StockSettings()
products = ProductTable(settings.names)
stream = EventStream(settings.names)
low = LowStockList(settings.names)


@instrumented("stock")
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Raises when something cannot be read or written, so that the batch is delivered again."""
    changes = [_to_change(record["dynamodb"]) for record in event["Records"]]
    tell(changes, stream, settings.low_stock)
    list_low(changes, low, settings.low_stock)
    check_stock(ran_out_or_came_back(changes), products, clock.new_id)
    return {"batchItemFailures": []}


def _to_change(record: dict[str, Any]) -> StockChange:
    old, new = record.get("OldImage"), record.get("NewImage")
    return StockChange(
        record["SequenceNumber"],
        datetime.fromtimestamp(int(float(record["ApproximateCreationDateTime"])), UTC),
        from_item(old) if old else None,
        from_item(new) if new else None,
    )
