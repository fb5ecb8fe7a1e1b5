"""What a finished run comes down to: a dict that is stored, reported, compared and judged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loadgen.scenarios import Plan
from loadgen.tally import Second, Tally, Times
from loadgen.verdict import judge, objectives

DIED = "died: its process ended without a word"


@dataclass(frozen=True, slots=True)
class Ending:
    """How it ended: `reason` is empty for a run that lasted as planned.

    `counters_*` are Envoy's counters of all clients' requests, `logged` this run's lines of its
    access log; None where there is no Envoy.
    """

    reason: str
    requests: int
    lost: int
    counters_before: dict[str, int] | None
    counters_after: dict[str, int] | None
    logged: int | None
    refusals: dict[str, int]
    accounts: int


def summarise(
    plan: Plan, seconds: Sequence[Second], tally: Tally, ending: Ending
) -> dict[str, Any]:
    aims, source = objectives()
    times = tally.total
    steady = _steady(plan, seconds)
    offered, achieved = (_mean([getattr(s, n) for s in steady]) for n in ("offered", "achieved"))
    failed_share = times.failures / times.requests if times.requests else 0.0
    # An arrival that found every place taken was never answered: a failure for whoever came.
    asked = times.requests + ending.lost
    measured = {
        "requests": float(times.requests),
        "within_share": times.share_within(aims["within_ms"]),
        "failed_share": (times.failures + ending.lost) / asked if asked else 0.0,
        "p95_ms": times.percentile(0.95),
        "achieved_share": min(1.0, achieved / offered) if offered else 0.0,
    }
    criteria = [*judge(measured, aims), _lasted(plan, len(seconds), ending.reason)]
    return {
        **times.row(),
        "reason": ending.reason,
        **_course(plan, seconds),
        "failed_share": failed_share,
        "lost_arrivals": ending.lost,
        "achieved_share": round(measured["achieved_share"], 4),
        "refusals": ending.refusals,
        "accounts": ending.accounts,
        "envoy": _envoy(ending),
        "routes": tally.route_rows(),
        "slowest": tally.slowest(),
        "faults": tally.faults(),
        "verdict": {
            "holds": all(c["holds"] for c in criteria),
            "criteria": criteria,
            "source": source,
        },
    }


def cut_short(plan: Plan, minutes: Mapping[int, dict[str, Any]]) -> dict[str, Any]:
    """What a run that died had measured until then, from its minutes; without a verdict.

    Like `summarise`, less what only a run that ends by itself knows.
    """
    seconds = [Second(**second) for n in sorted(minutes) for second in minutes[n]["seconds"]]
    latest = minutes[max(minutes)] if minutes else {}
    return {
        **latest.get("total", Times().row()),
        "reason": DIED,
        **_course(plan, seconds),
        **{name: latest.get(name, []) for name in ("routes", "slowest", "faults")},
        "refusals": latest.get("refusals", {}),
    }


def _lasted(plan: Plan, lasted_s: int, reason: str) -> dict[str, Any]:
    """A run that ended early has shown nothing about the rest of its plan."""
    return {
        "name": "Whole run",
        "objective": f"{plan.duration_s:,} s",
        "measured": f"{lasted_s:,} s" + (f": it {reason}" if reason else ""),
        "holds": not reason,
    }


def _steady(plan: Plan, seconds: Sequence[Second]) -> list[Second]:
    """Those after the ramp; all, where it ended before."""
    return [s for s in seconds if s.elapsed_s > plan.ramp_s] or list(seconds)


def _course(plan: Plan, seconds: Sequence[Second]) -> dict[str, Any]:
    """What the seconds come down to; rates and processor after the ramp."""
    steady = _steady(plan, seconds)
    achieved = _mean([s.achieved for s in steady])
    return {
        "lasted_s": len(seconds),
        "offered_per_s": round(_mean([s.offered for s in steady]), 1),
        "achieved_per_s": round(achieved, 1),
        "requests_per_min": round(achieved * 60),
        "users_max": max((s.users for s in seconds), default=0),
        "cpu_mean": round(_mean([s.cpu for s in steady]), 1),
        "cpu_max": max((s.cpu for s in seconds), default=0.0),
        "shares": mean_shares(steady),
    }


def mean_shares(seconds: Sequence[Second]) -> dict[str, float]:
    """Percent of all cores by process, over these seconds, the largest first."""
    names = {name for second in seconds for name in second.shares}
    means = {n: round(_mean([s.shares.get(n, 0.0) for s in seconds]), 1) for n in names}
    return dict(sorted(means.items(), key=lambda pair: -pair[1]))


def _envoy(ending: Ending) -> dict[str, Any] | None:
    """This run's requests as Locust and as Envoy counted them, and everybody's as its counters do.

    `difference` is the share of the larger of the two counts of this run; absent without a log.
    """
    before, after, logged = ending.counters_before, ending.counters_after, ending.logged
    if before is None or after is None or after.get("total", 0) < before.get("total", 0):
        return None
    found: dict[str, Any] = {
        "everybody": after["total"] - before["total"],
        "errors_5xx": after.get("5xx", 0) - before.get("5xx", 0),
        "ours": ending.requests,
        "logged": logged,
    }
    if logged is not None:
        found["difference"] = abs(ending.requests - logged) / max(ending.requests, logged, 1)
    return found


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
