"""Traces of a range: found by the index in the ops table, read from X-Ray."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import boto3
import stamina
from boto3.dynamodb.types import TypeDeserializer
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from console.queries import clients
from console.queries.edge import Unreachable
from console.queries.side_by_side import at_once
from console.queries.traces_memory import Memory
from console.settings import settings
from console.traces import domain
from console.traces.domain import Trace
from console.traces.search import (
    RETRIED,
    TRACE_ID,
    Findings,
    Found,
    Search,
    begun_at,
    from_index,
    to_found,
)
from pipeline.contracts import keys
from pipeline.runtime.clock import now

LIMIT = 200  # traces in a list, and behind a map
_BATCH = 5  # of one BatchGetTraces call
_MAX_READ = 500  # documents read to find LIMIT when the index knows nothing
_MAX_MINUTES = 24 * 60  # as long as the index keeps its items
_MINUTES_FIRST, _MINUTES_AT_ONCE = 6, 54
_SUMMARY_PAGES = 5
_MAX_PAGES = 20
_PAGE = 500  # items: of a minute of load a whole megabyte takes longer than a page may wait
# Functions may still add to a trace that began within this time, and the index too.
_SETTLED_AFTER = timedelta(minutes=10)
_UNSETTLED_TTL_S = 4.0
_UNSETTLED_TTL_MAX_S = 60.0
_ABSENT_TTL_S = 60.0
# X-Ray lists at most six hours at a time. Few are enough; so the narrowest first.
_WINDOWS = tuple(timedelta(minutes=minutes) for minutes in (5, 30, 120, 360))
_NOISE = ("/healthz", "/readyz")
_again = stamina.RetryingCaller(attempts=3, timeout=3, wait_initial=0.05, wait_max=0.5)

_traces: Memory[Trace] = Memory(3_000)
# Of those that the index knows and X-Ray does not: the stand-in forgets when it ends.
_absent: Memory[bool] = Memory(10_000)
_minutes: Memory[tuple[Found, ...]] = Memory(6_000)
_deserialize = TypeDeserializer().deserialize


def search(wanted: Search, limit: int = LIMIT) -> Findings:
    """The newest `limit` traces that match. Raises Unreachable."""
    findings = _search_index(wanted, limit)
    return findings if findings.found else _search_documents(wanted, limit)


def read(trace_ids: Iterable[str], *, again: bool = False) -> dict[str, Trace]:
    """Traces by id, those that X-Ray has and that hold a readable document. Raises Unreachable.

    Args: `again` asks also for old ones that X-Ray did not have within the last minute.
    """
    wanted = [each for each in dict.fromkeys(trace_ids) if TRACE_ID.match(each)]
    found = {each: trace for each in wanted if (trace := _traces.find(each))}
    missing = [each for each in wanted if each not in found]
    if not again:
        missing = [each for each in missing if not _absent.find(each)]
    for part in at_once(_fetch, _chunks(missing, _BATCH)):
        for trace in part:
            age = now() - trace.started_at
            is_settled = age > _SETTLED_AFTER and not trace.is_running
            _traces.keep(trace.trace_id, trace, None if is_settled else _look_again_after(age))
            found[trace.trace_id] = trace
    for each in missing:
        if each not in found and now() - begun_at(each) > _SETTLED_AFTER:
            _absent.keep(each, True, _ABSENT_TTL_S)
    return {each: found[each] for each in wanted if each in found}


def _look_again_after(age: timedelta) -> float:
    """Seconds: a trace that has grown for minutes is nearly whole, and a map reads 200 of them."""
    return min(max(age.total_seconds() / 10, _UNSETTLED_TTL_S), _UNSETTLED_TTL_MAX_S)


def find(trace_id: str) -> Trace | None:
    """Raises Unreachable."""
    return read([trace_id], again=True).get(trace_id)


def forget_client() -> None:
    """Ask the X-Ray endpoint that the environment names now."""
    _xray.cache_clear()
    _absent.clear()


def _search_index(wanted: Search, limit: int) -> Findings:
    last = _floor(wanted.until)
    minutes = []
    for back in range(_MAX_MINUTES + 1):
        minute = last - timedelta(minutes=back)
        if minute + timedelta(minutes=1) <= wanted.since:
            break
        minutes.append(minute)
    found: list[Found] = []
    looked_from = wanted.until
    for minute, rows in _newest_first(minutes, wanted, limit):
        found.extend(each for each in rows if wanted.matches(each))
        looked_from = max(minute, wanted.since)
        if len(found) >= limit:
            break
    found.sort(key=lambda each: (each.at, each.trace_id), reverse=True)
    is_whole = looked_from == wanted.since and len(found) <= limit
    return Findings(tuple(found[:limit]), looked_from, is_whole, "index")


def _newest_first(
    minutes: Sequence[datetime], wanted: Search, limit: int
) -> Iterator[tuple[datetime, tuple[Found, ...]]]:
    """Each minute with what is in it, up to the first that does not answer.

    Raises Unreachable when that is the newest of all: what came after it is not hidden by it.
    """

    def look(minute: datetime) -> tuple[Found, ...] | Unreachable:
        try:
            return _minute(minute, wanted, limit)
        except Unreachable as problem:
            return problem

    # A busy minute holds enough by itself: a few of the newest first, and ever more of older ones.
    ahead, size = minutes, _MINUTES_FIRST
    while ahead:
        part, ahead = ahead[:size], ahead[size:]
        size = min(size * 2, _MINUTES_AT_ONCE)
        for minute, rows in zip(part, at_once(look, part), strict=True):
            if isinstance(rows, Unreachable):
                if minute == minutes[0]:
                    raise rows
                return
            yield minute, rows


def _minute(minute: datetime, wanted: Search, limit: int) -> tuple[Found, ...]:
    """A minute's items that pass the filter, newest first."""
    expression, names, values = _filter(wanted)
    key = (minute, expression, repr(sorted(values.items())), limit)
    if (known := _minutes.find(key)) is not None:
        return known
    values[":pk"] = {"S": keys.trace_index(f"{minute:%Y-%m-%dT%H:%M}", "")["pk"]}
    request: dict[str, Any] = {
        "TableName": settings().names.table("ops"),
        "KeyConditionExpression": "pk = :pk",
        "FilterExpression": expression,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
        "ScanIndexForward": False,
        "Limit": _PAGE,
    }
    found: list[Found] = []
    for _ in range(_MAX_PAGES):
        try:
            page = clients.quick("dynamodb").query(**request)
        except (BotoCoreError, ClientError) as error:
            words = f"The index of traces does not answer ({type(error).__name__})."
            raise Unreachable(words) from None
        for item in page["Items"]:
            plain = {name: clients.plain(_deserialize(value)) for name, value in item.items()}
            if row := from_index(plain):
                found.append(row)
        if len(found) >= limit or "LastEvaluatedKey" not in page:
            break
        request["ExclusiveStartKey"] = page["LastEvaluatedKey"]
    is_settled = now() - minute > _SETTLED_AFTER
    return _minutes.keep(key, tuple(found[:limit]), None if is_settled else _UNSETTLED_TTL_S)


def _filter(wanted: Search) -> tuple[str, dict[str, str], dict[str, Any]]:
    """Names go through aliases: `service`, `status` and `route` may be reserved words."""
    names = {"#route": "route"}
    values: dict[str, Any] = {f":noise{i}": {"S": text} for i, text in enumerate(_NOISE)}
    parts = [f"NOT contains(#route, {name})" for name in values]
    for field in ("service", "zone", "order_id", "correlation_id"):
        if value := getattr(wanted, field):
            names[f"#{field}"], values[f":{field}"] = field, {"S": value}
            parts.append(f"#{field} = :{field}")
    if wanted.either_id:
        names |= {"#order_id": "order_id", "#correlation_id": "correlation_id"}
        values[":either"] = {"S": wanted.either_id}
        parts.append("(#order_id = :either OR #correlation_id = :either)")
    if wanted.min_ms > 0:
        names["#duration"], values[":min"] = "duration_ms", {"N": str(wanted.min_ms)}
        parts.append("#duration >= :min")
    # Outcome and the case of a route are left to `matches`, but narrow what is remembered.
    if wanted.outcome in ("4xx", "5xx"):
        names["#status"], values[":worst"] = "status", {"N": wanted.outcome[0] + "00"}
        parts.append("#status >= :worst")
    if wanted.outcome == RETRIED:
        parts.append("attribute_exists(attempt)")
    return " AND ".join(parts), names, values


def _search_documents(wanted: Search, limit: int) -> Findings:
    ids, is_listed_whole = _list_ids(wanted, _MAX_READ)
    found: list[Found] = []
    looked_from = wanted.since
    read_all = is_listed_whole
    for part in _chunks(ids, 100):
        traces = read(part).values()
        kept = (each for trace in traces if not trace.is_noise for each in to_found(trace))
        found.extend(each for each in kept if wanted.matches(each))
        if len(found) >= limit and part[-1] != ids[-1]:
            read_all = False
            break
    if not read_all and ids:
        looked_from = max(wanted.since, begun_at(part[-1]))
    found.sort(key=lambda each: (each.at, each.trace_id), reverse=True)
    return Findings(tuple(found[:limit]), looked_from, read_all, "documents")


def _list_ids(wanted: Search, limit: int) -> tuple[list[str], bool]:
    """(the newest ids of the range, newest first; whether they are all of them)."""
    ids: list[str] = []
    for window in _WINDOWS:
        since = max(wanted.since, wanted.until - window)
        ids = sorted(_summaries(since, wanted.until), key=begun_at, reverse=True)
        if len(ids) >= limit or since == wanted.since:
            return ids[:limit], since == wanted.since and len(ids) <= limit
    return ids[:limit], False


def _summaries(since: datetime, until: datetime) -> Iterator[str]:
    request: dict[str, Any] = {"StartTime": since, "EndTime": until + timedelta(seconds=1)}
    for _ in range(_SUMMARY_PAGES):
        page = _ask(lambda client: client.get_trace_summaries(**request))
        yield from (row["Id"] for row in page["TraceSummaries"] if TRACE_ID.match(row["Id"]))
        if not page.get("NextToken"):
            return
        request["NextToken"] = page["NextToken"]


def _fetch(trace_ids: Sequence[str]) -> list[Trace]:
    answer = _ask(lambda client: client.batch_get_traces(TraceIds=list(trace_ids)))
    built = (
        domain.build(row["Id"], [each["Document"] for each in row["Segments"]])
        for row in answer["Traces"]
    )
    return [trace for trace in built if trace]


@cache
def _xray() -> Any:
    # Who hangs is not asked again: somebody waits for the page.
    retries = {"mode": "standard", "total_max_attempts": 1}
    return boto3.client("xray", config=Config(connect_timeout=1, read_timeout=3, retries=retries))


def _ask(call: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    try:
        return _again(_passes, call, _xray())
    except (BotoCoreError, ClientError) as error:
        raise Unreachable(f"X-Ray does not answer ({type(error).__name__}).") from None


def _passes(error: Exception) -> bool:
    """Whether it answered, and may answer better at once: when it is asked too much; and locally
    listing fails now and then with a 500 while another trace arrives."""
    if not isinstance(error, ClientError):
        return False
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    return bool(status >= 500 or "Throttl" in error.response["Error"]["Code"])


def _chunks(values: Sequence[Any], size: int) -> list[Any]:
    return [values[at : at + size] for at in range(0, len(values), size)]


def _floor(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)
