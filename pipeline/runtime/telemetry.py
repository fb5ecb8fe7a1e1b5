"""Turns the signals of a process on and off: metrics, traces and logs, as `HAS_SIGNALS` says."""

import sys
from types import ModuleType

from pipeline.runtime import calls, log_shipping, logs
from pipeline.runtime.metrics import metrics


def configure(level: str = "INFO", **facts: str) -> None:
    """Call once, before the process does anything; starts no thread."""
    logs.configure(level, **facts)
    log_shipping.begin()
    calls.watch()


def start() -> None:
    """Send in the background from now on."""
    if metrics.is_on:
        metrics.start()
    if shipper := log_shipping.begin():
        shipper.start()


def flush() -> None:
    """Send all there is and wait for it; what cannot be sent is dropped."""
    if spans := _spans():
        spans.flush()
    if shipper := log_shipping.begin():
        shipper.flush()
    metrics.flush()


def stop() -> None:
    """As the last thing a process does."""
    if spans := _spans():
        spans.shutdown()
    if shipper := log_shipping.begin():
        shipper.stop()
    metrics.stop()


def _spans() -> ModuleType | None:
    """Loaded with the first trace that is kept: a function that keeps none starts sooner."""
    return sys.modules.get("pipeline.runtime.spans")
