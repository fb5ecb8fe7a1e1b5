"""What a person may change from the console; every action leaves an audit entry."""

from collections.abc import Callable
from http.client import HTTPException
from typing import Literal
from xmlrpc.client import Fault

from botocore.exceptions import BotoCoreError, ClientError

from console.audit import Failed, Refused, audited
from console.programs import PROOF
from console.queries import clients, processes, replicas
from console.sessions import Session
from console.settings import settings
from pipeline.runtime.clock import now
from pipeline.runtime.lease import Lease

Verb = Literal["restart", "stop", "start"]
VERBS: dict[Verb, str] = {"restart": "Restart", "stop": "Stop", "start": "Start"}
_STOP_TIMEOUT_S = 30.0


def replica_names() -> list[str]:
    return [f"{service}-{zone}" for service in replicas.SERVICES for zone in replicas.ZONES]


def act_on_replica(person: Session, verb: Verb, name: str) -> None:
    """Raises Refused when the person may not, the audit cannot be written or supervisor says no.

    The audit entry comes first: nothing is done that leaves no trace.
    """
    with audited(person, f"replica.{verb}", name):
        if not person.is_operator:
            raise Refused("Only an operator may do this.")
        if name not in replica_names():
            raise Refused(f"There is no replica {name}.")
        _tell_supervisor(verb, name)


def _tell_supervisor(verb: Verb, name: str) -> None:
    try:
        with processes.connect(_STOP_TIMEOUT_S) as rpc:
            if verb in ("stop", "restart"):
                _ignoring("NOT_RUNNING", lambda: rpc.supervisor.stopProcess(name, True))
            if verb in ("start", "restart"):
                _ignoring("ALREADY_STARTED", lambda: rpc.supervisor.startProcess(name, False))
    except Fault as fault:
        raise Failed(f"Supervisor refused: {fault.faultString}") from None
    except (OSError, HTTPException) as error:
        raise Failed(f"Supervisor does not answer ({type(error).__name__}).") from None


def start_proof(person: Session) -> None:
    """Runs the ledger, which holds a lease of its own. Raises Refused while another does."""
    with audited(person, "proof.run", "all checks"):
        if not person.is_operator:
            raise Refused("Only an operator may run the proof.")
        if _is_leased("proof"):
            raise Refused("A proof is already running; its result appears here.")
        PROOF.start("--then-prove")


def _is_leased(name: str) -> bool:
    table = clients.table(settings().names.table("ops"))
    try:
        return Lease(table, name).find_holder(now()) is not None
    except (BotoCoreError, ClientError) as error:
        raise Failed(f"The ops table does not answer ({type(error).__name__}).") from None


def _ignoring(fault_name: str, call: Callable[[], object]) -> None:
    try:
        call()
    except Fault as fault:
        if fault_name not in fault.faultString:
            raise
