"""Objects in S3 that are read or written only as they were seen."""

from typing import Any

from botocore.exceptions import ClientError

from pipeline.runtime import aws

# 404: an object that is gone is another than the one that was seen.
_CHANGED = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "404"})


def get_if(bucket: str, key: str, etag: str) -> bytes | None:
    """What it holds if this version still stands there; None if not.

    Raises: botocore's errors.
    """
    try:
        answer = aws.batch_client("s3").get_object(Bucket=bucket, Key=key, IfMatch=etag)
    except ClientError as error:
        if error.response["Error"]["Code"] in _CHANGED:
            return None
        raise
    body: bytes = answer["Body"].read()
    return body


def put_over(bucket: str, key: str, body: Any, etag: str | None) -> bool:
    """Put it if this version (None: nothing) still stands there; else False, nothing written.

    Raises: botocore's errors.
    """
    condition = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
    try:
        aws.batch_client("s3").put_object(Bucket=bucket, Key=key, Body=body, **condition)
    except ClientError as error:
        if error.response["Error"]["Code"] in _CHANGED:
            return False
        raise
    return True
