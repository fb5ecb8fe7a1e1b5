"""One replay at a time, of whatever kind."""

import time

from rich.console import Console

from pipeline.replay.service import LEASE_S
from pipeline.replay.store import Ops
from pipeline.runtime import clock


def wait_for_turn(ops: Ops, run_id: str, console: Console) -> bool:
    """Takes the lease; that of a killed replay runs out within LEASE_S. False, and said, if not."""
    for attempt in range(LEASE_S + 2):
        if ops.take_lease(run_id, clock.now(), LEASE_S):
            return True
        if attempt == 0:
            console.print(f"Another replay holds the lease; waiting up to {LEASE_S + 2} s.")
        time.sleep(1)
    console.print("[red]✗[/] Another replay is running")
    return False
