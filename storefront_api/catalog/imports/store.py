"""Where imports lie: their rows in the table of operations, their files in the lake's bucket."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import IO, Any

from pipeline.contracts import keys
from pipeline.contracts.audit import Audit
from pipeline.contracts.names import Names
from pipeline.runtime import aws
from pipeline.runtime.batches import get_all, write_all
from pipeline.runtime.dynamo import TransactionCancelled, transact
from storefront_api.catalog import items
from storefront_api.catalog.domain import Product, Refused, StockRow
from storefront_api.catalog.imports.domain import (
    ENDED,
    LEASE_S,
    Job,
    LineError,
    Status,
    to_job,
    to_row,
)
from storefront_api.catalog.imports.writer import Present

_PART_BYTES = 8 * 1024 * 1024  # S3 takes no smaller part but the last


class Jobs:
    """Every change of a job is conditional, so that two replicas never both have one."""

    def __init__(self, names: Names) -> None:
        self._table = names.table("ops")

    def add(self, job: Job, audit: Audit) -> None:
        row = {**keys.import_job(job.job_id), **to_row(job)}
        written = (row, keys.open_import(job.job_id), audit.to_item())
        transact(
            [{"Put": {"TableName": self._table, "Item": items.encode(each)}} for each in written]
        )

    def find(self, job_id: str) -> Job | None:
        answer = aws.client("dynamodb").get_item(
            TableName=self._table, Key=items.encode(keys.import_job(job_id)), ConsistentRead=True
        )
        return to_job(items.decode(answer["Item"])) if "Item" in answer else None

    def list_newest(self, limit: int) -> list[Job]:
        newest = self._lying_at(keys.import_job(""), limit, ScanIndexForward=False)
        return [to_job(row) for row in newest]

    def list_open(self, limit: int) -> list[Job]:
        """Those that have not ended, the oldest first, as they stand now."""
        open_ = self._lying_at(keys.open_import(""), limit, ConsistentRead=True)
        return [job for mark in open_ if (job := self.find(mark["sk"]))]

    def _lying_at(self, key: keys.Key, limit: int, **how: Any) -> list[dict[str, Any]]:
        """The first rows of a partition."""
        answer = aws.client("dynamodb").query(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": key["pk"]}},
            Limit=limit,
            **how,
        )
        return list(map(items.decode, answer["Items"]))

    def take(self, job: Job, owner: str, now_s: float) -> bool:
        """Make it one's own if nobody has it; what a silent owner writes from now on is refused."""
        is_stopping = job.status is Status.CANCELLING
        row: dict[str, Any] = {
            "status": (Status.CANCELLING if is_stopping else Status.RUNNING).value,
            "owner": owner,
            "lease_until_epoch_s": int(now_s) + LEASE_S,
            "attempts": job.attempts + 1,
        }
        # Not over an operator's wish, which came after the job was read.
        seen = "#status = :was AND attempts = :seen AND lease_until_epoch_s < :now"
        values = {":was": job.status.value, ":seen": job.attempts, ":now": int(now_s)}
        return self._set(job, row, seen, values) is not None

    def report(self, job: Job, owner: str, now_s: float) -> Job | None:
        """Write how far it is and go on having it; None when it is another's by now."""
        row = {name: value for name, value in to_row(job).items() if name != "status"}
        row |= {"owner": owner, "lease_until_epoch_s": int(now_s) + LEASE_S}
        return self._set(job, row, "#owner = :mine", {":mine": owner})

    def end(self, job: Job, owner: str, audit: Audit) -> None:
        """The last word, with its audit. Raises Refused when it is another's by now."""
        row = to_row(job) | {"lease_until_epoch_s": 0}
        action = self._action(job, row, "#owner = :mine", {":mine": owner})
        self._move(job.job_id, job.status, action, audit)

    def ask(self, job: Job, row: Mapping[str, Any], audit: Audit) -> None:
        """An operator's wish: to cancel or to go on; `row` holds the new status.

        Raises Refused when it moved meanwhile.
        """
        action = self._action(job, row, "#status = :seen", {":seen": job.status.value})
        self._move(job.job_id, Status(row["status"]), action, audit)

    def _move(self, job_id: str, to: Status, update: dict[str, Any], audit: Audit) -> None:
        """With the audit, and the mark of those that have not ended."""
        marker = items.encode(keys.open_import(job_id))
        mark: dict[str, Any] = (
            {"Delete": {"TableName": self._table, "Key": marker}}
            if to in ENDED
            else {"Put": {"TableName": self._table, "Item": marker}}
        )
        note = {"Put": {"TableName": self._table, "Item": items.encode(audit.to_item())}}
        _transact([{"Update": update}, mark, note])

    def add_errors(self, job_id: str, errors: Iterable[LineError]) -> None:
        """By line, so that doing it again changes nothing."""
        rows = [
            items.encode(
                {
                    **keys.import_error(job_id, each.line),
                    "line": each.line,
                    "product_id": each.product_id,
                    "errors": [{"field": f, "message": m} for f, m in each.errors],
                }
            )
            for each in errors
        ]
        puts = ({"PutRequest": {"Item": item}} for item in rows)
        write_all(aws.batch_client("dynamodb"), self._table, puts)

    def list_errors(self, job_id: str, after_line: int, limit: int) -> list[LineError]:
        after = keys.import_error(job_id, after_line)
        pages = (
            aws.client("dynamodb")
            .get_paginator("query")
            .paginate(
                TableName=self._table,
                KeyConditionExpression="pk = :job AND sk > :after",
                ExpressionAttributeValues={
                    ":job": {"S": after["pk"]},
                    ":after": {"S": after["sk"]},
                },
                PaginationConfig={"MaxItems": limit, "PageSize": limit},
            )
        )
        rows = (items.decode(item) for page in pages for item in page["Items"])
        return [
            LineError(
                row["line"], row.get("product_id"),
                tuple((each["field"], each["message"]) for each in row["errors"]),
            )
            for row in rows
        ]  # fmt: skip

    def _set(
        self, job: Job, row: Mapping[str, Any], condition: str, seen: Mapping[str, Any]
    ) -> Job | None:
        client = aws.client("dynamodb")
        try:
            answer = client.update_item(
                **self._action(job, row, condition, seen), ReturnValues="ALL_NEW"
            )
        except client.exceptions.ConditionalCheckFailedException:
            return None
        return to_job(items.decode(answer["Attributes"]))

    def _action(
        self, job: Job, row: Mapping[str, Any], condition: str, seen: Mapping[str, Any]
    ) -> dict[str, Any]:
        names = {f"#{name}": name for name in row} | {"#owner": "owner"}
        if "#owner" not in condition and "owner" not in row:
            del names["#owner"]
        return {
            "TableName": self._table,
            "Key": items.encode(keys.import_job(job.job_id)),
            "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in row),
            "ConditionExpression": condition,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": items.encode(
                {f":{n}": v for n, v in row.items()} | dict(seen)
            ),
        }


class Files:
    """The files as they were sent, kept until their import has succeeded."""

    def __init__(self, names: Names) -> None:
        self._bucket = names.lake_bucket

    def begin(self, key: str) -> "Upload":
        return Upload(self._bucket, key)

    @contextmanager
    def open(self, key: str) -> Iterator[IO[bytes]]:
        """A copy on disk: an import takes longer than S3 leaves a connection open."""
        with TemporaryFile() as copy:
            aws.batch_client("s3").download_fileobj(self._bucket, key, copy)
            copy.seek(0)
            yield copy

    def remove(self, key: str) -> None:
        aws.client("s3").delete_object(Bucket=self._bucket, Key=key)


class Upload:
    """A file that arrives in pieces; there is none under its key before `complete`."""

    def __init__(self, bucket: str, key: str) -> None:
        self._at = {"Bucket": bucket, "Key": key}
        self._upload_id = ""
        self._parts: list[dict[str, Any]] = []
        self._waiting = bytearray()

    def add(self, piece: bytes) -> None:
        self._waiting += piece
        while len(self._waiting) >= _PART_BYTES:
            self._send(bytes(self._waiting[:_PART_BYTES]))
            del self._waiting[:_PART_BYTES]

    def complete(self) -> None:
        if not self._upload_id:
            aws.batch_client("s3").put_object(**self._at, Body=bytes(self._waiting))
            return
        if self._waiting:
            self._send(bytes(self._waiting))
        aws.batch_client("s3").complete_multipart_upload(
            **self._at, UploadId=self._upload_id, MultipartUpload={"Parts": self._parts}
        )

    def abort(self) -> None:
        if self._upload_id:
            aws.batch_client("s3").abort_multipart_upload(**self._at, UploadId=self._upload_id)

    def _send(self, part: bytes) -> None:
        s3 = aws.batch_client("s3")
        if not self._upload_id:
            self._upload_id = s3.create_multipart_upload(**self._at)["UploadId"]
        number = len(self._parts) + 1
        answer = s3.upload_part(**self._at, UploadId=self._upload_id, PartNumber=number, Body=part)
        self._parts.append({"ETag": answer["ETag"], "PartNumber": number})


class BulkShelf:
    """The products table as an import writes it (`writer.Shelf`)."""

    def __init__(self, names: Names) -> None:
        self._table = names.table("products")

    def find_present(self, product_ids: Sequence[str]) -> dict[str, Present]:
        found = self._read(
            [keys.product(each) for each in product_ids], "product_id, content, imported"
        )
        return {
            row["product_id"]: Present(row.get("content"), row.get("imported")) for row in found
        }

    def find_taken(self, skus: Sequence[str]) -> dict[str, str]:
        found = self._read([keys.stock(sku) for sku in skus], "sku, product_id")
        return {row["sku"]: row["product_id"] for row in found}

    def create_all(self, goods: Sequence[tuple[Product, Sequence[StockRow]]]) -> None:
        puts = []
        for product, rows in goods:
            puts.append(items.from_product(product))
            puts += [items.from_stock(row, product, "import") for row in rows]
        condition = "attribute_not_exists(pk)"
        _transact(
            [
                {"Put": {"TableName": self._table, "Item": put, "ConditionExpression": condition}}
                for put in puts
            ]
        )

    def _read(self, wanted: Sequence[keys.Key], attributes: str) -> list[dict[str, Any]]:
        client = aws.batch_client("dynamodb")
        options = {"ConsistentRead": True, "ProjectionExpression": attributes}
        found = get_all(client, self._table, map(items.encode, wanted), **options)
        return list(map(items.decode, found))


def _transact(actions: list[dict[str, Any]]) -> None:
    try:
        transact(actions)
    except TransactionCancelled as cancelled:
        raise Refused(min(cancelled.failed)) from None
