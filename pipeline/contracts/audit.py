"""An entry of the audit log, in the one shape that everybody writes and the console reads."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pipeline.contracts import keys

KEPT = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Audit:
    """Who did what to what, and how it ended; `at` is ISO 8601 in UTC, `entry_id` a ULID.

    `result` is `started` until it is known, then `ok`, `refused` or `failed`.
    """

    entry_id: str
    at: str
    actor: str
    action: str
    target: str
    detail: str = ""
    role: str = "operator"
    result: str = "ok"

    @property
    def key(self) -> keys.Key:
        return keys.audit(self.at[:10], self.entry_id)

    def to_item(self) -> dict[str, Any]:
        """A row of the ops table, in plain values."""
        ends_at = datetime.fromisoformat(self.at) + KEPT
        return {
            **self.key,
            "at": self.at,
            "actor": self.actor,
            "role": self.role,
            "action": self.action,
            "target": self.target,
            "result": self.result,
            **({"detail": self.detail} if self.detail else {}),
            "expires_at_epoch_s": int(ends_at.timestamp()),
        }
