"""The commands: up, down, status, logs, clean."""

import os
import shutil
import time

import psutil

from iac.local import health, seeding, show, web
from iac.local.bootstrap import bootstrap
from iac.local.edge.config import write_config
from iac.local.ports import SERVICES, Addresses
from iac.local.processes import Program, programs
from iac.local.supervise import Running, Supervisor

_EMULATOR_TIMEOUT_S = 60
_SERVICES_TIMEOUT_S = 180
# Of one stack, by name: others may keep their state beside these, and people what they exported.
_FOLDERS = ("run", "log", "journal", "emulator", "proof", "replay", "load", "explore", "lake")


class StartFailed(Exception):
    """A program that did not come up; `args` are (program, reason)."""


def up(at: Addresses, until: str | None = None) -> int:
    """Start what does not run, apply what differs, fill what is empty; 1 if something failed."""
    wanted = [program for program in programs(at) if program.is_written]
    supervisor = Supervisor(at)
    ours = supervisor.running() if supervisor.is_up() else {}
    idle = [program.name for program in wanted if not _runs(ours.get(program.name))]
    if taken := health.taken_ports(at, idle):
        show.taken(taken)
        return 1
    try:
        write_config(at)
        supervisor.start()
        _start(at, supervisor, [p for p in wanted if p.name == "emulator"], _EMULATOR_TIMEOUT_S)
        show.outcomes(bootstrap(at))
        # With its tables made; the payment function needs it wherever functions run.
        gateway = [p for p in wanted if p.name == "payment-gateway"]
        if until == "emulator":
            _start(at, supervisor, gateway, _EMULATOR_TIMEOUT_S)
            return 0
        _start_the_shop(at, supervisor, wanted)
    except StartFailed as failed:
        name, why = failed.args
        show.failure(name, at.logs / f"{name}.log", why)
        return 1
    supervisor.save_emulator_state()
    _print_addresses(at, wanted)
    return 0


def _start_the_shop(at: Addresses, supervisor: Supervisor, wanted: list[Program]) -> None:
    # The slow starters import while the seeds write.
    early = [p for p in wanted if p.name in ("xray", "payment-gateway", "edge")]
    for program in early:
        supervisor.start_program(program.name)
    _fill(at)
    show.progress(web.publish(at))
    rest = [p for p in wanted if p.name != "emulator" and not p.one_shot]
    _start(at, supervisor, rest, _SERVICES_TIMEOUT_S)
    # The edge has its own opinion of the replicas: it must have found them, too.
    names = {program.name for program in wanted}
    routes = {
        f"{service} at the edge": f"{at.url(at.edge)}/api/{service}/healthz"
        for service in SERVICES
        if f"{service}-a" in names
    }
    if failed := health.wait_healthy(routes, 15, lambda _: False):
        raise StartFailed("edge", f"does not reach {failed[0]}")
    if os.environ.get("HAS_HISTORY", "1") == "1":
        for program in wanted:
            if program.one_shot and not seeding.is_done(at, program.name):
                supervisor.start_program(program.name)
                show.progress("history: the order log is being replayed in the background")


def _start(at: Addresses, supervisor: Supervisor, chosen: list[Program], timeout_s: float) -> None:
    """Start these and wait until all are healthy. Raises StartFailed with the first that is not."""
    for program in chosen:
        supervisor.start_program(program.name)

    def has_given_up(name: str) -> bool:
        return supervisor.running()[name].state in ("FATAL", "EXITED")

    urls = {program.name: program.health for program in chosen if program.health}
    if failed := health.wait_healthy(urls, timeout_s, has_given_up):
        state = supervisor.running()[failed[0]].state
        raise StartFailed(failed[0], f"did not become healthy (it is {state})")
    show.progress(f"healthy: {', '.join(program.name for program in chosen)}")


def _fill(at: Addresses) -> None:
    for seed in seeding.SEEDS:
        if not seed.is_written or seeding.is_done(at, seed.name):
            continue
        show.progress(f"filling: {seed.name}")
        code, log = seeding.run_seed(at, seed)
        if code != 0:
            raise StartFailed(log.stem, f"ended with {code}")


def down(at: Addresses) -> int:
    """Stop all, the shop before what it stands on; state stays."""
    supervisor = Supervisor(at)
    if not supervisor.is_up():
        show.out.print("Nothing runs.")
        return 0
    state = supervisor.running()
    for program in reversed(programs(at)):
        if _runs(state.get(program.name)):
            supervisor.stop_program(program.name)
            show.progress(f"stopped {program.name}")
    supervisor.shut_down()
    show.progress(f"stopped; state is kept in {at.state}")
    return 0


def status(at: Addresses) -> int:
    """Print each program; 1 if one that should run is down or unfit."""
    supervisor = Supervisor(at)
    if not supervisor.is_up():
        show.out.print("Nothing runs. Start it with: make up")
        return 1
    state = supervisor.running()
    ends = supervisor.unwanted_ends()
    rows, is_well = [], True
    for program in programs(at):
        if not program.is_written or program.name not in state:
            continue
        row, is_fit = _describe(program, state[program.name], ends.get(program.name, 0))
        rows.append(row)
        is_well = is_well and is_fit
    columns = ["program", "state", "health", "pid", "port", "up", "restarts", "memory"]
    show.table("", columns, rows)
    return 0 if is_well else 1


def _describe(program: Program, info: Running, restarts: int) -> tuple[list[str], bool]:
    runs = info.state == "RUNNING"
    is_fit = program.one_shot or (
        runs and (program.health is None or health.is_healthy(program.health))
    )
    if program.one_shot:
        verdict = "-" if runs or info.exit_status == 0 else f"ended with {info.exit_status}"
    else:
        verdict = "[green]ok[/green]" if is_fit else "[red]down[/red]"
    memory = up_for = "-"
    if runs:
        up_for = f"{max(0, int(time.time()) - info.started_at_epoch_s)} s"
        memory = f"{_memory_mb(info.pid)} MB"
    ports = ", ".join(map(str, program.ports)) or "-"
    pid = str(info.pid or "-")
    return [
        program.name,
        info.state.lower(),
        verdict,
        pid,
        ports,
        up_for,
        str(restarts),
        memory,
    ], is_fit


def _memory_mb(pid: int) -> int:
    """Resident memory of the process and its children: the emulator's functions are its."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        return int(sum(member.memory_info().rss for member in family)) // 1_000_000
    except psutil.NoSuchProcess:
        return 0


def logs(at: Addresses) -> int:
    """Follow every log; ends with Ctrl-C."""
    files = sorted(str(path) for path in at.logs.glob("*.log"))
    if not files:
        show.out.print(f"No logs in {at.logs}")
        return 1
    os.execvp("tail", ["tail", "-n", "5", "-F", *files])


def clean(at: Addresses) -> int:
    """Stop all and remove the state: tables, lake, logs, journal."""
    down(at)
    for folder in _FOLDERS:
        shutil.rmtree(at.state / folder, ignore_errors=True)
    show.progress(f"removed the state in {at.state}")
    return 0


def _runs(info: Running | None) -> bool:
    return info is not None and info.state in ("RUNNING", "STARTING", "BACKOFF")


def _print_addresses(at: Addresses, wanted: list[Program]) -> None:
    names = {program.name for program in wanted}
    show.out.print(f"\n  shop      {at.url(at.edge)}")
    if "console" in names:
        show.out.print(f"  console   {at.url(at.console)}")
    show.out.print(
        f"  API       {at.url(at.edge)}/api/catalog/docs (users, checkout, analytics too)"
    )
    show.out.print(f"  AWS       {at.url(at.emulator)}   (emulator; X-Ray {at.url(at.xray)})")
    show.out.print('  for your own shell: eval "$(make -s env)"')
    show.out.print("\n  demo accounts, password demo-Shop-2026!")
    show.out.print("    shopper@demo.shop · analyst@demo.shop · operator@demo.shop\n")
