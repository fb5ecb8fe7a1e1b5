"""Run one load: Locust in this process, its figures each second in the `ops` table.

The command line and the console start the same program, in a process group of its own, so that a
console that restarts neither ends the run nor orphans it: the run has an end, and a stop flag.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import gevent
from locust.env import Environment
from locust.stats import stats_history

from loadgen import lease
from loadgen.locustfile import Browser, Buyer
from pipeline.contracts import keys
from pipeline.contracts.events import to_iso_z
from pipeline.runtime.clock import now


@dataclass(frozen=True, slots=True)
class Figures:
    """One second of a run. Times in milliseconds over the whole run, rates over the last 10 s."""

    elapsed_s: int
    users: int
    requests: int
    failures: int
    rps: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class Plan:
    run_id: str
    scenario: str
    users: int
    spawn_rate_per_s: float
    duration_s: int
    edge_url: str


def run(table: Any, plan: Plan, on_second: Callable[[Figures], None]) -> dict[str, Any]:
    """Run to the end of the plan or until somebody asks to stop; returns the final record.

    Raises: lease.AlreadyRunning before anything is started.
    """
    lease.take(table, plan.run_id, now())
    table.put_item(Item={**keys.load_run("latest"), "run_id": plan.run_id, "history": []})
    environment = Environment(user_classes=[Browser, Buyer], host=plan.edge_url)
    runner = environment.create_local_runner()
    history = gevent.spawn(stats_history, runner)
    started_at = to_iso_z(now())
    second = 0
    status = "running"
    try:
        runner.start(plan.users, spawn_rate=plan.spawn_rate_per_s)
        while second < plan.duration_s and status == "running":
            gevent.sleep(1)
            second += 1
            figures = _figures(environment, second)
            on_second(figures)
            lease.take(table, plan.run_id, now())
            status = _record(table, plan, started_at, "running", figures, environment)
        runner.stop()
        final = "stopped" if status == "stopping" else "finished"
        _record(table, plan, started_at, final, _figures(environment, second), environment)
    finally:
        runner.quit()
        history.kill()
        lease.release(table, plan.run_id)
    return {"status": final, **asdict(_figures(environment, second)), **asdict(plan)}


def _figures(environment: Environment, second: int) -> Figures:
    total = environment.stats.total
    runner = environment.runner
    return Figures(
        elapsed_s=second,
        users=runner.user_count if runner else 0,
        requests=total.num_requests,
        failures=total.num_failures,
        rps=round(total.current_rps, 1),
        p50_ms=total.get_response_time_percentile(0.5) or 0,
        p95_ms=total.get_response_time_percentile(0.95) or 0,
        p99_ms=total.get_response_time_percentile(0.99) or 0,
    )


def _record(
    table: Any,
    plan: Plan,
    started_at: str,
    status: str,
    figures: Figures,
    environment: Environment,
) -> str:
    """Append the second to both records of the run; answers the status somebody may have set."""
    routes = [
        {
            "route": f"{entry.method} {entry.name}",
            "requests": entry.num_requests,
            "failures": entry.num_failures,
            "p50_ms": entry.get_response_time_percentile(0.5) or 0,
            "p95_ms": entry.get_response_time_percentile(0.95) or 0,
        }
        for entry in environment.stats.entries.values()
    ]
    asked = str(
        table.get_item(Key=keys.load_run("latest")).get("Item", {}).get("stop_requested", "")
    )
    for key in (keys.load_run(plan.run_id), keys.load_run("latest")):
        table.update_item(
            Key=key,
            UpdateExpression=(
                "SET run_id = :r, #s = :s, started_at = :t, #p = :p, routes = :o, "
                "history = list_append(if_not_exists(history, :e), :h)"
            ),
            ExpressionAttributeNames={"#s": "status", "#p": "plan"},
            ExpressionAttributeValues={
                ":r": plan.run_id,
                ":s": status,
                ":t": started_at,
                ":p": json.dumps(asdict(plan)),
                ":o": json.dumps(routes),
                ":h": [json.dumps(asdict(figures))],
                ":e": [],
            },
        )
    return "stopping" if asked == plan.run_id else status


def request_stop(table: Any, run_id: str) -> None:
    """Ask the run to stop; it sees the flag within a second."""
    table.update_item(
        Key=keys.load_run("latest"),
        UpdateExpression="SET stop_requested = :r",
        ConditionExpression="run_id = :r",
        ExpressionAttributeValues={":r": run_id},
    )
