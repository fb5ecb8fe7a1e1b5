"""What `iac/topology/` declares, in the same shape as `deployed.describe`: the third reading."""

import json
from typing import Any

from iac.envs.deployed import Part
from iac.local.alarms import TOPIC, Alarm, expand
from iac.local.functions import package
from iac.local.topology import Topology

_DEAD_LETTERS: dict[str, Any] = {
    "visibility_timeout_s": 30,
    "retention_s": 1_209_600,
    "delay_s": 0,
    "dead_letters": None,
    "max_receives": None,
    "allows": [],
}


def declare(topology: Topology) -> dict[str, Part]:
    """Part (`tables`, `queues` …) → full name → attributes."""
    of = topology.names.of
    return {
        "tables": {of(name): _table(entry) for name, entry in topology.tables.items()},
        "streams": {of(name): entry for name, entry in topology.streams.items()},
        "queues": _queues(topology),
        "topics": {
            of(name): {
                of(queue): {"filter": policy, "raw": True}
                for queue, policy in entry["subscriptions"].items()
            }
            for name, entry in topology.topics.items()
        },
        "buckets": {of(name): {} for name in topology.buckets},
        "secrets": {of(name): {} for name in topology.secrets},
        "databases": {topology.names.glue_database: {}},
        "functions": {
            of(name): entry | {"code": package()[1], "service": name, "stage": topology.names.stage}
            for name, entry in topology.functions.items()
        },
        "mappings": dict(_mapping(topology, entry) for entry in topology.mappings.values()),
        "schedules": {
            of(name): entry | {"function": of(entry["function"]), "enabled": True}
            for name, entry in topology.schedules.items()
        },
        "alarms": {alarm.name: _alarm(topology, alarm) for alarm in expand(topology)},
    }


def _table(entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "keys": [entry["hash_key"], entry["range_key"]],
        "attributes": entry["attributes"],
        "indexes": {
            name: [[index["hash_key"], index["range_key"]], index["projection"]]
            for name, index in entry["indexes"].items()
        },
        "stream": entry["stream"],
        "ttl": entry["ttl"],
        "billing": "PAY_PER_REQUEST",
    }


def _queues(topology: Topology) -> Part:
    queues: Part = {}
    for short, entry in topology.queues.items():
        name = topology.names.of(short)
        bounded = entry["max_receives"] is not None
        if bounded:
            queues[f"{name}-dlq"] = _DEAD_LETTERS
        queues[name] = entry | {
            "dead_letters": f"{name}-dlq" if bounded else None,
            "allows": [
                {
                    "action": "sqs:SendMessage",
                    "service": "sns.amazonaws.com",
                    "queue": name,
                    "source": topology.names.of(topic),
                }
                for topic, declared in topology.topics.items()
                if short in declared["subscriptions"]
            ],
        }
    return queues


def _alarm(topology: Topology, alarm: Alarm) -> dict[str, Any]:
    names = ("metric", "statistic", "compare", "period_s", "periods", "needed", "missing")
    return {name: alarm.declared[name] for name in names} | {
        "summary": alarm.declared["summary"],
        "dimensions": alarm.dimensions,
        "threshold": alarm.threshold,
        "tells": [topology.names.of(TOPIC)],
    }


def _mapping(topology: Topology, entry: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    of = topology.names.of
    (source,) = entry["source"].values()
    failures = entry.get("on_failure")
    return f"{of(source)} > {of(entry['function'])}", {
        "enabled": True,
        "batch_size": entry["batch_size"],
        "window_s": entry["window_s"],
        "max_concurrency": entry.get("max_concurrency"),
        "starting_position": entry["starting_position"],
        "response_types": ["ReportBatchItemFailures"] if entry["reports_failures"] else [],
        "filter": sorted(entry["filter"] or [], key=json.dumps),
        "bisects": entry.get("bisects", False),
        "max_attempts": entry.get("max_attempts"),
        "max_record_age_s": entry.get("max_record_age_s"),
        "on_failure": failures and of(failures),
    }
