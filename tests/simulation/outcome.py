"""Where a world ended, in a form that two of them can be compared by; and what holds of any."""

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, fields
from typing import Any

import polars as pl

from pipeline.contracts.names import Names
from pipeline.runtime import aws
from pipeline.runtime.dynamo import Item, from_item
from pipeline.runtime.facts import QUARANTINE, TABLES
from pipeline.runtime.lake import Lake
from tests.simulation.scenario import Amounts, Scenario
from tests.simulation.streams import EventStream

_NOT_COUNTED = ("EVENT#", "SHARD#", "STATE#")  # markers and places: what was counted, not counts
_CONTENT = ("event_id", "event_type", "occurred_at", "source", "synthetic", "payload")


@dataclass(frozen=True)
class Outcome:
    """The final state, less what may differ: when and in which batches things arrived."""

    aggregates: dict[tuple[str, str], Item]
    markers: set[tuple[str, str]]
    curated: dict[str, list[dict[str, Any]]]  # rows, in order, by object
    partitions: set[tuple[str, str]]  # of the Glue tables
    landed: list[tuple[Any, ...]]  # distinct events of the raw files
    quarantined: Counter[tuple[str, str]]  # (reason, body)
    told: set[str]  # event ids that reached the topic
    set_aside: set[str]  # rows that the relay could make no event of


def read(names: Names) -> Outcome:
    items = scan(names.table("analytics"))
    raw, refused = _raw(names)
    told = {json.loads(body)["event_id"] for body in _messages(names.queue("notification"))}
    aside = {json.loads(body)["pk"] for body in _messages(names.queue("stream-failures"))}
    return Outcome(
        {key: item for key, item in items.items() if not key[0].startswith(_NOT_COUNTED)},
        {key for key in items if key[0].startswith("EVENT#")},
        _curated(names),
        _partitions(names),
        sorted(raw.unique(["event_id", "event_type"]).select(_CONTENT).rows()),
        Counter(refused.unique(["shard", "sequence_number"]).select("reason", "body").rows()),
        told,
        aside,
    )


def differences(found: Outcome, expected: Outcome) -> list[str]:
    """What of a final state is not as it is without faults."""
    return [
        f"{one.name}: {_first_difference(getattr(found, one.name), getattr(expected, one.name))}"
        for one in fields(Outcome)
        if getattr(found, one.name) != getattr(expected, one.name)
    ]


def broken_promises(names: Names, scenario: Scenario, events: EventStream) -> list[str]:
    """What does not hold of a world at rest, whether it met faults or not."""
    raw, refused = _raw(names)
    landed = set(pl.concat([f.select("shard", "sequence_number") for f in (raw, refused)]).rows())
    sent = {
        (shard, record["kinesis"]["sequenceNumber"])
        for shard, log in events.shards.items()
        for record in log
    }
    problems = []
    if landed != sent:
        problems.append(f"records of the stream neither landed nor quarantined: {sent - landed}")
    if set(raw["event_id"]) != set(_events_of(scenario)):
        problems.append(f"events lost: {set(_events_of(scenario)) - set(raw['event_id'])}")
    if Counter(refused.unique(["shard", "sequence_number"])["body"]) != Counter(
        {body.decode("utf-8", "replace"): n for body, n in scenario.poison.items()}
    ):
        problems.append("the quarantine is not what was sent of it")
    problems += _out_of_order(raw)
    items = scan(names.table("analytics"))
    problems += wrong_sales(items, scenario)
    clicks: Counter[str] = Counter()
    for (pk, _), item in items.items():
        if pk.startswith("CLICKS#"):
            clicks.update({k.partition("|")[2]: v for k, v in item.items() if "|" in k})
    if clicks != scenario.clicks:
        problems.append(f"clicks are {clicks} and not {scenario.clicks}")
    return problems


def wrong_sales(items: dict[tuple[str, str], Item], scenario: Scenario) -> list[str]:
    """Whether sales equal, to the penny, the sum over the events marked as folded: at any moment."""
    expected: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for pk, _ in items:
        if pk.startswith("EVENT#"):
            stream, adds = scenario.sales[pk.removeprefix("EVENT#")]
            for grain in ("hour", "day", "month"):
                expected[stream, grain].update(vars_of(adds))
    found: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for (pk, _), item in items.items():
        if pk.startswith("SALES#"):
            _, stream, grain, *_ = pk.split("#")
            found[stream, grain].update({name: item.get(name, 0) for name in vars_of(Amounts())})
    keys = set(expected) | set(found)
    return [
        f"sales {key} are {dict(found[key])} and not {dict(expected[key])}"
        for key in sorted(keys)
        if any(found[key][name] != expected[key][name] for name in vars_of(Amounts()))
    ]


def vars_of(amounts: Amounts) -> dict[str, int]:
    return {one.name: getattr(amounts, one.name) for one in fields(Amounts)}


def scan(table: str) -> dict[tuple[str, str], Item]:
    pages = aws.client("dynamodb").get_paginator("scan").paginate(
        TableName=table, ConsistentRead=True
    )  # fmt: skip
    items = [from_item(item) for page in pages for item in page["Items"]]
    return {(item.pop("pk"), item.pop("sk")): item for item in items}


def _events_of(scenario: Scenario) -> set[str]:
    return set(scenario.sales) | scenario.click_ids


def _out_of_order(raw: pl.DataFrame) -> list[str]:
    """An order's versions come in order the first time, by their place in the shard."""
    newest: dict[tuple[str, str], int] = {}
    problems = []
    orders = raw.filter(pl.col("event_type").str.starts_with("order."))
    placed = orders.with_columns(pl.col("sequence_number").str.zfill(64)).sort("sequence_number")
    for shard, event_id in placed.select("shard", "event_id").rows():
        order_id, _, version = event_id.rpartition(":")
        if int(version) > newest.get((shard, order_id), 0) + 1:
            problems.append(f"{event_id} came before the version that it follows")
        newest[shard, order_id] = max(int(version), newest.get((shard, order_id), 0))
    return problems


def _raw(names: Names) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(raw rows, quarantined rows), every delivery of them."""
    lake = Lake(names)
    refused = [f for f in lake.read_objects(lake.list_objects("quarantine/")) if f.height]
    return (
        lake.read_raw(lake.list_objects("raw/")),
        pl.concat(refused) if refused else pl.DataFrame(schema=QUARANTINE),
    )


def _curated(names: Names) -> dict[str, list[dict[str, Any]]]:
    lake = Lake(names)
    found = lake.list_objects("curated/")
    frames = lake.read_objects(found)
    return {one.key: frame.to_dicts() for one, frame in zip(found, frames, strict=True)}


def _partitions(names: Names) -> set[tuple[str, str]]:
    glue = aws.batch_client("glue")
    return {
        (table.name, one["Values"][0])
        for table in TABLES
        for one in glue.get_partitions(DatabaseName=names.glue_database, TableName=table.name)[
            "Partitions"
        ]
    }


def _messages(queue: str) -> list[str]:
    sqs, bodies = aws.client("sqs"), []
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        bodies += [message["Body"] for message in found]
        entries = [
            {"Id": str(n), "ReceiptHandle": one["ReceiptHandle"]} for n, one in enumerate(found)
        ]
        sqs.delete_message_batch(QueueUrl=url, Entries=entries)
    return bodies


def _first_difference(found: Any, expected: Any) -> str:
    if isinstance(expected, dict):
        for key in [*expected, *found]:
            if found.get(key) != expected.get(key):
                return f"{key}: {found.get(key)!r} and not {expected.get(key)!r}"[:600]
    if isinstance(expected, set):
        return f"missing {sorted(expected - found)}, too many {sorted(found - expected)}"[:600]
    return f"{found!r} and not {expected!r}"[:600]
