"""What an operator may do to load runs; each leaves an audit entry, and is refused to others."""

from botocore.exceptions import BotoCoreError, ClientError

from console.audit import Failed, Refused, audited
from console.queries import load
from console.queries.edge import Unreachable
from console.sessions import Session
from console.settings import settings
from loadgen import lease, remote
from loadgen.cleaning import Cleaning, uncleaned
from loadgen.scenarios import Plan
from loadgen.settings import LoadSettings
from pipeline.runtime.clock import now

_CLEANING_PATIENCE_S = 8.0
MAX_NOTE = 300


def start(person: Session, plan: Plan) -> str:
    """Take the lease, write it down, start the program; returns where it runs. Raises Refused."""
    target = f"{plan.scenario}, {load.describe(plan)}, {plan.run_id}"
    with audited(person, "load.start", target) as entry:
        _check(person, "start a load run")
        entry.detail = _launch(plan)
        return entry.detail


def _launch(plan: Plan) -> str:
    launch = remote.launcher(LoadSettings())
    table = load.table()
    try:
        lease.take(table, plan.run_id, now(), lease.START_TTL_S)
    except lease.AlreadyRunning:
        raise Refused(
            "A load run is already going, one at a time: it is shown here in a moment."
        ) from None
    except (BotoCoreError, ClientError) as error:
        raise Failed(f"The ops table does not answer ({type(error).__name__}).") from None
    try:
        load.guarded(lambda: load.records().begin(plan))
        return launch.start(plan)
    except remote.NotStarted as error:
        load.guarded(lambda: load.records().set(plan.run_id, status="failed"))
        lease.release(table, plan.run_id)
        raise Failed(str(error)) from None
    except Unreachable:
        lease.release(table, plan.run_id)
        raise
    finally:
        load.forget()


def stop(person: Session, run_id: str) -> None:
    """The run ends within about two seconds, then cleans up. Raises Refused, Unreachable."""
    with audited(person, "load.stop", run_id):
        _check(person, "stop a load run")
        load.guarded(lambda: load.records().request_stop(run_id, person.email))
    load.forget()


def note(person: Session, run_id: str, text: str) -> None:
    with audited(person, "load.note", run_id):
        _check(person, "write a note")
        load.guarded(lambda: load.records().set(run_id, note=text[:MAX_NOTE]))
    load.forget()


def clean(person: Session) -> list[str]:
    """Clean up every run that is over; a sentence each. Raises Refused, Unreachable."""
    with audited(person, "load.clean-all", "every ended run") as entry:
        _check(person, "clean up after load runs")
        said = _clean_each(person)
        entry.detail = f"{len(said)} runs"
    return said


def _clean_each(person: Session) -> list[str]:
    heads = load.guarded(lambda: uncleaned(load.records(), lease.find_holder(load.table(), now())))
    said = []
    for head in heads:
        work = Cleaning(settings().names, head)
        removed = load.guarded(lambda w=work: w.execute(person.email, _CLEANING_PATIENCE_S))  # type: ignore[misc]
        said.append(f"{head['run_id']}: {removed.sentence()}.")
    load.forget()
    return said


def _check(person: Session, what: str) -> None:
    if not person.is_operator:
        raise Refused(f"Only an operator may {what}.")
