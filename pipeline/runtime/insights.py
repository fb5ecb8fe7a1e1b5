"""What the shop has learnt of its shoppers together: one object in S3, written by the pipeline,
read by every replica of the catalogue."""

import gzip
from dataclasses import dataclass, field
from datetime import datetime
from json import dumps, loads

from botocore.exceptions import ClientError

from pipeline.contracts.events import to_iso_z
from pipeline.contracts.names import Names
from pipeline.runtime import aws

_KEY = "catalogue/insights-v1.json.gz"
_UNCHANGED = ("304", "NotModified")
_ABSENT = ("404", "NoSuchKey", "NoSuchBucket")


@dataclass(frozen=True, slots=True)
class Insights:
    """`bought_with`: product id to the ids of what is bought with it, best first; `queries`: what
    is searched for, the most popular first, in lower case."""

    bought_with: dict[str, tuple[str, ...]] = field(default_factory=dict)
    queries: tuple[str, ...] = ()


class InsightFile:
    """Remembers which version it has read, so that a reader asks for news only."""

    def __init__(self, names: Names) -> None:
        self._bucket = names.lake_bucket
        self._seen: str | None = None

    def write(self, insights: Insights, learnt_at: datetime) -> None:
        body = {
            "learnt_at": to_iso_z(learnt_at),
            "bought_with": insights.bought_with,
            "queries": insights.queries,
        }
        aws.batch_client("s3").put_object(
            Bucket=self._bucket, Key=_KEY, Body=gzip.compress(dumps(body).encode(), mtime=0)
        )

    def read_news(self) -> Insights | None:
        """None when there is nothing new. Raises botocore's errors; ValueError for a broken one."""
        condition = {"IfNoneMatch": self._seen} if self._seen else {}
        try:
            answer = aws.batch_client("s3").get_object(Bucket=self._bucket, Key=_KEY, **condition)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in (*_UNCHANGED, *_ABSENT):
                return None
            raise
        body = loads(gzip.decompress(answer["Body"].read()))
        self._seen = answer["ETag"]
        return Insights(
            {key: tuple(others) for key, others in body["bought_with"].items()},
            tuple(body["queries"]),
        )
