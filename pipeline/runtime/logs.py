"""One JSON object per line, event name first: `log.info("order.placed", order_id=…)`.

Lines are printed, and from INFO up shipped to CloudWatch Logs by `log_shipping` once that runs.
"""

import logging
import sys
from collections.abc import Callable, MutableMapping
from typing import Any

import structlog
from stamina.instrumentation import RetryDetails, set_on_retry_hooks

from pipeline.runtime import tracing

Sink = Callable[[str], None]
_sinks: list[Sink] = []


def configure(level: str = "INFO", **facts: str) -> None:
    """Call once per process; `facts` (service, zone, replica …) go on every line."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _add_trace,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=lambda *_: _Lines(),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(**facts)
    set_on_retry_hooks([_log_retry])


def add_sink(sink: Sink) -> None:
    """Have each line from INFO up handed to `sink`, which must not block, fail or log."""
    if sink not in _sinks:
        _sinks.append(sink)


def get_logger(**facts: Any) -> Any:
    return structlog.get_logger(**facts)


def _log_retry(details: RetryDetails) -> None:
    # Not the library's own hook, which writes the call's arguments too: whole batches of orders.
    get_logger().warning(
        "retry.scheduled",
        callable=details.name,
        retry_num=details.retry_num,
        wait_s=round(details.wait_for, 3),
        caused_by=f"{type(details.caused_by).__name__}: {details.caused_by}"[:300],
    )


def _add_trace(
    _: Any, __: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:  # fmt: skip
    if part := tracing.current():
        event["trace_id"] = part.trace_text
    return event


class _Lines:
    """Where rendered lines go; a method for each level, as structlog calls them."""

    def debug(self, line: str) -> None:
        # One write a line, so that lines of several threads do not run into each other.
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    def msg(self, line: str) -> None:
        self.debug(line)
        for sink in _sinks:
            sink(line)

    log = info = warn = warning = error = critical = fatal = failure = exception = msg
