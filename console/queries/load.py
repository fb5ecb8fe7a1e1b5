"""Load runs as they write themselves into the ops table; every console sees the same."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from threading import Lock
from typing import Any, TypeVar

import polars as pl
import streamlit as st
from botocore.exceptions import BotoCoreError, ClientError

from console import wording
from console.queries import clients
from console.queries.edge import Unreachable
from console.settings import settings
from loadgen import lease
from loadgen.record import Records, plan_of
from loadgen.scenarios import Plan
from loadgen.summary import cut_short
from pipeline.runtime.clock import now

T = TypeVar("T")
_RUNS_REMEMBERED = 6
_POINTS = 240
_LONGEST_CLEANING = timedelta(minutes=2)
Head = dict[str, Any]
# The columns of a second, less the shares of the processes.
SECONDS: dict[str, Any] = {
    "elapsed_s": pl.Int64, "users": pl.Int64, "offered": pl.Float64, "achieved": pl.Float64,
    "failures": pl.Int64, "p50_ms": pl.Float64, "p95_ms": pl.Float64, "p99_ms": pl.Float64,
    "cpu": pl.Float64,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Progress:
    """What a run has written so far; `latest` is its newest minute, {} before the first second."""

    seconds: list[dict[str, Any]]
    latest: dict[str, Any] = field(default_factory=dict)

    @property
    def frame(self) -> pl.DataFrame:
        """DataFrame[SECONDS], one row per second, in order."""
        rows = [{name: second[name] for name in SECONDS} for second in self.seconds]
        return pl.DataFrame(rows, schema=SECONDS)


def table() -> Any:
    return clients.table(settings().names.table("ops"))


def records() -> Records:
    return Records(table())


@st.cache_data(ttl=0.8, max_entries=1, show_spinner=False)
def find_running() -> str | None:
    """The id of the run that holds the lease. Raises Unreachable."""
    return guarded(lambda: lease.find_holder(table(), now()))


@st.cache_data(ttl=0.8, max_entries=8, show_spinner=False)
def find_run(run_id: str) -> Head | None:
    """Its head: {run_id, plan, by, status, started_at, ended_at?, summary?, cleaned?, note?}."""
    found = guarded(lambda: records().find(run_id))
    return clients.plain(found) if found else None


@st.cache_data(ttl=2.0, max_entries=1, show_spinner=False)
def list_runs() -> list[Head]:
    """Heads, newest first; at most 200."""
    return [clients.plain(head) for head in guarded(lambda: records().list_runs())]


def status_of(head: Head, running: str | None) -> str:
    """`running`, `cleaning`, `finished`, `stopped`, `failed`; `lost`: it no longer reports, or
    `uncleaned`: it measured to its end and died while it cleaned up."""
    status = str(head.get("status", "unknown"))
    if status == "running" and running != head["run_id"]:
        return "lost"
    ended = wording.moment(head.get("ended_at"))
    if status == "cleaning" and ended and now() - ended > _LONGEST_CLEANING:
        return "uncleaned"
    return status


def completed(head: Head, running: str | None) -> Head:
    """A run that died gets the summary of what it had measured until then. Raises Unreachable."""
    if head.get("summary") or status_of(head, running) != "lost":
        return head
    try:
        minutes = read_minutes(str(head["run_id"]))
    except Unreachable:
        return head
    return {**head, "summary": cut_short(plan_of(head), minutes)} if minutes else head


def silent_s(progress: Progress) -> float:
    """Seconds since a run that goes on has last written; 0 before its first second."""
    at = wording.moment(progress.latest.get("at"))
    return max(0.0, (now() - at).total_seconds()) if at else 0.0


_minutes: OrderedDict[str, dict[int, dict[str, Any]]] = OrderedDict()
_lock = Lock()


@st.cache_data(ttl=0.8, max_entries=8, show_spinner=False)
def read_progress(run_id: str) -> Progress:
    """Every second so far. Minutes that have passed are read once."""
    known = read_minutes(run_id)
    seconds = [second for n in sorted(known) for second in known[n]["seconds"]]
    return Progress(seconds, known[max(known)] if known else {})


def read_minutes(run_id: str) -> dict[int, dict[str, Any]]:
    """Bodies of minutes by number, as `loadgen.record` has written them. Raises Unreachable."""
    with _lock:
        known = dict(_minutes.get(run_id, {}))
    first = max(known, default=-1) + 1
    known |= guarded(lambda: records().minutes(run_id, first))
    if not known:
        return {}
    newest = max(known)
    with _lock:
        _minutes[run_id] = {n: minute for n, minute in known.items() if n < newest}
        _minutes.move_to_end(run_id)
        while len(_minutes) > _RUNS_REMEMBERED:
            _minutes.popitem(last=False)
    return known


def thinned(frame: pl.DataFrame) -> pl.DataFrame:
    """At most 240 rows: means of equal spans, and the highest p99 and most failures of each."""
    every = -(-frame.height // _POINTS)
    if every <= 1:
        return frame
    means = [name for name in frame.columns if name not in ("p99_ms", "failures", "elapsed_s")]
    return (
        frame.with_columns((pl.col("elapsed_s").rank("ordinal") - 1).floordiv(every).alias("span"))
        .group_by("span", maintain_order=True)
        .agg(
            pl.col("elapsed_s").last(),
            *(pl.col(name).mean() for name in means),
            pl.col("p99_ms", "failures").max(),
        )
        .select(frame.columns)
    )


def shares(seconds: list[dict[str, Any]], shown: int = 6) -> pl.DataFrame:
    """DataFrame[elapsed_s, <process>…, others]: percent of all cores, the largest first.

    `others` are further programs of the shop; what else the machine does is in none of them.
    """
    totals: dict[str, float] = {}
    for second in seconds:
        for name, share in second["shares"].items():
            totals[name] = totals.get(name, 0.0) + float(share)
    names = sorted(totals, key=lambda name: -totals[name])
    every = max(1, -(-len(seconds) // _POINTS))
    rows = []
    for second in seconds[::every]:
        row: dict[str, float] = {"elapsed_s": int(second["elapsed_s"])}
        row |= {name: float(second["shares"].get(name, 0.0)) for name in names[:shown]}
        row["others"] = sum(float(second["shares"].get(name, 0.0)) for name in names[shown:])
        rows.append(row)
    return pl.DataFrame(rows) if rows else pl.DataFrame(schema={"elapsed_s": pl.Int64})


def describe(plan: dict[str, Any] | Plan) -> str:
    """`1,000 users` or `up to 400 requests/s`."""
    asked: dict[str, Any] = plan if isinstance(plan, dict) else asdict(plan)
    if asked["arrivals_per_s"]:
        return f"up to {asked['arrivals_per_s']:,.0f} requests/s"
    return f"{asked['users']:,} users"


def guarded(call: Callable[[], T]) -> T:
    """Raises Unreachable where the ops table does not answer."""
    try:
        return call()
    except (BotoCoreError, ClientError) as error:
        raise Unreachable(f"The ops table does not answer ({type(error).__name__}).") from None


def forget() -> None:
    """Read anew at the next look, after an action of this console."""
    for cached in (find_running, find_run, list_runs, read_progress):
        cached.clear()
