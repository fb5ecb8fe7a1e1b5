"""Processes, replicas by zone and the edge: the fast half of the System page."""

from typing import Any, cast

import streamlit as st

from console import wording
from console.panels import status
from console.queries import processes, replicas
from console.queries.probes import Reading, Sources, Watch
from console.queries.processes import Process
from console.queries.replicas import EdgeTraffic, Replica


def _sources() -> Sources:
    sources: dict[str, Any] = {
        "processes": processes.list_processes,
        "hosts": replicas.read_edge_hosts,
        "traffic": replicas.TRAFFIC.read,
    }
    for service in replicas.SERVICES:
        for zone in replicas.ZONES:
            sources[f"{service}-{zone}"] = lambda s=service, z=zone: replicas.read_replica(s, z)
    return sources


_WATCH = Watch("machines", _sources, pause_s=1.0)


def readings() -> dict[str, Reading]:
    """The newest round of all fast probes, shared by everybody who looks."""
    return _WATCH.latest()


def finding(found: dict[str, Reading]) -> tuple[bool, str]:
    """(is all well, one sentence)."""
    down = [name for name in _replica_names() if not is_ready(found[name])]
    faults = []
    if found["processes"].fault:
        faults.append(f"supervisor {found['processes'].fault}")
    else:
        faults += [
            f"{process.name} {'has failed' if process.is_one_shot else 'is not running'}"
            for process in found["processes"].value
            if not process.is_fine and process.name not in down
        ]
    if found["hosts"].fault:
        faults.append(f"the edge's admin {found['hosts'].fault}")
    faults = [f"{name} is down" for name in down] + faults
    if not faults:
        return True, f"All {len(_replica_names())} replicas are ready in both zones"
    shown = ", ".join(faults[:3]) + (f" and {len(faults) - 3} more" if len(faults) > 3 else "")
    return False, shown[0].upper() + shown[1:]


def is_ready(reading: Reading) -> bool:
    return reading.is_known and cast(Replica, reading.value).ready


def key_figures(found: dict[str, Reading]) -> None:
    ready = sum(is_ready(found[name]) for name in _replica_names())
    with st.grid(4, min_column_width=146, gap="small"):
        st.metric("Replicas ready", f"{ready} of {len(_replica_names())}", border=True)
        running: list[Process] | None = found["processes"].value
        up = (
            "unknown" if running is None else f"{sum(p.is_fine for p in running)} of {len(running)}"
        )
        st.metric("Processes well", up, border=True)
        traffic: EdgeTraffic | None = found["traffic"].value
        success = traffic.success if traffic else None
        st.metric(
            "Edge success",
            "unknown"
            if traffic is None
            else "no traffic"
            if success is None
            else f"{success:.2f} %",
            border=True,
            help="Answers below 500 among all requests that reached the edge in the last minute.",
        )
        retries = "unknown" if traffic is None else f"{traffic.retries:,}"
        st.metric(
            "Edge retries",
            retries,
            border=True,
            help="Requests that Envoy sent again to another replica in the last minute.",
        )


def zones(found: dict[str, Reading]) -> None:
    """Services down the side, zones across; each cell is the replica's own word and Envoy's."""
    hosts: dict[int, str] = found["hosts"].value or {}
    rows = []
    for service in replicas.SERVICES:
        cells = [f"**{service}**"]
        for zone in replicas.ZONES:
            envoy = hosts.get(replicas.port_of(service, zone))
            cells.append(_cell(found[f"{service}-{zone}"], envoy, found["hosts"].is_known))
        rows.append(cells)
    with st.container(border=True, height="stretch"):
        st.subheader("Services by zone", anchor=False)
        st.caption("What each replica says of itself on its own port, and whether Envoy uses it")
        status.table(["Service", *(f"Zone {zone}" for zone in replicas.ZONES)], rows)
        if found["hosts"].fault:
            status.unknown("Envoy's admin", found["hosts"].fault)


def process_table(found: dict[str, Reading]) -> None:
    reading = found["processes"]
    with st.container(border=True, height="stretch"):
        if reading.fault:
            st.subheader("Processes are unknown", anchor=False)
            status.unknown("Supervisor", reading.fault)
            return
        running: list[Process] = reading.value
        memory = sum(process.memory_bytes for process in running)
        st.subheader(f"Processes use {wording.bytes_short(memory)} of memory", anchor=False)
        st.caption("As supervisor sees them; memory includes their children's, CPU is their own")
        rows = [
            [
                process.name,
                _process_state(process),
                wording.age(process.up_s) if process.is_up else "",
                str(process.restarts) if not process.is_one_shot else "",
                wording.bytes_short(process.memory_bytes) if process.pid else "",
                f"{process.cpu_percent:.0f} %" if process.pid else "",
            ]
            for process in running
        ]
        columns = ["Process", "State", "Up", "Restarts", "Memory", "CPU"]
        status.table(columns, rows, right=(2, 3, 4, 5))


def _process_state(process: Process) -> str:
    if process.is_up:
        return status.good("running")
    if process.is_fine:
        return status.quiet("done")
    return status.bad(process.state.lower())


def _cell(reading: Reading, envoy: str | None, is_envoy_known: bool) -> str:
    if reading.fault:
        own = status.bad(f"down: {reading.fault}")
    else:
        replica: Replica = reading.value
        own = (
            status.good(f"ready {replica.latency_ms:.0f} ms")
            if replica.ready
            else status.bad("not ready: " + ", ".join(replica.faults))
        )
    if not is_envoy_known:
        return own
    if envoy is None:
        return f"{own} {status.warn('not at the edge')}"
    return own if envoy == "healthy" else f"{own} {status.warn(f'edge: {envoy}')}"


def _replica_names() -> list[str]:
    return [f"{service}-{zone}" for service in replicas.SERVICES for zone in replicas.ZONES]
