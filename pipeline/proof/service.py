"""Run the ledger: read, judge, and give what is still under way a bounded time to arrive."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.contracts.events import to_iso_z
from pipeline.proof.claims import Claim
from pipeline.proof.domain import Check, Verdict

RETRY_PAUSE_S = 2.0


@dataclass(frozen=True, slots=True)
class Report:
    run_id: str
    at: datetime
    duration_s: float
    checks: list[Check]

    @property
    def holds(self) -> bool:
        return all(check.verdict is Verdict.VALID for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        return {
            "run_id": self.run_id,
            "at": to_iso_z(self.at),
            "duration_s": round(self.duration_s, 2),
            "verdict": "holds" if self.holds else "does not hold",
            "checks": [check.to_dict() for check in self.checks],
        }


def settle(
    check: Callable[[], Check], patience_s: float, clock: Callable[[], float]
) -> tuple[Check, float]:
    """Repeat a check that does not hold yet: an event needs seconds from the order to the lake.

    A difference that outlives `patience_s` from the first reading's end on is a difference.

    Returns: the check as it was last, and the seconds of patience it took.
    """
    result = check()
    began = clock()
    while (
        result.verdict is not Verdict.VALID
        and not result.finding.is_final
        and clock() - began < patience_s
    ):
        time.sleep(RETRY_PAUSE_S)
        result = check()
    return result, clock() - began


def run(
    claims: Sequence[Claim],
    *,
    run_id: str,
    at: datetime,
    patience_s: float,
    on_check: Callable[[Check], None],
) -> Report:
    """Check every claim in turn; `patience_s` bounds the waiting of the whole run.

    What a claim's first reading takes is no waiting: a long lake leaves as much patience.
    """
    started, left_s = time.monotonic(), patience_s
    checks = []
    for claim in claims:
        result, waited_s = settle(claim.judge, left_s, time.monotonic)
        left_s = max(0.0, left_s - waited_s)
        checks.append(result)
        on_check(result)
    return Report(run_id, at, time.monotonic() - started, checks)
