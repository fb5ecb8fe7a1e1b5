"""`python -m storefront_api.catalog.imports <job> <owner>`: carries out one import, once taken.

A process of its own, started by a replica: what a hundred thousand lines cost does not stand in
the way of shoppers' requests. It ends with the replica, whose end closes its standard input.
"""

import os
import sys
import threading

from pipeline.runtime import clock, logs
from pipeline.runtime.settings import RuntimeSettings
from storefront_api.catalog.imports.store import BulkShelf, Files, Jobs
from storefront_api.catalog.imports.worker import Worker
from storefront_api.catalog.imports.writer import Writer
from storefront_api.catalog.service import CatalogService
from storefront_api.catalog.store import ProductStore

_NICENESS = 5


def _end_with_parent() -> None:
    # Not through sys.stdin: a thread that waits there would abort the interpreter at its end.
    while os.read(0, 64):
        pass
    os._exit(1)


def main(job_id: str, owner: str) -> int:
    os.nice(_NICENESS)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    settings = RuntimeSettings()
    logs.configure(settings.log_level, service="catalog-import")
    jobs = Jobs(settings.names)
    job = jobs.find(job_id)
    if job is None or job.owner != owner:
        return 0
    service = CatalogService(ProductStore(settings.names), clock.now, clock.new_id)
    writer = Writer(
        BulkShelf(settings.names), service, job.job_id, job.actor, clock.now, clock.new_id,
        dry_run=job.dry_run,
    )  # fmt: skip
    worker = Worker(jobs, Files(settings.names), settings.currency, clock.now, clock.new_id, owner)
    worker.run(job, writer)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
