"""Many rows of one table: batches that DynamoDB took in part are sent again until all is done."""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

import stamina

from pipeline.contracts.errors import Unavailable

_GET_AT_ONCE, _PUT_AT_ONCE = 100, 25
_WAITING: dict[str, Any] = {
    "attempts": 8, "timeout": 60.0, "wait_initial": 0.05, "wait_max": 5.0,
}  # fmt: skip


class Unprocessed(Unavailable):
    """The table is throttled, and stayed so."""


def get_all(
    client: Any, table: str, wanted: Iterable[Mapping[str, Any]], **options: Any
) -> Iterator[dict[str, Any]]:
    """The rows of these keys that there are, in no order; keys and rows as `client` has them.

    Args: `options` of a table in BatchGetItem, e.g. ConsistentRead, ProjectionExpression.
    Raises Unprocessed when a batch is not read within a minute.
    """
    for part in _parts(wanted, _GET_AT_ONCE):
        left: dict[str, Any] = {table: {"Keys": part, **options}}
        found: list[dict[str, Any]] = []
        for attempt in stamina.retry_context(on=Unprocessed, **_WAITING):
            with attempt:
                answer = client.batch_get_item(RequestItems=left)
                found += answer["Responses"].get(table, ())
                left = answer.get("UnprocessedKeys") or {}
                if left:
                    raise Unprocessed(f"{len(left[table]['Keys'])} of {len(part)} rows are left")
        yield from found


def write_all(
    client: Any, table: str, requests: Iterable[Mapping[str, Any]], *, threads: int = 1
) -> None:
    """Send these PutRequests and DeleteRequests, no two of one key, from so many threads.

    Raises Unprocessed when a batch is not written within a minute.
    """

    def write(part: list[Mapping[str, Any]]) -> None:
        left: dict[str, Any] = {table: part}
        for attempt in stamina.retry_context(on=Unprocessed, **_WAITING):
            with attempt:
                left = client.batch_write_item(RequestItems=left).get("UnprocessedItems") or {}
                if left:
                    raise Unprocessed(f"{len(left[table])} of {len(part)} rows are left")

    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(write, _parts(requests, _PUT_AT_ONCE)):
            pass


def _parts(values: Iterable[Any], size: int) -> Iterator[list[Any]]:
    remaining = iter(values)
    while part := list(islice(remaining, size)):
        yield part
