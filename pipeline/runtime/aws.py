"""boto3 clients with bounded time and retries, one per process and service."""

import os
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

# A request of a shopper waits at most (2 + 3) s x 3 attempts; most calls take milliseconds.
_CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=32,
    parameter_validation=False,  # a third of a call's CPU; the types are ours
)
_BATCH_CONFIG = _CONFIG.merge(Config(read_timeout=60))


@cache
def client(service: str) -> Any:
    """A client for short calls on a request path."""
    return boto3.client(service, config=_CONFIG)


@cache
def batch_client(service: str) -> Any:
    """A client for long calls of the pipeline and of maintenance: 60 s to answer."""
    return boto3.client(service, config=_BATCH_CONFIG)


@cache
def table(name: str) -> Any:
    """A DynamoDB table by its full name (plain Python values in and out; numbers are Decimal)."""
    return boto3.resource("dynamodb", config=_CONFIG).Table(name)


def s3_storage_options() -> dict[str, str]:
    """What polars needs to read `s3://` as boto3 does."""
    options = {
        "aws_region": os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION", ""),
    }
    if key := os.environ.get("AWS_ACCESS_KEY_ID"):
        options["aws_access_key_id"] = key
        options["aws_secret_access_key"] = os.environ.get("AWS_SECRET_ACCESS_KEY", "")
        if token := os.environ.get("AWS_SESSION_TOKEN"):  # as every function on AWS has one
            options["aws_session_token"] = token
    if endpoint := os.environ.get("AWS_ENDPOINT_URL"):
        options |= {
            "aws_endpoint_url": endpoint,
            "aws_allow_http": "true",
            "aws_virtual_hosted_style_request": "false",
        }
    return options
