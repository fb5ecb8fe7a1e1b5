"""Turns the signals of a process on and off: metrics, traces and logs, as `HAS_SIGNALS` says."""

from pipeline.runtime import calls, log_shipping, logs, spans
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
    spans.flush()
    if shipper := log_shipping.begin():
        shipper.flush()
    metrics.flush()


def stop() -> None:
    """As the last thing a process does."""
    spans.shutdown()
    if shipper := log_shipping.begin():
        shipper.stop()
    metrics.stop()
