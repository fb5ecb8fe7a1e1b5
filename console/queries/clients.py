"""boto3 for watching: short timeouts and no retries, so that a dead dependency shows at once."""

from decimal import Decimal
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from pipeline.runtime import aws, dynamo_json

_QUICK = aws.LEAN.merge(
    Config(
        connect_timeout=1,
        read_timeout=2,
        retries={"mode": "standard", "total_max_attempts": 1},
        max_pool_connections=16,
    )
)


@cache
def quick(service: str) -> Any:
    """A client that answers or fails within about 3 s."""
    made = boto3.client(service, config=_QUICK)
    if service == "dynamodb":
        dynamo_json.use_for(made)
    return made


@cache
def table(name: str) -> Any:
    resource = boto3.resource("dynamodb", config=_QUICK)
    dynamo_json.use_for(resource.meta.client)
    return resource.Table(name)


def plain(value: Any) -> Any:
    """DynamoDB's Decimals as int or float, all the way down."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | set):
        return [plain(inner) for inner in value]
    return value
