"""Lambda on the products table's stream: stock rows that came to nought, or back from it."""

from typing import Any

from pipeline.runtime import clock
from pipeline.runtime.lambda_signals import instrumented
from pipeline.runtime.settings import RuntimeSettings
from pipeline.stock.service import check_stock
from pipeline.stock.store import ProductTable

settings = RuntimeSettings()
products = ProductTable(settings.names)


@instrumented("stock")
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Raises when the table cannot be read or written, so that the batch is delivered again."""
    images = (record["dynamodb"]["NewImage"] for record in event["Records"])
    check_stock((image["product_id"]["S"] for image in images), products, clock.new_id)
    return {"batchItemFailures": []}
