"""One load run at a time, across every console and command line: a lease in the `ops` table."""

from datetime import datetime
from typing import Any

from pipeline.runtime.lease import Lease

NAME = "load"
TTL_S = 20
# Between the click and the first renewal: a process, or an instance far away, has to start.
START_TTL_S = 60


class AlreadyRunning(Exception):
    """Somebody else's run holds the lease; `holder` is its run id."""

    def __init__(self, holder: str) -> None:
        super().__init__(f"load run {holder} is still going")
        self.holder = holder


def take(table: Any, run_id: str, moment: datetime, ttl_s: int = TTL_S) -> None:
    """Take or renew the lease for `run_id`; a holder that died loses it after `ttl_s` seconds.

    Raises: AlreadyRunning.
    """
    if not Lease(table, NAME).take(run_id, moment, ttl_s):
        raise AlreadyRunning(find_holder(table, moment) or "?")


def find_holder(table: Any, moment: datetime) -> str | None:
    """The run that holds the lease at `moment`."""
    return Lease(table, NAME).find_holder(moment)


def release(table: Any, run_id: str) -> None:
    """Give the lease back, if it is still ours."""
    Lease(table, NAME).drop(run_id)
