"""One JSON object per line, event name first: `log.info("order.placed", order_id=…)`."""

import logging
import sys
from typing import Any

import structlog


def configure(level: str = "INFO", **facts: str) -> None:
    """Call once per process; `facts` (service, zone, replica …) go on every line."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(**facts)


def get_logger(**facts: Any) -> Any:
    return structlog.get_logger(**facts)
