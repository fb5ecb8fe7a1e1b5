"""Where a world ended, in a form that two of them can be compared by; and what holds of any."""

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, fields
from typing import Any

import polars as pl

from pipeline.contracts.funnel import REACHED, STEPS
from pipeline.contracts.names import Names
from pipeline.runtime import aws
from pipeline.runtime.dynamo import Item, from_item
from pipeline.runtime.facts import QUARANTINE, TABLES
from pipeline.runtime.lake import Lake
from pipeline.runtime.packs import read_list
from tests.simulation.scenario import Amounts, Scenario
from tests.simulation.streams import EventStream

_NOT_COUNTED = ("EVENT#", "SHARD#", "STATE#")  # markers and places: what was counted, not counts
_PLACE = ["shard", "sequence_number"]
_CONTENT = ("event_id", "event_type", "occurred_at", "source", "synthetic", "payload")


@dataclass(frozen=True)
class Outcome:
    """All that a world at rest leaves behind."""

    items: dict[tuple[str, str], Item]  # the analytics table
    raw: pl.DataFrame  # every delivery of every record
    refused: pl.DataFrame
    curated: dict[str, list[dict[str, Any]]]  # rows, in order, by object
    sessions: dict[str, list[dict[str, Any]]]  # rows of the files of sessions, by date
    packed: dict[str, list[dict[str, Any]]] | None  # rows, in order, by table; None without a list
    partitions: set[tuple[str, str]]  # of the Glue tables
    told: set[str]  # event ids that reached the topic
    set_aside: set[str]  # rows that the relay could make no event of

    def parts(self) -> dict[str, Any]:
        """What has to be the same, less when and in which batches things arrived."""
        counted = {k: v for k, v in self.items.items() if not k[0].startswith(_NOT_COUNTED)}
        landed = self.raw.unique(["event_id", "event_type"]).select(_CONTENT)
        return {
            "aggregates": counted,
            "markers": {key for key in self.items if key[0].startswith("EVENT#")},
            "curated rows": self.curated,
            "rows of sessions": self.sessions,
            "packed rows": self.packed,
            "partitions": self.partitions,
            "landed events": sorted(landed.rows()),
            "quarantine": Counter(distinct(self.refused).select("reason", "body").rows()),
            "events of the topic": self.told,
            "rows set aside": self.set_aside,
        }


def read(names: Names) -> Outcome:
    lake = Lake(names)
    refused = [f for f in lake.read_objects(lake.list_objects("quarantine/")) if f.height]
    return Outcome(
        scan(names.table("analytics")),
        lake.read_raw(lake.list_objects("raw/")),
        pl.concat(refused) if refused else pl.DataFrame(schema=QUARANTINE),
        _curated(lake),
        _sessions(lake),
        _packed(lake, names),
        _partitions(names),
        {json.loads(body)["event_id"] for body in _messages(names.queue("notification"))},
        {json.loads(body)["pk"] for body in _messages(names.queue("stream-failures"))},
    )


def differences(found: Outcome, expected: Outcome) -> list[str]:
    """What of a final state is not as it is without faults."""
    here, there = found.parts(), expected.parts()
    return [
        f"{part}: {_first_difference(here[part], there[part])}"
        for part in there
        if here[part] != there[part]
    ]


def broken_promises(found: Outcome, scenario: Scenario, events: EventStream) -> list[str]:
    """What does not hold of a world at rest, whether it met faults or not."""
    sent = {
        (shard, record["kinesis"]["sequenceNumber"])
        for shard, log in events.shards.items()
        for record in log
    }
    kept = set(pl.concat([f.select(_PLACE) for f in (found.raw, found.refused)]).rows())
    ids, expected = set(found.raw["event_id"]), set(scenario.sales) | scenario.click_ids
    refused = Counter(distinct(found.refused)["body"])
    poison = {body.decode("utf-8", "replace"): n for body, n in scenario.poison.items()}
    clicks: Counter[str] = Counter()
    for (pk, _), item in found.items.items():
        if pk.startswith("CLICKS#"):
            clicks.update({k.partition("|")[2]: v for k, v in item.items() if "|" in k})
    checks = {
        f"records neither landed nor quarantined: {sent ^ kept}": sent == kept,
        f"events lost or invented: {ids ^ expected}": ids == expected,
        f"quarantined {refused} and not {poison}": refused == poison,
        f"clicks are {clicks} and not {scenario.clicks}": clicks == scenario.clicks,
    }
    broken = [text for text, holds in checks.items() if not holds]
    packs = (
        ["no list of packs"]
        if found.packed is None
        else _not_as_curated(found.packed, found.curated)
    )
    return (
        broken
        + packs
        + _wrong_sessions(found)
        + _out_of_order(found.raw)
        + wrong_sales(found.items, scenario)
    )


def distinct(frame: pl.DataFrame) -> pl.DataFrame:
    """Each record of the stream once, however often it was landed."""
    return frame.unique(_PLACE)


def wrong_sales(items: dict[tuple[str, str], Item], scenario: Scenario) -> list[str]:
    """Where sales are not, to the penny, the sum over the events marked: true at any moment."""
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


def wrong_packs(names: Names) -> list[str]:
    """Where the packs of a list do not show the curated tables as they are: not at any moment."""
    lake = Lake(names)
    packed = _packed(lake, names)
    return [] if packed is None else _not_as_curated(packed, _curated(lake))


def vars_of(amounts: Amounts) -> dict[str, int]:
    return {one.name: getattr(amounts, one.name) for one in fields(Amounts)}


def scan(table: str) -> dict[tuple[str, str], Item]:
    pages = aws.client("dynamodb").get_paginator("scan").paginate(
        TableName=table, ConsistentRead=True
    )  # fmt: skip
    items = [from_item(item) for page in pages for item in page["Items"]]
    return {(item.pop("pk"), item.pop("sk")): item for item in items}


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


def _curated(lake: Lake) -> dict[str, list[dict[str, Any]]]:
    found = lake.list_objects("curated/")
    frames = lake.read_objects(found)
    return {one.key: frame.to_dicts() for one, frame in zip(found, frames, strict=True)}


def _sessions(lake: Lake) -> dict[str, list[dict[str, Any]]]:
    found = lake.list_objects("sessions/")
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one, frame in zip(found, lake.read_objects(found), strict=True):
        rows[one.dt] += frame.drop("part").to_dicts()
    return dict(rows)


def _wrong_sessions(found: Outcome) -> list[str]:
    """Where files of sessions, and the funnels, are not what the curated clicks say, one by one."""
    dates: dict[str, dict[tuple[bool, str], tuple[Any, int]]] = defaultdict(dict)
    for key, rows in found.curated.items():
        if key.startswith("curated/clickstream/"):
            for row in rows:
                _add(dates[key.split("dt=")[1][:10]], row, row["occurred_at"], row["event_type"])
    kept = {
        dt: {(row["synthetic"], row["session_id"]): (row["began_at"], row["step"]) for row in rows}
        for dt, rows in found.sessions.items()
    }
    days: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    sessions: dict[tuple[bool, str], tuple[Any, int]] = {}
    for of_date in dates.values():
        for session, (began, step) in of_date.items():
            sooner, further = sessions.get(session, (began, step))
            sessions[session] = min(began, sooner), max(step, further)
    for (synthetic, _), (began, step) in sessions.items():
        stream = "synthetic" if synthetic else "real"
        days[f"FUNNEL#{stream}", f"{began:%Y-%m-%d}"].update(STEPS[: step + 1])
    funnels = {key: Counter(n) for key, n in found.items.items() if key[0].startswith("FUNNEL#")}
    once = sum(map(len, kept.values())) == sum(map(len, found.sessions.values()))
    checks = {
        f"sessions are {kept} and not {dict(dates)}": kept == dict(dates) and once,
        f"funnels are {funnels} and not {dict(days)}": funnels == days,
    }
    return [text[:600] for text, holds in checks.items() if not holds]


def _add(
    sessions: dict[tuple[bool, str], tuple[Any, int]], row: dict[str, Any], at: Any, kind: str
) -> None:
    """A click to its session, if it has one."""
    if row["session_id"] is not None:
        session, step = (row["synthetic"], row["session_id"]), REACHED.get(kind, 0)
        began, furthest = sessions.get(session, (at, step))
        sessions[session] = min(at, began), max(step, furthest)


def _packed(lake: Lake, names: Names) -> dict[str, list[dict[str, Any]]] | None:
    if (listed := read_list(names)) is None:
        return None
    packs = {one.key: one for one in lake.list_objects("packed/")}
    rows: dict[str, list[dict[str, Any]]] = {}
    for table, months in listed.items():
        frames = lake.read_objects(packs[str(key)] for _, key in sorted(months.items()))
        rows[table] = [row for frame in frames for row in frame.drop("dt").to_dicts()]
    return rows


def _not_as_curated(
    packed: dict[str, list[dict[str, Any]]], curated: dict[str, list[dict[str, Any]]]
) -> list[str]:
    rows: dict[str, list[dict[str, Any]]] = {table: [] for table in packed}
    for key, found in curated.items():
        rows[key.split("/")[1]] += found
    return [
        f"packs of {table} have {len(packed[table])} rows, its dates {len(rows[table])}"
        for table in rows
        if packed[table] != rows[table]
    ]


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
