"""What an operator may do to the aggregates; each leaves an audit entry, and asks the lease."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from console.audit import Failed, Refused, audited
from console.programs import REBUILD, RECONCILIATION, Program
from console.queries import recounts
from console.queries.edge import Unreachable
from console.sessions import Session
from console.settings import settings
from pipeline.contracts.names import Names
from pipeline.runtime import generations
from pipeline.runtime.generations import Generations


def reconcile(person: Session, *, repairs: bool) -> None:
    """Starts it. Raises Refused while one is running."""
    action = "reconciliation.repair" if repairs else "reconciliation.run"
    with _allowed(person, action, "every bucket"):
        _start(RECONCILIATION, "reconciliation", person, *(["--repair"] if repairs else []))


def rebuild(person: Session) -> None:
    """Starts it; a generation that is kept is given up. Raises Refused while one is running."""
    with _allowed(person, "rebuild.run", "every aggregate"):
        _start(REBUILD, "rebuild", person, "build")


def discard(person: Session) -> None:
    with _allowed(person, "rebuild.discard", _other()):
        _start(REBUILD, "rebuild", person, "discard")


def swap(person: Session) -> None:
    """The rebuilt figures are read from the next request on. Raises Refused."""
    with _allowed(person, "rebuild.swap", _other()):
        _move(generations.swap)


def roll_back(person: Session) -> None:
    with _allowed(person, "rebuild.roll-back", _other()):
        _move(generations.roll_back)


@contextmanager
def _allowed(person: Session, action: str, target: str) -> Iterator[None]:
    with audited(person, action, target):
        if not person.is_operator:
            raise Refused("Only an operator may do this.")
        yield
    recounts.forget()


def _start(program: Program, lease: str, person: Session, *arguments: str) -> None:
    recounts.find_holder.clear()
    if program.is_running() or recounts.find_holder(lease) is not None:
        raise Refused("One is running already; what it finds appears here.")
    program.start(*arguments, "--by", person.email)


def _other() -> str:
    try:
        return recounts.find_generations().other or "no second generation"
    except Unreachable:
        return "unknown"


def _move(change: Callable[[Names], Generations]) -> None:
    try:
        change(settings().names)
    except generations.NotNow as reason:
        raise Refused(str(reason)) from None
    except generations.Moved:
        raise Refused("Somebody else changed it at the same moment: look again.") from None
    except (BotoCoreError, ClientError) as error:
        raise Failed(f"The analytics table does not answer ({type(error).__name__}).") from None
