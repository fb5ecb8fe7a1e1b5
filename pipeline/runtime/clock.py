"""The only place that reads the clock or makes ids; everything else is handed these."""

from collections.abc import Callable
from datetime import UTC, datetime

from ulid import ULID

Clock = Callable[[], datetime]
NewId = Callable[[], str]


def now() -> datetime:
    return datetime.now(UTC)


def new_id() -> str:
    """A ULID: 26 characters, sorts by creation time."""
    return str(ULID())
