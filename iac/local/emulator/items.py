"""Copies and measures DynamoDB's items quickly; ministack does both several times for each write.

An update in a transaction is made three times, twice to see whether it can be: its item is copied
seven times and measured three times. Here it is made, copied and measured once, and one that only
adds is measured when it may have become too large. Nor is each item of a page measured, to end it
at 1 MB: what is shorter than that as JSON fits. And what a write costs its indexes is counted for
who asks for it.
"""

import copy
from collections.abc import Callable
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any

import msgspec
from ministack.services import dynamodb

from iac.local.emulator.additions import added, is_sound, terms_of
from iac.local.emulator.expressions import remembered

_NUMBERS = 65_536
# What one transaction writes, the next ones update; each size keeps its item alive.
_SIZES = 256
_SHORT_PAGE = 100  # items; longer ones are measured
Item = dict[str, Any]
Updated = tuple[Item, set[Any]]


def complete(service: Any = dynamodb) -> None:
    """Call once, before ministack serves; `service` is its module."""
    service.copy = SimpleNamespace(deepcopy=_copied_if_changed)
    sizes = _Sizes(service)
    service._number_size_bytes = remembered(service._number_size_bytes, str, _NUMBERS)
    service._transact_write_action_error = _sound_at_once(service)
    service._apply_update_expression = _made_once(service._apply_update_expression, sizes)
    service._item_size_bytes = sizes.measure
    service._nesting_level = _flat_at_once(service._nesting_level, 1)
    service._nesting_exceeded = _flat_at_once(service._nesting_exceeded, False)
    service._number_error = remembered(service._number_error, str, _NUMBERS)
    service._ddb_canonicalize_number = remembered(service._ddb_canonicalize_number, str, _NUMBERS)
    service._validate_attribute_value = _sound_if_text(service._validate_attribute_value)
    service._index_write_units = _counted_if_asked(service._index_write_units)
    service._paginate_evaluated_items = _page_at_once(service)
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


def _flat_at_once(plain: Callable[..., Any], flat: Any) -> Callable[..., Any]:
    """What a number, a text or a set is judged; ministack goes into it to see how deep it is."""

    def judge(value: Any, depth: int = 1) -> Any:
        if (
            depth == 1
            and type(value) is dict
            and len(value) == 1
            and "M" not in value
            and "L" not in value
        ):
            return flat
        return plain(value, depth)

    return judge


def _sound_if_text(plain: Callable[..., Any]) -> Callable[..., Any]:
    """Most attributes are texts, of which there is nothing to say."""

    def judge(name: Any, value: Any, depth: int = 1) -> Any:
        if depth == 1 and type(value) is dict and len(value) == 1 and type(value.get("S")) is str:
            return None
        return plain(name, value, depth)

    return judge


def _sound_at_once(service: Any) -> Callable[..., Any]:
    """What is wrong with an action of a transaction; ministack looks at each name and value of an
    update several times."""
    plain = service._transact_write_action_error

    def judge(kind: Any, action: Any) -> Any:
        if kind != "Update" or type(action) is not dict or not is_sound(action):
            return plain(kind, action)
        too_long = service._expression_size_error(action, ("UpdateExpression",), "bare")
        return too_long or plain(kind, {part: action[part] for part in action.keys() - _OF_UPDATE})

    return judge


_OF_UPDATE = {"UpdateExpression", "ExpressionAttributeNames", "ExpressionAttributeValues"}


def _page_at_once(service: Any) -> Callable[..., tuple[list[Item], bool]]:
    """The page that a list of items begins with, and whether it ended before the list did.

    Names and values are in an item's JSON, each with more around it than DynamoDB counts.
    """
    plain = service._paginate_evaluated_items

    def paginate(items: list[Item], limit: Any, table: Any, index: Any = None) -> Any:
        page = items[: _SHORT_PAGE if limit is None else int(limit)]
        ends = limit is not None and len(page) == int(limit)
        is_whole = ends or len(page) == len(items)
        size_bytes = service._DDB_PAGE_SIZE_BYTES
        if is_whole and len(page) <= _SHORT_PAGE and _is_shorter(page, size_bytes):
            return page, ends
        return plain(items, limit, table, index)

    return paginate


def _is_shorter(page: list[Item], size_bytes: int) -> bool:
    try:
        return len(msgspec.json.encode(page)) < size_bytes
    except (TypeError, ValueError, OverflowError):
        return False


class _Transaction:
    """The updates it has made, by the identity of their values, which are kept so that it lasts."""

    def __init__(self, is_counted: bool) -> None:
        self.is_counted = is_counted  # its capacity is asked for
        self.is_updating = False
        self.updates: dict[int, tuple[Any, Updated]] = {}


_transaction: ContextVar[_Transaction | None] = ContextVar("transaction", default=None)


def _copied_if_changed(value: Any) -> Any:
    """A stored item is replaced, never changed: only an update in a transaction changes a copy."""
    transaction = _transaction.get()
    return value if transaction and not transaction.is_updating else copied(value)


def _in_one_transaction(plain: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def transact(data: Any) -> Any:
        is_counted = data.get("ReturnConsumedCapacity", "NONE") != "NONE"
        token = _transaction.set(_Transaction(is_counted))
        try:
            return plain(data)
        finally:
            _transaction.reset(token)

    return transact


def _counted_if_asked(plain: Callable[..., float]) -> Callable[..., float]:
    """Write units of one index; a transaction counts them before it looks whether it should."""

    def count(*write: Any) -> float:
        transaction = _transaction.get()
        return plain(*write) if transaction is None or transaction.is_counted else 0.0

    return count


def _made_once(plain: Callable[..., Updated], sizes: "_Sizes") -> Callable[..., Updated]:
    """Each action's update; an action is known by its values, as no two have the same."""

    def apply(item: Item, expression: Any, values: Any, names: Any, *rest: Any) -> Updated:
        transaction = _transaction.get()
        if transaction is None or rest:
            return plain(item, expression, values, names, *rest)
        if known := transaction.updates.get(id(values)):
            return known[1]
        found = sizes.added(item, expression, values, names)
        if found is None:
            transaction.is_updating = True
            try:
                found = plain(item, expression, values, names)
            finally:
                transaction.is_updating = False
        transaction.updates[id(values)] = values, found
        return found

    return apply


class _Sizes:
    """What items of transactions measure at most; known by identity, and beyond the transaction."""

    def __init__(self, service: Any) -> None:
        self._service = service
        self._plain: Callable[[Item], int] = service._item_size_bytes
        self._known: dict[int, tuple[Item, int]] = {}

    def measure(self, item: Item) -> int:
        """Exactly, but in a transaction whose capacity nobody counts: there it may be too much,
        and fits."""
        transaction = _transaction.get()
        if transaction is None or transaction.is_counted:
            return self._plain(item)
        known = self._known.get(id(item))
        return known[1] if known else self._keep(item, self._plain(item))

    def added(self, item: Item, expression: Any, values: Any, names: Any) -> Updated | None:
        """The update, if it only adds whole numbers."""
        terms = terms_of(expression) if type(expression) is str else ()
        if not terms or (found := added(item, terms, values, names)) is None:
            return None
        made, updated, growth = found
        size = self.measure(item) + growth
        if size <= self._service._DDB_ITEM_MAX_BYTES:
            self._keep(made, size)
        return made, updated

    def _keep(self, item: Item, size: int) -> int:
        if len(self._known) >= _SIZES:
            del self._known[next(iter(self._known))]
        self._known[id(item)] = item, size
        return size
