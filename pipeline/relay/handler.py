"""Lambda on the orders table's stream: the outbox."""

from typing import Any

from pipeline.relay.service import Change, Outlet, relay
from pipeline.relay.store import EventStream, FailuresQueue, OrdersTopic
from pipeline.runtime.dynamo import from_item
from pipeline.runtime.lambda_signals import instrumented, onward
from pipeline.runtime.settings import RuntimeSettings

settings = RuntimeSettings()
outlets: list[Outlet] = [OrdersTopic(settings.names), EventStream(settings.names)]
aside = FailuresQueue(settings.names)


@instrumented("relay")
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Raises when an outlet fails, so that the batch is delivered again.

    A partial answer would save some repeats on AWS, but the emulator takes it for a success, and
    events would be lost there.
    """
    relay([_to_change(record["dynamodb"]) for record in event["Records"]], outlets, aside)
    return {"batchItemFailures": []}


def _to_change(record: dict[str, Any]) -> Change:
    old = record.get("OldImage")
    new = from_item(record["NewImage"])
    if "trace" in new:
        new["trace"] = onward(new["trace"])
    return Change(record["SequenceNumber"], new, from_item(old) if old else None)
