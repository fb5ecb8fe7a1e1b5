"""The status strip: every part of the shop in one line, right within five seconds of a change.

For any page: `health_strip.show()` inside a live part (`boundary.live`).
"""

from dataclasses import dataclass

import streamlit as st

from console import masthead
from console.panels import data, machines, status
from console.queries import clients, dataplane, replicas
from console.queries.probes import Reading, Watch, as_of
from console.settings import settings

_SHOWN_AGAIN_S = 60


@dataclass(frozen=True, slots=True)
class Mark:
    """One part; `state` is good, warn or bad, and `word` says which and why."""

    name: str
    state: str
    word: str


def _find_bucket() -> bool:
    clients.quick("s3").head_bucket(Bucket=settings().names.lake_bucket)
    return True


# Counting the lake's files takes longer than the strip may be wrong: whether it answers does not.
_BUCKET = Watch("bucket", lambda: {"lake": _find_bucket}, pause_s=1.5)


def marks() -> list[Mark]:
    fast, slow = machines.readings(), data.readings()
    return [
        _edge(fast),
        *(_replica(f"{s}-{z}", fast) for s in replicas.SERVICES for z in replicas.ZONES),
        *(_reader(name, slow[name]) for name in ("landing", "folding")),
        _queues(slow),
        _functions(slow["functions"]),
        _tables(slow["tables"]),
        _lake(_BUCKET.latest()["lake"]),
    ]


def show() -> None:
    found = marks()
    masthead.say(as_of(*machines.readings().values(), *data.readings().values()))
    wrong = [mark for mark in found if mark.state == "bad"]
    behind = [mark for mark in found if mark.state == "warn"]
    draw = {"good": status.good, "warn": status.warn, "bad": status.bad}
    if wrong:
        words = ", ".join(f"{mark.name} {mark.word}" for mark in wrong[:4])
        more = f" and {len(wrong) - 4} more" if len(wrong) > 4 else ""
        st.error(f"{words[0].upper()}{words[1:]}{more}", icon=":material/error:")
    elif behind:
        words = ", ".join(f"{mark.name} {mark.word}" for mark in behind)
        st.warning(f"{words[0].upper()}{words[1:]}", icon=":material/warning:")
    else:
        st.success(
            "Edge, services, streams, queues, functions and stores are well",
            icon=":material/check_circle:",
        )
    st.markdown(" ".join(draw[mark.state](_label(mark)) for mark in found))


def _label(mark: Mark) -> str:
    return mark.name if mark.state == "good" else f"{mark.name}: {mark.word}"


def _edge(found: dict[str, Reading]) -> Mark:
    for name in ("hosts", "traffic"):
        if found[name].fault:
            return Mark("edge", "bad", f"admin {found[name].fault}")
    out = [state for state in found["hosts"].value.values() if state != "healthy"]
    return Mark("edge", "warn", f"sends nothing to {len(out)}") if out else Mark("edge", "good", "")


def _replica(name: str, found: dict[str, Reading]) -> Mark:
    reading = found[name]
    if machines.is_ready(reading):
        again_s = _started_again(name, found["processes"])
        if again_s is None:
            return Mark(name, "good", "")
        return Mark(name, "warn", f"started again {again_s} s ago")
    why = reading.fault or "not ready: " + ", ".join(reading.value.faults)
    return Mark(name, "bad", f"is down ({why})")


def _started_again(name: str, found: Reading) -> int | None:
    """Seconds since a replica came back, for a minute: it may have been gone between two looks."""
    process = next((p for p in found.value or () if p.name == name), None)
    if process is None or not process.restarts or not process.is_up:
        return None
    return int(process.up_s) if process.up_s < _SHOWN_AGAIN_S else None


def _silent(name: str, fault: str) -> Mark:
    """On a machine at its limit an answer may be late once; what refuses is down."""
    return Mark(name, "warn" if fault.startswith("no answer") else "bad", fault)


def _reader(name: str, reading: Reading) -> Mark:
    if reading.fault:
        return _silent(name, reading.fault)
    late = [lag for lag in reading.value if lag.records and (lag.oldest_s or 0) > 10]
    if not late:
        return Mark(name, "good", "")
    records = sum(lag.records for lag in late)
    return Mark(name, "warn", f"is {records:,} records behind")


def _queues(found: dict[str, Reading]) -> Mark:
    readings = [found[f"queue {name}"] for name in dataplane.queue_names()]
    silent = next((reading for reading in readings if reading.fault), None)
    if silent:
        return _silent("queues", str(silent.fault))
    queues: list[dataplane.Queue] = [reading.value for reading in readings]
    dead = sum(queue.waiting for queue in queues if queue.is_dead_letter)
    stuck = [q.name for q in queues if not q.is_dead_letter and (q.backlog_s or 0) > 60]
    if dead:
        return Mark("queues", "bad", f"hold {dead:,} dead letters")
    if stuck:
        return Mark("queues", "warn", f"{', '.join(stuck)} not empty for a minute")
    return Mark("queues", "good", "")


def _functions(reading: Reading) -> Mark:
    if reading.fault:
        return _silent("functions", reading.fault)
    functions: list[dataplane.Function] = reading.value
    broken = [function.name for function in functions if function.state != "Active"]
    if broken:
        return Mark("functions", "bad", f"{', '.join(broken)} not active")
    return Mark("functions", "good", "")


def _tables(reading: Reading) -> Mark:
    if reading.fault:
        return _silent("tables", reading.fault)
    tables: list[dataplane.Table] = reading.value
    idle = [table.name for table in tables if table.status != "ACTIVE"]
    return Mark("tables", "bad", ", ".join(idle)) if idle else Mark("tables", "good", "")


def _lake(reading: Reading) -> Mark:
    return _silent("lake", reading.fault) if reading.fault else Mark("lake", "good", "")
