"""Lambda on the event stream: records to the lake."""

from typing import Any

from pipeline.landing.service import land
from pipeline.landing.store import LakeFiles
from pipeline.runtime.kinesis import records_of
from pipeline.runtime.lambda_signals import instrumented
from pipeline.runtime.settings import RuntimeSettings

settings = RuntimeSettings()
files = LakeFiles(settings.names)


@instrumented("landing")
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Raises when the lake cannot be written, so that the batch is delivered again."""
    land(records_of(event), files)
    return {"batchItemFailures": []}
