"""CloudWatch alarms: those declared, one per value of what they watch, and those of the SLOs."""

from dataclasses import dataclass
from itertools import product
from typing import Any

from iac.local.aws import Clients
from iac.local.topology import Change, Outcome, Topology

NAMESPACE = "HighAvailabilityShop"
TOPIC = "alarms"


@dataclass(frozen=True, slots=True)
class Alarm:
    """`name` is the full one; `dimensions` name the one series that is watched."""

    name: str
    dimensions: dict[str, str]
    threshold: float
    declared: dict[str, Any]


def expand(topology: Topology) -> list[Alarm]:
    """`dead-letters` becomes `dead-letters-payment-dlq` …, `burn` one for each SLO and rule.

    What of `burn` is not in `alarms.json` comes from `slo.json`: dimensions and thresholds.
    """
    found = []
    for short, declared in topology.alarms.items():
        if short == "burn":
            found += _burns(topology, declared)
            continue
        ((dimension, values),) = declared["each"].items()
        found += [
            Alarm(
                topology.names.of(f"{short}-{value}"),
                {dimension: value},
                float(declared["threshold"]),
                declared,
            )
            for value in values
        ]
    return found


def _burns(topology: Topology, declared: dict[str, Any]) -> list[Alarm]:
    return [
        Alarm(
            topology.names.of(f"burn-{name}-{rule['name']}"),
            {"Slo": name, "Rule": rule["name"]},
            float(rule["burn_rate"]),
            declared
            | {
                "summary": f"The error budget of {name} burns {rule['burn_rate']:g} times faster "
                f"than allowed over {rule['long_min']} and {rule['short_min']} min: "
                f"{rule['severity']}."
            },
        )
        for name, rule in product(topology.slo["objectives"], topology.slo["rules"])
    ]


def apply_alarms(clients: Clients, topology: Topology) -> list[Outcome]:
    """Creates what is missing, changes what differs, removes ours that nobody declares."""
    cloudwatch = clients("cloudwatch")
    topic = clients("sns").create_topic(Name=topology.names.of(TOPIC))["TopicArn"]
    pages = cloudwatch.get_paginator("describe_alarms")
    present = {
        found["AlarmName"]: found
        for page in pages.paginate(AlarmNamePrefix=topology.names.of(""))
        for found in page["MetricAlarms"]
        if found.get("Namespace") == NAMESPACE
    }
    outcomes = []
    for alarm in expand(topology):
        wanted = _wanted(alarm, topic)
        actual = present.pop(alarm.name, None)
        if actual is None:
            cloudwatch.put_metric_alarm(**wanted)
            outcomes.append(Outcome("alarm", alarm.name, "created"))
            continue
        differing = [key for key, value in wanted.items() if not _same(actual.get(key), value)]
        if differing:
            cloudwatch.put_metric_alarm(**wanted)
        change: Change = "changed" if differing else "unchanged"
        outcomes.append(Outcome("alarm", alarm.name, change, ", ".join(differing)))
    if present:
        cloudwatch.delete_alarms(AlarmNames=sorted(present))
        outcomes += [Outcome("alarm", name, "changed", "removed") for name in sorted(present)]
    return outcomes


def _wanted(alarm: Alarm, topic: str) -> dict[str, Any]:
    declared = alarm.declared
    return {
        "AlarmName": alarm.name,
        "AlarmDescription": declared["summary"],
        "Namespace": NAMESPACE,
        "MetricName": declared["metric"],
        "Dimensions": [{"Name": k, "Value": v} for k, v in sorted(alarm.dimensions.items())],
        "Statistic": declared["statistic"],
        "Period": declared["period_s"],
        "EvaluationPeriods": declared["periods"],
        "DatapointsToAlarm": declared["needed"],
        "Threshold": alarm.threshold,
        "ComparisonOperator": declared["compare"],
        "TreatMissingData": declared["missing"],
        "AlarmActions": [topic],
        "OKActions": [topic],
    }


def _same(actual: Any, wanted: Any) -> bool:
    if isinstance(wanted, list) and wanted and isinstance(wanted[0], dict):
        return sorted(actual or [], key=str) == sorted(wanted, key=str)
    return bool(actual == wanted)
