"""Lambda on the users table's stream (an account was closed), and on a schedule for the rest."""

from typing import Any

from pipeline.erasure.service import erase
from pipeline.erasure.store import Traces
from pipeline.runtime import clock
from pipeline.runtime.lambda_signals import instrumented
from pipeline.runtime.settings import RuntimeSettings

# An hour's run looks at so many closed accounts; those that are not settled stay for the next.
_BATCH = 500

settings = RuntimeSettings()
traces = Traces(settings.names)


@instrumented("erasure")
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Raises when something cannot be read or written, so that the batch is delivered again."""
    closed = [record["dynamodb"]["Keys"]["sk"]["S"] for record in event.get("Records", [])]
    for user_id in closed or traces.list_closed(_BATCH):
        erase(user_id, traces, clock.now)
    return {"batchItemFailures": []}
