"""One compressed object in S3 that is written and read as a whole."""

import gzip
import zlib

from botocore.exceptions import ClientError

from pipeline.runtime import aws, s3

_NOTHING = ("404", "NoSuchKey", "NoSuchBucket", "304", "NotModified")
_FASTEST = 1


class Packed:
    """Text under one key; remembers which version was read last."""

    def __init__(self, bucket: str, key: str) -> None:
        self._bucket, self._key = bucket, key
        self._seen: str | None = None

    def read(self) -> bytes | None:
        """None when there is none, or none that this reader has not had already.

        Raises: botocore's errors; ValueError for what cannot be unpacked.
        """
        condition = {"IfNoneMatch": self._seen} if self._seen else {}
        try:
            answer = aws.batch_client("s3").get_object(
                Bucket=self._bucket, Key=self._key, **condition
            )
        except ClientError as error:
            if _code(error) in _NOTHING:
                return None
            raise
        try:
            content = gzip.decompress(answer["Body"].read())
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise ValueError(f"{self._key} is no gzip: {error}") from None
        self._seen = answer["ETag"]
        return content

    def find_version(self) -> str | None:
        """That of what stands there now; None for nothing. Raises botocore's errors."""
        try:
            answer = aws.batch_client("s3").head_object(Bucket=self._bucket, Key=self._key)
        except ClientError as error:
            if _code(error) in _NOTHING:
                return None
            raise
        return str(answer["ETag"])

    def write(self, content: bytes) -> None:
        body = _packed(content)
        aws.batch_client("s3").put_object(Bucket=self._bucket, Key=self._key, Body=body)

    def write_over(self, content: bytes, version: str | None) -> bool:
        """Only if this version (None: nothing) still stands there; else False, nothing written."""
        return s3.put_over(self._bucket, self._key, _packed(content), version)


def _packed(content: bytes) -> bytes:
    return gzip.compress(content, _FASTEST, mtime=0)


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code"))
