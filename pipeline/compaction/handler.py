"""Lambda on a schedule: raw files to curated tables, and what can be learnt from those."""

from dataclasses import asdict
from typing import Any

from pipeline.compaction.service import compact_and_learn
from pipeline.runtime import clock
from pipeline.runtime.lambda_signals import instrumented
from pipeline.runtime.settings import RuntimeSettings

settings = RuntimeSettings()


@instrumented("compaction")
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Returns what it did; raises when the lake cannot be read or written."""
    return asdict(compact_and_learn(settings.names, clock.now, clock.new_id))
