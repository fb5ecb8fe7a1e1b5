"""Each replica looks for imports that nobody carries out, and starts one at a time."""

import asyncio
import sys
import time
from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from pipeline.runtime.clock import NewId
from pipeline.runtime.logs import get_logger
from storefront_api.catalog.imports.domain import Job
from storefront_api.catalog.imports.store import Jobs

log = get_logger()
PERIOD_S = 2.0
_LOOKED_AT = 20
_MODULE = "storefront_api.catalog.imports"


class Runner:
    def __init__(self, jobs: Jobs, replica: str, new_id: NewId) -> None:
        self._jobs = jobs
        self._replica = replica
        self._new_id = new_id

    async def run(self) -> None:
        """For as long as the replica lives; an import that it drops is another's 15 s later."""
        while True:
            try:
                taken = await asyncio.to_thread(self._take_one)
                if taken is not None:
                    await self._carry_out(*taken)
                    continue
            except (ClientError, BotoCoreError) as error:
                log.warning("imports.not_read", error=type(error).__name__)
            except Exception:  # the task's edge: a replica without it would import nothing
                log.exception("imports.broke_off")
            await asyncio.sleep(PERIOD_S)

    def _take_one(self) -> tuple[Job, str] | None:
        now_s = time.time()
        for job in self._jobs.list_open(_LOOKED_AT):
            owner = f"{self._replica}:{self._new_id()}"
            if job.is_free(now_s) and self._jobs.take(job, owner, now_s):
                return job, owner
        return None

    async def _carry_out(self, job: Job, owner: str) -> None:
        log.info("import.taken", job_id=job.job_id, line=job.counts.lines, attempt=job.attempts + 1)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", _MODULE, job.job_id, owner, stdin=asyncio.subprocess.PIPE
        )
        try:
            code = await process.wait()
            if code:
                log.error("import.broke_off", job_id=job.job_id, code=code)
        finally:
            _end(process.kill)


def _end(kill: Callable[[], None]) -> None:
    try:
        kill()
    except ProcessLookupError:
        return
