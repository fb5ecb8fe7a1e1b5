"""The lake bucket as landing writes it."""

import io

import polars as pl

from pipeline.contracts.names import Names
from pipeline.runtime import aws


class LakeFiles:
    def __init__(self, names: Names) -> None:
        self._bucket = names.lake_bucket

    def write(self, key: str, frame: pl.DataFrame) -> None:
        """One Parquet object, replacing it; raises ClientError or BotoCoreError."""
        buffer = io.BytesIO()
        frame.write_parquet(buffer, compression="zstd", compression_level=1)
        aws.batch_client("s3").put_object(Bucket=self._bucket, Key=key, Body=buffer.getvalue())
