"""The audit log: who did what, when, to what, and how it ended.

An entry is written before the action as `started`, and completed with its result, so that nothing
is done that leaves no trace. One that stays `started` tells of a console that died meanwhile.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from console.queries import clients
from console.queries.edge import Unreachable
from console.settings import settings
from pipeline.contracts.audit import Audit
from pipeline.contracts.events import to_iso_z
from pipeline.runtime import logs
from pipeline.runtime.clock import new_id, now

Result = Literal["started", "ok", "refused", "failed"]
_MAX_TARGET = 500
_MAX_DETAIL = 300
log = logs.get_logger()


class Refused(Exception):
    """The action was not done; the text is for the person."""


class Failed(Refused):
    """The action was allowed, but did not work."""


class Actor(Protocol):
    @property
    def email(self) -> str: ...
    @property
    def role(self) -> str: ...


@dataclass
class Entry:
    """One action; `detail` may be added to while it goes on."""

    key: dict[str, str]
    detail: str = ""
    facts: dict[str, str | int] = field(default_factory=dict)

    def end(self, result: Result, detail: str = "") -> None:
        """Complete it. The action is done by now, so a silent table is only logged."""
        values: dict[str, Any] = {"result": result, **self.facts}
        if text := detail or self.detail:
            values["detail"] = text[:_MAX_DETAIL]
        try:
            _ops().update_item(
                Key=self.key,
                UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
                ExpressionAttributeNames={f"#{name}": name for name in values},
                ExpressionAttributeValues={f":{name}": value for name, value in values.items()},
            )
        except (BotoCoreError, ClientError) as error:
            log.warning("console.audit_incomplete", result=result, error=str(error), **self.key)


def begin(person: Actor, action: str, target: str, **facts: str) -> Entry:
    """Raises Failed when the entry cannot be written."""
    try:
        return Entry(_put(person.email, person.role, action, target, "started", facts))
    except (BotoCoreError, ClientError) as error:
        log.warning("console.audit_failed", action=action, target=target, error=str(error))
        raise Failed(
            "Nothing was done: the audit entry could not be written, because the ops table "
            f"does not answer ({type(error).__name__})."
        ) from None


@contextmanager
def audited(person: Actor, action: str, target: str) -> Iterator[Entry]:
    """Around an action, its permission included: a refusal is an entry too."""
    entry = begin(person, action, target)
    with ends_badly(entry):
        yield entry
    entry.end("ok")


@contextmanager
def ends_badly(entry: Entry) -> Iterator[None]:
    """Whatever is raised inside ends the entry, and goes on; what goes well is not ended yet."""
    try:
        yield
    except Failed as error:
        entry.end("failed", str(error))
        raise
    except Refused as error:
        entry.end("refused", str(error))
        raise
    except Unreachable as error:
        entry.end("failed", str(error))
        raise
    except Exception as error:
        entry.end("failed", type(error).__name__)
        raise


def note(email: str, role: str, action: str, target: str, result: Result, detail: str = "") -> None:
    """What has happened already (a sign-in, a download); a silent table does not undo it."""
    try:
        _put(email, role, action, target, result, {"detail": detail} if detail else {})
    except (BotoCoreError, ClientError) as error:
        log.warning("console.audit_failed", action=action, target=target, error=str(error))


def exported(person: Actor, what: str, make: Callable[[], Any]) -> Callable[[], Any]:
    """A maker of a download, which runs when a person takes the file."""

    def made() -> Any:
        try:
            content = make()
        except Exception as error:
            note(person.email, person.role, "export", what, "failed", type(error).__name__)
            raise
        note(person.email, person.role, "export", what, "ok", f"{len(content):,} bytes")
        return content

    return made


def _put(
    email: str, role: str, action: str, target: str, result: Result, facts: dict[str, str]
) -> dict[str, str]:
    entry = Audit(
        new_id(), to_iso_z(now()), email, action, target[:_MAX_TARGET], role=role, result=result
    )
    _ops().put_item(Item=entry.to_item() | facts)
    return dict(entry.key)


def _ops() -> Any:
    return clients.table(settings().names.table("ops"))
