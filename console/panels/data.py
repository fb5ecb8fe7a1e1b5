"""Queues, stream readers, functions, stores and long jobs: the slower half of the System page."""

from typing import Any

import streamlit as st

from console import wording
from console.panels import status
from console.queries import dataplane, runs
from console.queries.dataplane import Function, LakePart, Queue, Table
from console.queries.probes import Reading, Sources, Watch
from pipeline.runtime.clock import now


def _sources() -> Sources:
    sources: dict[str, Any] = {
        f"queue {name}": lambda n=name: dataplane.read_queue(n) for name in dataplane.queue_names()
    }
    return sources | {
        "landing": dataplane.read_landing_lag,
        "folding": dataplane.read_folding_lag,
        "functions": dataplane.read_functions,
        "tables": dataplane.read_tables,
        "replay": runs.read_replay,
        "compaction": runs.read_compaction,
    }


_WATCH = Watch("data", _sources, pause_s=2.0)
# Listing a whole lake takes a while, so it is looked at less often.
_LAKE = Watch("lake", lambda: {"lake": dataplane.read_lake}, pause_s=15.0)


def readings() -> dict[str, Reading]:
    """The newest round of the data plane's probes, shared by everybody who looks."""
    return _WATCH.latest()


def lake() -> Reading:
    return _LAKE.latest()["lake"]


def queues(found: dict[str, Reading]) -> None:
    names = dataplane.queue_names()
    known: list[Queue] = [found[f"queue {n}"].value for n in names if found[f"queue {n}"].is_known]
    dead = sum(queue.waiting for queue in known if queue.is_dead_letter)
    waiting = sum(queue.waiting for queue in known if not queue.is_dead_letter)
    with st.container(border=True, height="stretch"):
        if not known:
            st.subheader("Queues do not answer", anchor=False)
            status.unknown("SQS", found[f"queue {names[0]}"].fault)
            return
        title = f"{dead:,} dead letters" if dead else f"{waiting:,} messages wait, no dead letters"
        st.subheader(title, anchor=False)
        st.caption("Waiting, being handled, and since when the console has not seen it empty")
        rows = [_queue_row(name, found[f"queue {name}"]) for name in names]
        status.table(["Queue", "State", "Waiting", "In flight", "Since"], rows, right=(2, 3, 4))


def stream(found: dict[str, Reading]) -> None:
    """How many records landing and folding are behind the stream."""
    with st.container(border=True, height="stretch"):
        behind = [lag.records for n in ("landing", "folding") for lag in found[n].value or []]
        if not any(found[name].is_known for name in ("landing", "folding")):
            st.subheader("The event stream does not answer", anchor=False)
        else:
            caught_up = not any(behind)
            words = "have caught up" if caught_up else f"are up to {max(behind):,} records behind"
            st.subheader(f"The stream's readers {words}", anchor=False)
        st.caption("Records in the Kinesis stream that a reader has not processed yet")
        rows = []
        for name in ("landing", "folding"):
            reading = found[name]
            if reading.fault:
                rows.append([name, status.bad(reading.fault), "", ""])
            for lag in reading.value or []:
                state = status.good("caught up") if not lag.records else status.warn("behind")
                more = "≥ " if lag.is_more else ""
                oldest = "" if lag.oldest_s is None else wording.age(lag.oldest_s)
                rows.append([name, state, f"{more}{lag.records:,}", oldest])
        status.table(["Reader", "State", "Records", "Oldest"], rows, right=(2, 3))


def functions(found: dict[str, Reading]) -> None:
    reading = found["functions"]
    with st.container(border=True, height="stretch"):
        if reading.fault:
            st.subheader("Functions do not answer", anchor=False)
            status.unknown("Lambda", reading.fault)
            return
        all_functions: list[Function] = reading.value
        active = sum(function.state == "Active" for function in all_functions)
        st.subheader(f"{active} of {len(all_functions)} functions are active", anchor=False)
        st.caption("Lambda functions, what wakes them, and their last result there")
        rows = [
            [
                function.name,
                status.good("active") if function.state == "Active" else status.bad(function.state),
                function.source,
                function.last_result,
            ]
            for function in all_functions
        ]
        status.table(["Function", "State", "Source", "Last result"], rows)


def tables(found: dict[str, Reading]) -> None:
    reading = found["tables"]
    with st.container(border=True, height="stretch"):
        if reading.fault:
            st.subheader("Tables do not answer", anchor=False)
            status.unknown("DynamoDB", reading.fault)
            return
        stored: list[Table] = reading.value
        items = sum(table.items for table in stored)
        st.subheader(f"{items:,} items in {len(stored)} tables", anchor=False)
        st.caption("DynamoDB; on AWS it counts its items about every six hours")
        rows = [
            [
                table.name,
                status.good("active") if table.status == "ACTIVE" else status.bad(table.status),
                f"{table.items:,}",
                wording.bytes_short(table.size_bytes),
            ]
            for table in stored
        ]
        status.table(["Table", "State", "Items", "Size"], rows, right=(2, 3))


def jobs(found: dict[str, Reading]) -> None:
    """The last replay and the last compaction, as they report themselves."""
    with st.container(border=True, height="stretch"):
        st.subheader("Long jobs", anchor=False)
        st.caption("As each job reports itself in the ops table")
        replay, compaction = found["replay"], found["compaction"]
        if replay.fault or compaction.fault:
            status.unknown("The ops table", replay.fault or compaction.fault)
            return
        at = wording.moment((compaction.value or {}).get("compacted_at"))
        done = status.quiet("never") if at is None else status.good("done")
        rows = [
            ["replay of the order log", *_replay_words(replay.value)],
            ["compaction", done, "", dataplane.newest_words(at, now())],
        ]
        status.table(["Job", "State", "Progress", "Last report"], rows)


def _replay_words(replay: runs.Replay | None) -> list[str]:
    if replay is None:
        return [status.quiet("never"), "", ""]
    age = dataplane.newest_words(replay.updated_at, now())
    progress = f"{replay.done:,} of {replay.total:,} rows"
    if replay.is_silent:
        return [status.bad("stopped reporting"), progress, age]
    if replay.is_running:
        return [status.warn(replay.status.replace("_", " ")), progress, age]
    word = status.bad if replay.has_failed else status.good
    return [word(replay.status), progress, age]


def _queue_row(name: str, reading: Reading) -> list[str]:
    if reading.fault:
        return [name, status.bad(reading.fault), "", "", ""]
    queue: Queue = reading.value
    state = status.good("empty")
    if queue.waiting:
        state = status.bad("dead letters") if queue.is_dead_letter else status.warn("waiting")
    since = "" if queue.backlog_s is None else wording.age(queue.backlog_s)
    return [name, state, f"{queue.waiting:,}", f"{queue.in_flight:,}", since]


def lake_parts() -> None:
    reading = lake()
    with st.container(border=True, height="stretch"):
        if reading.fault:
            st.subheader("The lake does not answer", anchor=False)
            status.unknown("S3", reading.fault)
            return
        parts: list[LakePart] = reading.value
        size = wording.bytes_short(sum(part.size_bytes for part in parts))
        st.subheader(f"The lake holds {size}", anchor=False)
        st.caption("Parquet files in S3, counted about every 15 s")
        rows = [
            [
                f"{part.prefix}/",
                f"{'≥ ' if part.is_more else ''}{part.files:,}",
                wording.bytes_short(part.size_bytes),
                dataplane.newest_words(part.newest_at, now()),
            ]
            for part in parts
        ]
        status.table(["Prefix", "Files", "Size", "Newest file"], rows, right=(1, 2, 3))
