"""Use cases of the desk: look, try a fix, keep it, send on, discard.

Whatever is sent on or taken away is written down first: row, then the sending, then the row again,
then the removal. A crash between any two of these leaves a row that says how far it was, and the
next attempt goes on from there.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from difflib import unified_diff
from typing import Protocol

from pipeline.desk.domain import (
    QUARANTINE,
    Case,
    Progress,
    Row,
    State,
    case_of,
    event_id_of,
    fault_of,
)
from pipeline.desk.masking import shown
from pipeline.desk.transforms import NotMendable, mend
from pipeline.runtime.clock import Clock
from pipeline.runtime.logs import get_logger

DEFAULT_RATE_PER_S = 20
MAX_RATE_PER_S = 200
MAX_REASON = 300
_MAX_BATCH = 50
log = get_logger()


class Busy(Exception):
    """Another redrive is under way; the text says whose."""


class Place(Protocol):
    """Where cases lie: the lake's quarantine, a queue of dead letters, the stream failures."""

    name: str

    def find(self) -> list[Case]:
        """What lies there, without the desk's rows; nothing is taken."""

    def hold(
        self, cases: Mapping[str, Case], size: int
    ) -> AbstractContextManager[Iterator[list[Case]]]:
        """Those of these cases that are there, a batch at a time, for nobody else meanwhile."""

    def was_sent(self, cases: Sequence[Case]) -> set[str]:
        """Which of these, whose sending broke off, are known to have been sent."""

    def send(self, cases: Sequence[Case]) -> dict[str, str]:
        """Sends each to where it came from; returns why by id for those that cannot be.

        Raises what may pass: then any of them may or may not have been sent.
        """

    def remove(self, cases: Sequence[Case]) -> None:
        """Takes them away from where they lie. To repeat it does no harm."""


class Ledger(Protocol):
    """The desk's rows, its lease, and how far a redrive is."""

    def rows(self, place: str) -> dict[str, Row]: ...
    def move(self, row: Row) -> bool:
        """Writes the row if the case's present state may become its; False if not."""

    def take_lease(self, owner: str) -> bool: ...
    def drop_lease(self, owner: str) -> None: ...
    def report(self, progress: Progress) -> None: ...


@dataclass(frozen=True, slots=True)
class Act:
    """Who does it, under which entry of the audit log: nothing is done without one."""

    by: str
    entry_id: str


@dataclass(frozen=True, slots=True)
class Preview:
    """`changes` is a diff of the bodies as people may see them, empty where they are the same;
    `fault` is why it would still be refused, or None."""

    changes: str
    fault: str | None


class Desk:
    def __init__(
        self,
        places: Collection[Place],
        ledger: Ledger,
        clock: Clock,
        sleep: Callable[[float], None],
    ) -> None:
        self._places = {place.name: place for place in places}
        self._ledger, self._clock, self._sleep = ledger, clock, sleep

    def cases(self, place: str) -> list[Case]:
        """What lies at a place and what the desk has done there, newest first."""
        rows = self._ledger.rows(place)
        found = {case.case_id: replace(case, row=rows.get(case.case_id))
                 for case in self._places[place].find()}  # fmt: skip
        if place != QUARANTINE:  # there a row without its case is a fault, which `balance` names
            found |= {i: case_of(row) for i, row in rows.items() if i not in found}
        return sorted(found.values(), key=lambda case: case.at, reverse=True)

    def preview(self, case: Case, steps: Sequence[str]) -> Preview:
        """What these steps would make of the body. Raises NotMendable."""
        mended = mend(case.body, steps)
        before, after = (shown(body).splitlines() for body in (case.body, mended))
        lines = unified_diff(before, after, "as it came", "mended", lineterm="", n=2)
        return Preview("\n".join(lines), _fault(case, mended))

    def fix(self, cases: Sequence[Case], steps: Sequence[str], act: Act) -> Progress:
        """Keep the mended body of each that would be accepted with it; nothing is sent yet."""
        progress = Progress(act.entry_id, act.by, cases[0].place if cases else "", len(cases))
        for case in cases:
            if fault := fault_with(case, steps):
                progress.refused[case.case_id] = fault
                continue
            body = mend(case.body, steps)
            row = self._row(case, State.FIXED, act, body=body, steps=tuple(steps))
            self._count(progress, case, self._ledger.move(row))
        progress.is_over = True
        return progress

    def discard(self, cases: Sequence[Case], reason: str, act: Act) -> Progress:
        """Raises ValueError without a reason. The body of a message stays in its row."""
        if not reason.strip() or len(reason) > MAX_REASON:
            raise ValueError(f"A reason is needed, of at most {MAX_REASON} characters.")
        place, wanted, progress = self._begin(cases, act)

        def work(batch: Sequence[Case]) -> None:
            gone = [case for case in batch if case.state.is_done]
            for case in batch:
                if case.state.is_done:
                    continue
                row = self._row(case, State.DISCARDED, act, reason=reason.strip())
                if case.is_here and place.name != QUARANTINE:
                    row = replace(row, body=case.body)  # as it came, not as it was mended
                is_done = self._ledger.move(row)
                self._count(progress, case, is_done)
                gone += [case] if is_done else []
            place.remove(gone)

        self._each(place, wanted, _MAX_BATCH, progress, work)
        return progress

    def redrive(
        self,
        cases: Sequence[Case],
        act: Act,
        rate_per_s: int = DEFAULT_RATE_PER_S,
        on_progress: Callable[[Progress], None] = lambda progress: None,
    ) -> Progress:
        """Send cases on to where they came from, at most so many a second, one redrive at a time.

        Raises: Busy; ValueError for a rate out of bounds; what AWS raises, with the rest unsent.
        """
        if not 1 <= rate_per_s <= MAX_RATE_PER_S:
            raise ValueError(f"The rate lies between 1 and {MAX_RATE_PER_S} a second.")
        if not self._ledger.take_lease(act.entry_id):
            raise Busy("Another redrive is under way; wait until it has ended.")
        try:
            place, wanted, progress = self._begin(cases, act)
            began = self._clock()

            def work(batch: Sequence[Case]) -> None:
                self._send(place, batch, act, progress)
                self._ledger.report(progress)
                on_progress(progress)
                handled = progress.done + len(progress.refused)
                ahead_s = handled / rate_per_s - (self._clock() - began).total_seconds()
                self._sleep(max(0.0, ahead_s))
                if not self._ledger.take_lease(act.entry_id):
                    raise Busy("The lease was lost to another redrive; the rest stays open.")

            self._each(place, wanted, min(_MAX_BATCH, rate_per_s), progress, work)
            self._ledger.report(progress)
            log.info("desk.redriven", place=place.name, done=progress.done,
                     refused=len(progress.refused), by=act.by)  # fmt: skip
            return progress
        finally:
            self._ledger.drop_lease(act.entry_id)

    def _send(self, place: Place, batch: Sequence[Case], act: Act, progress: Progress) -> None:
        gone = [case for case in batch if case.state.is_done]
        begun: list[Case] = []
        for case in batch:
            if case.state.is_done:
                continue
            if fault := _fault(case, case.to_send):
                progress.refused[case.case_id] = fault
            elif self._ledger.move(self._row(case, State.REDRIVING, act)):
                begun.append(case)
            else:
                self._count(progress, case, False)
        known = place.was_sent([case for case in begun if case.state is State.REDRIVING])
        unsent = place.send([case for case in begun if case.case_id not in known])
        for case in begun:
            if why := unsent.get(case.case_id):
                progress.refused[case.case_id] = why
                before = State.FIXED if case.row and case.row.steps else State.OPEN
                self._ledger.move(self._row(case, before, act, reason=why))
                continue
            self._ledger.move(self._row(case, State.REDRIVEN, act))
            progress.done += 1
            gone.append(case)
        place.remove(gone)

    def _begin(self, cases: Sequence[Case], act: Act) -> tuple[Place, dict[str, Case], Progress]:
        names = {case.place for case in cases}
        if len(names) != 1:
            raise ValueError("An action is on cases of one place.")
        # One that was dealt with, and still lies there because of a crash, is taken away as well.
        wanted = {case.case_id: case for case in cases if case.is_open or case.is_here}
        total = sum(case.is_open for case in wanted.values())
        return self._places[names.pop()], wanted, Progress(act.entry_id, act.by, cases[0].place,
                                                           total)  # fmt: skip

    def _each(
        self,
        place: Place,
        wanted: Mapping[str, Case],
        size: int,
        progress: Progress,
        work: Callable[[Sequence[Case]], None],
    ) -> None:
        """`work` on every wanted case: as it lies at its place, else as its row kept it."""
        left = dict(wanted)
        with place.hold(wanted, size) as batches:
            for batch in batches:
                for case in batch:
                    left.pop(case.case_id, None)
                work(batch)
        kept = [case for case in left.values() if case.is_open and case.row and case.row.body]
        for start in range(0, len(kept), size):
            work([replace(case, is_here=False) for case in kept[start : start + size]])
        for case in left.values():
            if case.is_open and not (case.row and case.row.body):
                progress.refused[case.case_id] = "it is no longer there"
        progress.is_over = True

    def _row(self, case: Case, state: State, act: Act, **changes: object) -> Row:
        """The case's next row; a message's body goes into it, as the message will be gone."""
        body = case.row.body if case.row else None
        if body is None and case.place != QUARANTINE:
            body = case.body
        sent = event_id_of(case.to_send) if state in (State.REDRIVING, State.REDRIVEN) else None
        row = Row(
            case.case_id, case.place, state, act.by, self._clock(), case.at, case.cause,
            case.detail, case.source, sent or case.event_id, body,
            steps=case.row.steps if case.row else (), attributes=case.attributes,
            redriving_at=case.row.redriving_at if case.row else None, entry_id=act.entry_id,
        )  # fmt: skip
        if state is State.REDRIVING and row.redriving_at is None:
            row = replace(row, redriving_at=row.at)
        return replace(row, **changes)  # type: ignore[arg-type]  # the fields of a Row

    def _count(self, progress: Progress, case: Case, is_done: bool) -> None:
        if is_done:
            progress.done += 1
        elif case.state is State.REDRIVING:
            progress.refused[case.case_id] = "its sending broke off: redrive it, that ends it"
        else:
            progress.refused[case.case_id] = "somebody else has dealt with it meanwhile"


def fault_with(case: Case, steps: Sequence[str]) -> str | None:
    """Why the case would still be refused after these steps; None when it would not."""
    try:
        return _fault(case, mend(case.body, steps))
    except NotMendable as error:
        return str(error)


def _fault(case: Case, body: str) -> str | None:
    """Only events are judged here: what a queue's worker accepts, it alone can tell."""
    return fault_of(body) if case.place == QUARANTINE else None
