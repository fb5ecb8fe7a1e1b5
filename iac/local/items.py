"""Copies and measures DynamoDB's items quickly; ministack does both several times for each write.

An update in a transaction copies its item six times and measures it twice.
"""

import copy
from types import SimpleNamespace
from typing import Any

from ministack.services import dynamodb

from iac.local.expressions import remembered

_NUMBERS = 65_536


def complete() -> None:
    """Call once, before ministack serves."""
    dynamodb.copy = SimpleNamespace(deepcopy=copied)
    dynamodb._number_size_bytes = remembered(dynamodb._number_size_bytes, str, _NUMBERS)


def copied(value: Any) -> Any:
    """`copy.deepcopy` for what JSON is made of: such values hold no cycles, and share nothing."""
    kind = type(value)
    if kind is dict:
        return {name: copied(part) for name, part in value.items()}
    if kind is list:
        return [part if type(part) is str else copied(part) for part in value]
    return value if kind in _UNCHANGING else copy.deepcopy(value)


_UNCHANGING = (str, bytes, int, float, bool, type(None))
