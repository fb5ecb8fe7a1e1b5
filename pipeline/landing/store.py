"""The lake bucket as landing writes it."""

import io

import polars as pl

from pipeline.contracts.names import Names
from pipeline.runtime import aws


class LakeFiles:
    def __init__(self, names: Names) -> None:
        self._bucket = names.lake_bucket

    def write(self, key: str, frame: pl.DataFrame) -> int:
        """One Parquet object, replacing it; returns its bytes.

        Raises: ClientError or BotoCoreError.
        """
        buffer = io.BytesIO()
        frame.write_parquet(buffer, compression="zstd", compression_level=1)
        body = buffer.getvalue()
        aws.batch_client("s3").put_object(Bucket=self._bucket, Key=key, Body=body)
        return len(body)
