"""What an operator may do with what was set aside; each leaves an audit entry."""

import time
from collections.abc import Sequence
from threading import Thread

from botocore.exceptions import BotoCoreError, ClientError

from console import audit
from console.audit import Refused, audited
from console.queries import desk
from console.sessions import Session
from pipeline.desk.domain import Case, Progress
from pipeline.desk.service import Act, Busy
from pipeline.runtime import logs

log = logs.get_logger()


def fix(person: Session, cases: Sequence[Case], steps: Sequence[str]) -> Progress:
    """Keeps the mended bodies; nothing is sent. Raises Refused, Unreachable."""
    with audited(person, "desk.fix", _target(cases)) as entry:
        _check(person, "mend what was set aside")
        work = desk.build(time.sleep)
        done = desk.guarded(lambda: work.fix(cases, steps, _act(person, entry)))
        entry.detail = f"{done.sentence('mended')}; {', '.join(steps)}"
    desk.forget()
    return done


def discard(person: Session, cases: Sequence[Case], reason: str) -> Progress:
    """Raises Refused, also without a reason; Unreachable."""
    with audited(person, "desk.discard", _target(cases)) as entry:
        _check(person, "discard what was set aside")
        work = desk.build(time.sleep)
        try:
            done = desk.guarded(lambda: work.discard(cases, reason, _act(person, entry)))
        except ValueError as error:
            raise Refused(str(error)) from None
        entry.detail = f"{done.sentence('discarded')}; {reason}"
    desk.forget()
    return done


def redrive(person: Session, cases: Sequence[Case], rate_per_s: int) -> Thread:
    """Starts it; it goes on when the page is left, and the ops table tells everybody how far it is.

    If this console dies meanwhile, the rest stays open, and the next redrive goes on from there.
    Raises Refused while another one is under way; Failed, Unreachable.
    """
    entry = audit.begin(person, "desk.redrive", _target(cases))
    with audit.ends_badly(entry):
        _check(person, "redrive what was set aside")
        if desk.guarded(lambda: desk.ledger().find_holder()):
            raise Refused("A redrive is under way, one at a time: it is shown above.")
    thread = Thread(
        target=_redrive, args=(cases, _act(person, entry), rate_per_s, entry), name="desk-redrive"
    )
    thread.start()
    return thread


def _redrive(cases: Sequence[Case], act: Act, rate_per_s: int, entry: audit.Entry) -> None:
    try:
        done = desk.build(time.sleep).redrive(cases, act, rate_per_s)
    except (Busy, ValueError) as error:
        entry.end("refused", str(error))
    except (BotoCoreError, ClientError) as error:
        entry.end("failed", f"AWS does not answer ({type(error).__name__}); the rest stays open")
    except Exception as error:  # the thread's edge
        log.error("console.redrive_failed", exc_info=error)
        entry.end("failed", f"{type(error).__name__}; the rest stays open")
    else:
        entry.end("ok", done.sentence("redriven"))
    desk.forget()


def _target(cases: Sequence[Case]) -> str:
    if len(cases) == 1:
        return f"{cases[0].place} {cases[0].case_id}"
    return f"{len(cases):,} of {cases[0].place}: {cases[0].cause}" if cases else "nothing"


def _act(person: Session, entry: audit.Entry) -> Act:
    return Act(person.email, entry.key["sk"])


def _check(person: Session, what: str) -> None:
    if not person.is_operator:
        raise Refused(f"Only an operator may {what}.")
