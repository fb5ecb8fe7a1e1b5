"""`/imports`: send a file, see how far it is and what was wrong with it, stop it, go on with it."""

import asyncio
from dataclasses import replace
from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, Field

from pipeline.contracts.audit import Audit
from pipeline.contracts.errors import BadRequest, Conflict, NotFound, Unprocessable
from pipeline.contracts.events import to_iso_z
from pipeline.runtime.clock import new_id, now
from storefront_api.catalog import views
from storefront_api.catalog.domain import Refused
from storefront_api.catalog.imports.domain import ENDED, Format, Job, Status
from storefront_api.catalog.imports.store import Files, Jobs
from storefront_api.problems import documented
from storefront_api.security import Principal, require_role

router = APIRouter(tags=["imports"])
Operator = Annotated[Principal, Depends(require_role("operator"))]
JobId = Annotated[str, Path(pattern=r"^[0-9A-HJKMNP-TV-Z]{26}$")]
_FORMATS = {
    "application/x-ndjson": Format.JSONL,
    "application/jsonl": Format.JSONL,
    "application/json-lines": Format.JSONL,
    "text/csv": Format.CSV,
}
_SENT = {"schema": {"type": "string"}}
_BODY = {"requestBody": {"required": True, "content": dict.fromkeys(_FORMATS, _SENT)}}


class ImportJob(BaseModel):
    """An import. `lines` of `lines_total` are done; the counts are products."""

    import_id: str
    status: Status
    format: Format
    dry_run: bool
    lines: int
    lines_total: int
    progress: float = Field(ge=0, le=1)
    created: int
    updated: int
    unchanged: int
    failed: int
    bytes: int
    sha256: str
    attempts: int = Field(description="How often a replica took it up")
    actor: str
    created_at: str
    started_at: str | None
    updated_at: str
    ended_at: str | None
    note: str | None = Field(description="Why it failed")


class ImportList(BaseModel):
    items: list[ImportJob]
    next_cursor: None = None


class FieldError(BaseModel):
    field: str
    message: str


class ImportError(BaseModel):
    line: int = Field(description="Of the file, from 1; in CSV the first line of the product")
    product_id: str | None
    errors: list[FieldError]


class ImportErrors(BaseModel):
    items: list[ImportError]
    next_cursor: str | None


async def get_jobs(request: Request) -> Jobs:
    jobs: Jobs = request.app.state.import_jobs
    return jobs


AllJobs = Annotated[Jobs, Depends(get_jobs)]


@router.post(
    "/imports",
    status_code=202,
    response_model=ImportJob,
    responses=documented(400, 401, 403, 413, 422, 503),
    openapi_extra=_BODY,
)
async def create_import(
    request: Request, operator: Operator, jobs: AllJobs, dry_run: bool = False
) -> Response:
    """Send products as JSONL (a body of POST /products a line) or CSV (a line per SKU, those of a
    product together). Each product is taken whole or not at all, known ones are edited; sending a
    file again changes nothing. `dry_run` checks it and says what would be."""
    form = _format_of(request)
    job_id = new_id()
    files: Files = request.app.state.import_files
    upload = files.begin(f"imports/{job_id}")
    digest, size, ends, last = sha256(), 0, 0, b""
    try:
        async for piece in request.stream():
            if piece:
                digest.update(piece)
                size, ends, last = size + len(piece), ends + piece.count(b"\n"), piece[-1:]
                await asyncio.to_thread(upload.add, piece)
        if not size:
            message = "The file is empty"
            raise Unprocessable(message, errors=[{"field": "body", "message": message}])
        await asyncio.to_thread(upload.complete)
    except BaseException:
        await asyncio.shield(asyncio.to_thread(upload.abort))
        raise
    at = to_iso_z(now())
    job = Job(
        job_id, Status.QUEUED, form, dry_run, operator.user_id, at, at, size, digest.hexdigest(),
        lines_total=ends + (last != b"\n"),
    )  # fmt: skip
    detail = f"{job.lines_total} lines, sha256 {job.sha256}{', dry run' if dry_run else ''}"
    await asyncio.to_thread(jobs.add, job, _audit(operator, "import.created", job, detail))
    return _answer(_job(job), 202, {"Location": f"/api/catalog/imports/{job_id}"})


@router.get("/imports", response_model=ImportList, responses=documented(401, 403, 503))
def list_imports(operator: Operator, jobs: AllJobs) -> Response:
    """The newest twenty, newest first."""
    return _answer({"items": [_job(job) for job in jobs.list_newest(20)], "next_cursor": None})


@router.get(
    "/imports/{import_id}", response_model=ImportJob, responses=documented(401, 403, 404, 422, 503)
)
def get_import(import_id: JobId, operator: Operator, jobs: AllJobs) -> Response:
    """How far it is; look again each second."""
    return _answer(_job(_get(jobs, import_id)))


@router.get(
    "/imports/{import_id}/errors",
    response_model=ImportErrors,
    responses=documented(401, 403, 404, 422, 503),
)
def list_import_errors(
    import_id: JobId,
    operator: Operator,
    jobs: AllJobs,
    page_size: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: Annotated[str, Query(pattern=r"^[0-9]{0,9}$")] = "",
) -> Response:
    """What was wrong, line by line, in the order of the file."""
    _get(jobs, import_id)
    found = jobs.list_errors(import_id, int(cursor or 0), page_size + 1)
    page = found[:page_size]
    items = [
        {
            "line": each.line,
            "product_id": each.product_id,
            "errors": [{"field": field, "message": message} for field, message in each.errors],
        }
        for each in page
    ]
    following = str(page[-1].line) if len(found) > page_size else None
    return _answer({"items": items, "next_cursor": following})


@router.post(
    "/imports/{import_id}/cancel",
    status_code=202,
    response_model=ImportJob,
    responses=documented(401, 403, 404, 409, 422, 503),
)
def cancel_import(import_id: JobId, operator: Operator, jobs: AllJobs) -> Response:
    """Stop after the products at hand; what is taken stays."""
    job = _get(jobs, import_id)
    if job.status in ENDED:
        raise Conflict(f"The import has ended: {job.status.value}")
    to = Status.CANCELLED if job.status is Status.QUEUED else Status.CANCELLING
    return _asked(jobs, job, {"status": to.value}, _audit(operator, "import.cancel", job, ""))


@router.post(
    "/imports/{import_id}/resume",
    status_code=202,
    response_model=ImportJob,
    responses=documented(401, 403, 404, 409, 422, 503),
)
def resume_import(import_id: JobId, operator: Operator, jobs: AllJobs) -> Response:
    """Go on with one that was cancelled or failed, behind the last line that is done."""
    job = _get(jobs, import_id)
    if job.status not in (Status.CANCELLED, Status.FAILED):
        raise Conflict(f"The import is {job.status.value}")
    row = {"status": Status.QUEUED.value, "lease_until_epoch_s": 0, "attempts": 0}
    detail = f"from line {job.counts.lines + 1}"
    return _asked(jobs, job, row, _audit(operator, "import.resumed", job, detail))


def _asked(jobs: Jobs, job: Job, row: dict[str, Any], audit: Audit) -> Response:
    try:
        jobs.ask(job, row, audit)
    except Refused:
        raise Conflict("The import has moved on meanwhile") from None
    return _answer(_job(replace(job, status=Status(row["status"]))), 202)


def _format_of(request: Request) -> Format:
    given = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if given not in _FORMATS:
        message = f"Send one of {', '.join(_FORMATS)}"
        raise BadRequest(message, errors=[{"field": "Content-Type", "message": message}])
    return _FORMATS[given]


def _get(jobs: Jobs, job_id: str) -> Job:
    job = jobs.find(job_id)
    if job is None:
        raise NotFound(f"No import {job_id}")
    return job


def _job(job: Job) -> views.Plain:
    counts = job.counts
    return {
        "import_id": job.job_id, "status": job.status, "format": job.format,
        "dry_run": job.dry_run, "lines": counts.lines, "lines_total": job.lines_total,
        "progress": round(min(1.0, counts.lines / max(1, job.lines_total)), 4),
        "created": counts.created, "updated": counts.updated, "unchanged": counts.unchanged,
        "failed": counts.failed, "bytes": job.bytes, "sha256": job.sha256,
        "attempts": job.attempts, "actor": job.actor, "created_at": job.created_at,
        "started_at": job.started_at, "updated_at": job.updated_at, "ended_at": job.ended_at,
        "note": job.note,
    }  # fmt: skip


def _audit(operator: Principal, action: str, job: Job, detail: str) -> Audit:
    return Audit(new_id(), to_iso_z(now()), operator.user_id, action, job.job_id, detail)


def _answer(
    body: views.Plain, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    return Response(
        views.to_json(body),
        status,
        media_type="application/json",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )
