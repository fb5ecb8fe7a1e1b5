"""Requests to DynamoDB are read by msgspec, and answers and what a function is handed written.

Python's own encoder takes ten times as long for an item.
"""

import json
from types import SimpleNamespace
from typing import Any

import msgspec
from ministack.core import lambda_runtime, responses
from ministack.services import dynamodb

_WRITTEN_ALIKE = {"ensure_ascii"}  # both are read as the same text


def complete() -> None:
    """Call once, before ministack serves."""
    for module in (responses, dynamodb, lambda_runtime):
        module.json = SimpleNamespace(**vars(json) | {"dumps": dumps})
    dynamodb.json.loads = loads


def dumps(value: Any, **options: Any) -> str:
    """`json.dumps`, without spaces; whatever msgspec does not know is left to it."""
    if options.keys() <= _WRITTEN_ALIKE:
        try:
            return msgspec.json.encode(value).decode()
        except (TypeError, ValueError, OverflowError):
            pass
    return json.dumps(value, **options)


def loads(text: str | bytes, **options: Any) -> Any:
    """`json.loads`; whatever msgspec refuses is left to it."""
    if not options:
        try:
            return msgspec.json.decode(text)
        except (msgspec.MsgspecError, TypeError, UnicodeError):
            pass
    return json.loads(text, **options)
