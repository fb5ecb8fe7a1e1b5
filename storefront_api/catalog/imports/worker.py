"""Carries an import out, from where it stands; whoever stops in between loses nothing."""

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import IO, Protocol

from pipeline.contracts.audit import Audit
from pipeline.contracts.events import to_iso_z
from pipeline.runtime.clock import Clock, NewId
from pipeline.runtime.logs import get_logger
from storefront_api.catalog.imports.domain import MAX_ERRORS, Job, LineError, Status
from storefront_api.catalog.imports.rows import Read, WrongHeader, read, to_checked
from storefront_api.catalog.imports.store import Files, Jobs
from storefront_api.catalog.imports.writer import MAX_ACTIONS, MAX_BYTES, Goods, Outcome

log = get_logger()
# The table takes no more from a third writer; reads go on beside two.
_WRITERS = 2
_CHUNKS_AT_ONCE = 4
_MAX_ATTEMPTS = 20


class Writes(Protocol):
    def write(self, chunk: list[Goods]) -> list[Outcome]: ...


@dataclass(slots=True)
class Wave:
    """So much of the file as is written before it is said to be done, up to `last_line`."""

    last_line: int = 0
    chunks: list[list[Goods]] = field(default_factory=list)
    errors: list[LineError] = field(default_factory=list)


class Seen:
    """What the file gave so far: of two lines for one thing the first counts, at every attempt."""

    def __init__(self) -> None:
        self._products: dict[str, int] = {}
        self._skus: dict[str, int] = {}

    def find_repeated(self, found: Read) -> LineError | None:
        if found.product_id is None or found.body is None:
            return None
        if (before := self._products.setdefault(found.product_id, found.first)) != found.first:
            return _repeated(found, "product_id", before)
        variants = found.body.get("variants")
        for index, variant in enumerate(variants if isinstance(variants, list) else ()):
            sku = variant.get("sku") if isinstance(variant, dict) else None
            if not isinstance(sku, str):
                continue
            if (before := self._skus.setdefault(sku, found.first)) != found.first:
                return _repeated(found, f"variants.{index}.sku", before)
        return None


def _repeated(found: Read, field: str, before: int) -> LineError:
    return LineError(
        found.first, found.product_id, ((field, f"was given before, in line {before}"),)
    )


class Worker:
    def __init__(
        self, jobs: Jobs, files: Files, currency: str, clock: Clock, new_id: NewId, owner: str
    ) -> None:
        self._jobs = jobs
        self._files = files
        self._currency = currency
        self._clock = clock
        self._new_id = new_id
        self._owner = owner

    def run(self, job: Job, writer: Writes) -> Job:
        """The job as it ended, or as it was left to another replica that took it over."""
        if job.attempts > _MAX_ATTEMPTS:
            return self._end(job, Status.FAILED, f"given up after {_MAX_ATTEMPTS} attempts")
        job = replace(job, owner=self._owner, started_at=job.started_at or self._now())
        try:
            with self._files.open(job.object_key) as file, ThreadPoolExecutor(_WRITERS) as pool:
                return self._carry_out(job, file, writer, pool)
        except WrongHeader as error:
            return self._end(job, Status.FAILED, str(error))

    def _carry_out(
        self, job: Job, file: IO[bytes], writer: Writes, pool: ThreadPoolExecutor
    ) -> Job:
        previous: tuple[Wave, list[Future[list[Outcome]]]] | None = None
        waves: Iterable[Wave | None] = chain(self._waves(job, file), [None])
        for wave in waves:  # the next one is read while this one is written
            begun = [pool.submit(writer.write, chunk) for chunk in wave.chunks] if wave else []
            if previous is not None:
                job = self._settle(job, *previous)
                reported = self._jobs.report(job, self._owner, time.time())
                if reported is None:
                    log.warning("import.lost", job_id=job.job_id, line=job.counts.lines)
                    return job
                if reported.status is Status.CANCELLING:
                    for future in begun:
                        future.cancel()
                    return self._end(job, Status.CANCELLED, None)
                if job.counts.failed >= MAX_ERRORS:
                    return self._end(job, Status.FAILED, f"{MAX_ERRORS} lines and more are wrong")
            previous = (wave, begun) if wave else None
        job = replace(job, counts=replace(job.counts, lines=job.lines_total))
        return self._end(job, Status.SUCCEEDED, None)

    def _settle(self, job: Job, wave: Wave, begun: list[Future[list[Outcome]]]) -> Job:
        outcomes = [outcome for future in begun for outcome in future.result()]
        errors = wave.errors + [each for each in outcomes if isinstance(each, LineError)]
        self._jobs.add_errors(job.job_id, errors)
        did = [each for each in outcomes if isinstance(each, str)] + ["failed"] * len(errors)
        return replace(job, counts=job.counts.plus(wave.last_line, did), updated_at=self._now())

    def _waves(self, job: Job, file: IO[bytes]) -> Iterator[Wave]:
        """What lies behind the last line that is done; before it, only ids are read."""
        seen = Seen()
        wave, chunk, size, position = Wave(), list[Goods](), 0, 0
        for found in read(file, job.format, self._currency):
            repeated = seen.find_repeated(found)
            if found.last <= job.counts.lines:
                continue
            checked = self._checked(found, repeated)
            wave.last_line = found.last
            if isinstance(checked, LineError):
                wave.errors.append(checked)
            else:
                length, position = file.tell() - position, file.tell()
                actions = sum(1 + len(goods.rows) for goods in chunk) + 1 + len(checked.rows)
                if chunk and (actions > MAX_ACTIONS or size + length > MAX_BYTES):
                    wave.chunks.append(chunk)
                    chunk, size = [], 0
                chunk.append(checked)
                size += length
            if len(wave.chunks) == _CHUNKS_AT_ONCE or len(wave.errors) >= MAX_ACTIONS:
                wave.chunks.append(chunk)
                yield wave
                wave, chunk, size = Wave(), [], 0
        if chunk:
            wave.chunks.append(chunk)
        if wave.chunks or wave.errors:
            yield wave

    def _checked(self, found: Read, repeated: LineError | None) -> Goods | LineError:
        checked = repeated or to_checked(found, self._currency)
        return checked if isinstance(checked, LineError) else Goods(found.first, *checked)

    def _end(self, job: Job, status: Status, note: str | None) -> Job:
        at = self._now()
        job = replace(job, status=status, note=note, ended_at=at, updated_at=at, owner=self._owner)
        counts = job.counts
        detail = (
            f"{counts.created} created, {counts.updated} updated, {counts.unchanged} unchanged, "
            f"{counts.failed} failed{' (dry run)' if job.dry_run else ''}"
        )
        action = f"import.{status.value}"
        self._jobs.end(
            job, self._owner, Audit(self._new_id(), at, job.actor, action, job.job_id, detail)
        )
        log.info("import.ended", job_id=job.job_id, status=status.value, detail=detail, note=note)
        if status is Status.SUCCEEDED:
            self._files.remove(job.object_key)
        return job

    def _now(self) -> str:
        return to_iso_z(self._clock())
