"""boto3 clients with bounded time and retries, one per process and service."""

import os
from collections.abc import Callable
from functools import cache
from threading import Lock
from typing import Any

import boto3
from botocore.config import Config

from pipeline.runtime import dynamo_json

# What a call need not spend on itself.
LEAN = Config(
    parameter_validation=False,  # a third of a call's CPU; the types are ours
    user_agent=f"HighAvailabilityShop Boto3/{boto3.__version__}",  # else made anew for every call
)
# A request of a shopper waits at most (2 + 3) s x 3 attempts; most calls take milliseconds.
_CONFIG = LEAN.merge(
    Config(
        connect_timeout=2,
        read_timeout=5,
        retries={"mode": "standard", "total_max_attempts": 3},
        max_pool_connections=32,
    )
)
_BATCH_CONFIG = _CONFIG.merge(Config(read_timeout=60))
# At most 4 s with the pause between both attempts: the edge gives a read 5 s before it asks the
# other zone, and there is an older answer to fall back on.
_PROMPT_CONFIG = _CONFIG.merge(
    Config(
        connect_timeout=1,
        read_timeout=1.5,
        retries={"mode": "standard", "total_max_attempts": 2},
    )
)


# The signals' own calls: nobody waits for them, and what they cannot send soon is dropped.
_PLAIN_CONFIG = _CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 2}))

Watcher = Callable[[Any], None]
_made: list[Any] = []
_watchers: list[Watcher] = []
_making = Lock()  # boto3's own session takes one thread at a time


def watch(watcher: Watcher) -> None:
    """Have `watcher` called once with every client of this process, made before or after."""
    if watcher not in _watchers:
        _watchers.append(watcher)
        for one in _made:
            watcher(one)


def _watched(made: Any) -> Any:
    _made.append(made)
    for watcher in _watchers:
        watcher(made)
    return made


def _make(service: str, config: Config) -> Any:
    with _making:
        made = boto3.client(service, config=config)
    if service == "dynamodb":
        dynamo_json.use_for(made)
    return made


@cache
def client(service: str) -> Any:
    """A client for short calls on a request path."""
    return _watched(_make(service, _CONFIG))


@cache
def prompt_client(service: str) -> Any:
    """A client for reads that can do without the answer: it gives up after 4 s at most.

    DynamoDB's answer to a query is left as it came (`dynamo_json.AS_IT_CAME`).
    """
    made = _make(service, _PROMPT_CONFIG)
    if service == "dynamodb":
        dynamo_json.leave_queries(made)
    return _watched(made)


@cache
def batch_client(service: str) -> Any:
    """A client for long calls of the pipeline and of maintenance: 60 s to answer."""
    return _watched(_make(service, _BATCH_CONFIG))


@cache
def plain_client(service: str) -> Any:
    """A client that no watcher sees, for sending what watchers saw."""
    return _make(service, _PLAIN_CONFIG)


@cache
def table(name: str) -> Any:
    """A DynamoDB table by its full name (plain Python values in and out; numbers are Decimal)."""
    with _making:
        resource = boto3.resource("dynamodb", config=_CONFIG)
    dynamo_json.use_for(resource.meta.client)
    _watched(resource.meta.client)
    return resource.Table(name)


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
