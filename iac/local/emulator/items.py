"""Copies and measures DynamoDB's items quickly; ministack does both several times for each write.

An update in a transaction is made three times, twice to see whether it can be: its item is copied
seven times and measured three times. Here it is made, copied and measured once.
"""

import copy
from collections.abc import Callable
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any

from ministack.services import dynamodb

from iac.local.emulator.expressions import remembered

_NUMBERS = 65_536
# What one transaction writes, the next ones update; each size keeps its item alive.
_SIZES = 256
Item = dict[str, Any]
Updated = tuple[Item, set[Any]]


def complete(service: Any = dynamodb) -> None:
    """Call once, before ministack serves; `service` is its module."""
    service.copy = SimpleNamespace(deepcopy=_copied_if_changed)
    service._number_size_bytes = remembered(service._number_size_bytes, str, _NUMBERS)
    service._apply_update_expression = _made_once(service._apply_update_expression)
    service._item_size_bytes = _measured_once(service._item_size_bytes)
    service._transact_write_items = _in_one_transaction(service._transact_write_items)


def copied(value: Any) -> Any:
    """`copy.deepcopy` for what JSON is made of: such values hold no cycles, and share nothing."""
    kind = type(value)
    if kind is dict:
        return {name: copied(part) for name, part in value.items()}
    if kind is list:
        return [part if type(part) is str else copied(part) for part in value]
    return value if kind in _UNCHANGING else copy.deepcopy(value)


_UNCHANGING = (str, bytes, int, float, bool, type(None))


class _Transaction:
    """The updates it has made, by the identity of their values, which are kept so that it lasts."""

    def __init__(self) -> None:
        self.is_updating = False
        self.updates: dict[int, tuple[Any, Updated]] = {}


_transaction: ContextVar[_Transaction | None] = ContextVar("transaction", default=None)


def _copied_if_changed(value: Any) -> Any:
    """A stored item is replaced, never changed: only an update in a transaction changes a copy."""
    transaction = _transaction.get()
    return value if transaction and not transaction.is_updating else copied(value)


def _in_one_transaction(plain: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def transact(data: Any) -> Any:
        token = _transaction.set(_Transaction())
        try:
            return plain(data)
        finally:
            _transaction.reset(token)

    return transact


def _made_once(plain: Callable[..., Updated]) -> Callable[..., Updated]:
    """Each action's update; an action is known by its values, as no two have the same."""

    def apply(item: Item, expression: Any, values: Any, names: Any, *rest: Any) -> Updated:
        transaction = _transaction.get()
        if transaction is None or rest:
            return plain(item, expression, values, names, *rest)
        if known := transaction.updates.get(id(values)):
            return known[1]
        transaction.is_updating = True
        try:
            found = plain(item, expression, values, names)
        finally:
            transaction.is_updating = False
        transaction.updates[id(values)] = values, found
        return found

    return apply


def _measured_once(plain: Callable[[Item], int]) -> Callable[[Item], int]:
    """Known by identity as well, and beyond the transaction."""
    sizes: dict[int, tuple[Item, int]] = {}

    def measure(item: Item) -> int:
        if _transaction.get() is None:
            return plain(item)
        known = sizes.get(id(item))
        if known is None:
            if len(sizes) == _SIZES:
                del sizes[next(iter(sizes))]
            known = sizes[id(item)] = item, plain(item)
        return known[1]

    return measure
