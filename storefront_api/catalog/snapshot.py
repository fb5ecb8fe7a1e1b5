"""The catalogue as it last was, in S3, so that a replica starts fast and without the table.

One object, written whole by any replica; an older one that comes in late does no harm, since every
product carries when it changed and a replica asks the table for all since.
"""

import gzip
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from json import dumps, loads

from botocore.exceptions import ClientError

from pipeline.contracts.events import to_iso_z
from pipeline.contracts.names import Names
from pipeline.runtime import aws
from storefront_api.catalog import items
from storefront_api.catalog.domain import Product

_KEY = "catalogue/snapshot-v1.json.gz"
_FASTEST = 1


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All goods as they were at `taken_at`, or a little newer."""

    taken_at: datetime
    products: list[Product]


class Snapshots:
    def __init__(self, names: Names) -> None:
        self._bucket = names.lake_bucket

    def load(self) -> Snapshot | None:
        """None when there is none yet. Raises botocore's errors; ValueError for a broken one."""
        s3 = aws.batch_client("s3")
        try:
            body = s3.get_object(Bucket=self._bucket, Key=_KEY)["Body"].read()
        except s3.exceptions.NoSuchKey:
            return None
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in ("404", "NoSuchBucket"):
                return None
            raise
        head, *lines = gzip.decompress(body).splitlines()
        taken_at = datetime.fromisoformat(loads(head)["taken_at"])
        return Snapshot(taken_at, [items.to_product(loads(line)) for line in lines])

    def save(self, taken_at: datetime, products: Iterable[Product]) -> None:
        lines = [dumps({"taken_at": to_iso_z(taken_at)})]
        lines += (dumps(items.from_product(product)) for product in products)
        body = gzip.compress("\n".join(lines).encode(), _FASTEST)
        aws.batch_client("s3").put_object(Bucket=self._bucket, Key=_KEY, Body=body)
