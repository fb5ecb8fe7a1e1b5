"""Lambda on the event stream: events to aggregates."""

from typing import Any

from pipeline.folding.service import fold
from pipeline.folding.store import AnalyticsTable
from pipeline.runtime import clock
from pipeline.runtime.kinesis import records_of
from pipeline.runtime.lambda_signals import instrumented
from pipeline.runtime.settings import RuntimeSettings

settings = RuntimeSettings()
table = AnalyticsTable(settings.names)


@instrumented("folding")
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Raises when the table cannot be written, so that the batch is delivered again."""
    fold(records_of(event), table, clock.now)
    return {"batchItemFailures": []}
