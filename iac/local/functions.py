"""Lambda functions from `pipeline/`, what feeds them, and what starts them by the clock."""

import base64
import hashlib
import io
import json
import zipfile
from functools import cache
from typing import Any

from iac.local.aws import Clients
from iac.local.messaging import queue_arn
from iac.local.ports import ROOT
from iac.local.topology import Outcome, Topology

_ROLE = "arn:aws:iam::000000000000:role/has-local-function"  # the emulator asks for one only
_FIXED_TIME = (1980, 1, 1, 0, 0, 0)
# What Lambda sets itself, and refuses to be told.
_RESERVED = {"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}


def is_written(declared: dict[str, Any]) -> bool:
    """Whether the module of the function's handler is in this checkout."""
    module = declared["handler"].rsplit(".", 1)[0]
    return (ROOT / f"{module.replace('.', '/')}.py").is_file()


@cache
def package() -> tuple[bytes, str]:
    """(zip of the pipeline's code, its SHA-256 in base64 as Lambda gives it).

    The same sources give the same bytes, so that code is replaced only when it changed.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted((ROOT / "pipeline").rglob("*.py")):
            entry = zipfile.ZipInfo(str(path.relative_to(ROOT)), _FIXED_TIME)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
    content = buffer.getvalue()
    return content, base64.b64encode(hashlib.sha256(content).digest()).decode()


def apply_function(
    clients: Clients, topology: Topology, short: str, environment: dict[str, str]
) -> Outcome:
    name = topology.names.function(short)
    declared = topology.functions[short]
    if not is_written(declared):
        return Outcome("function", name, "skipped", f"no {declared['handler']}")
    wanted = _configuration(short, declared, environment)
    content, digest = package()
    client = clients("lambda")
    try:
        actual = client.get_function_configuration(FunctionName=name)
    except client.exceptions.ResourceNotFoundException:
        client.create_function(FunctionName=name, Role=_ROLE, Code={"ZipFile": content}, **wanted)
        return Outcome("function", name, "created")
    changes = []
    if actual["CodeSha256"] != digest:
        client.update_function_code(FunctionName=name, ZipFile=content)
        changes.append("code")
    if any(actual.get(key) != value for key, value in wanted.items()):
        client.update_function_configuration(FunctionName=name, **wanted)
        changes.append("configuration")
    return Outcome("function", name, "changed" if changes else "unchanged", ", ".join(changes))


def apply_mapping(clients: Clients, topology: Topology, short: str) -> Outcome:
    declared = topology.mappings[short]
    function = topology.names.function(declared["function"])
    label = f"{'/'.join(next(iter(declared['source'].items())))} → {function}"
    if not is_written(topology.functions[declared["function"]]):
        return Outcome("mapping", label, "skipped")
    client = clients("lambda")
    source = _source_arn(clients, topology, declared["source"])
    wanted = _mapping(clients, topology, declared)
    listed = client.list_event_source_mappings(FunctionName=function, EventSourceArn=source)
    present = listed["EventSourceMappings"]
    if not present:
        start = declared["starting_position"]
        client.create_event_source_mapping(
            EventSourceArn=source,
            FunctionName=function,
            **wanted,
            **({"StartingPosition": start} if start else {}),
        )
        return Outcome("mapping", label, "created")
    differing = [key for key, value in wanted.items() if present[0].get(key) != value]
    if not differing:
        return Outcome("mapping", label, "unchanged")
    client.update_event_source_mapping(UUID=present[0]["UUID"], **wanted)
    return Outcome("mapping", label, "changed", ", ".join(differing))


def apply_schedule(clients: Clients, topology: Topology, short: str) -> Outcome:
    declared = topology.schedules[short]
    name = topology.names.of(short)
    if not is_written(topology.functions[declared["function"]]):
        return Outcome("schedule", name, "skipped")
    function = topology.names.function(declared["function"])
    arn = clients("lambda").get_function_configuration(FunctionName=function)["FunctionArn"]
    wanted = {
        "ScheduleExpression": declared["expression"],
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": arn, "RoleArn": _ROLE, "Input": json.dumps(declared["input"])},
    }
    scheduler = clients("scheduler")
    try:
        actual = scheduler.get_schedule(Name=name)
    except scheduler.exceptions.ResourceNotFoundException:
        scheduler.create_schedule(Name=name, **wanted)
        return Outcome("schedule", name, "created")
    target = {key: actual["Target"].get(key) for key in ("Arn", "RoleArn", "Input")}
    if actual["ScheduleExpression"] == declared["expression"] and target == wanted["Target"]:
        return Outcome("schedule", name, "unchanged")
    scheduler.update_schedule(Name=name, **wanted)
    return Outcome("schedule", name, "changed")


def _configuration(
    short: str, declared: dict[str, Any], environment: dict[str, str]
) -> dict[str, Any]:
    variables = {key: value for key, value in environment.items() if key not in _RESERVED}
    return {
        "Runtime": declared["runtime"],
        "Handler": declared["handler"],
        "Timeout": declared["timeout_s"],
        "MemorySize": declared["memory_mb"],
        "Environment": {"Variables": variables | {"HAS_SERVICE": short}},
    }


def _mapping(clients: Clients, topology: Topology, declared: dict[str, Any]) -> dict[str, Any]:
    wanted: dict[str, Any] = {
        "BatchSize": declared["batch_size"],
        "MaximumBatchingWindowInSeconds": declared["window_s"],
    }
    if declared["reports_failures"]:
        wanted["FunctionResponseTypes"] = ["ReportBatchItemFailures"]
    if declared["filter"]:
        filters = [{"Pattern": json.dumps(pattern)} for pattern in declared["filter"]]
        wanted["FilterCriteria"] = {"Filters": filters}
    if "queue" in declared["source"]:
        wanted["ScalingConfig"] = {"MaximumConcurrency": declared["max_concurrency"]}
    else:
        # AWS obeys these; the emulator stores them and retries for ever.
        failures = queue_arn(clients, topology.names.queue(declared["on_failure"]))
        wanted |= {
            "BisectBatchOnFunctionError": declared["bisects"],
            "MaximumRetryAttempts": declared["max_attempts"],
            "MaximumRecordAgeInSeconds": declared["max_record_age_s"],
            "DestinationConfig": {"OnFailure": {"Destination": failures}},
        }
    return wanted


def _source_arn(clients: Clients, topology: Topology, source: dict[str, str]) -> str:
    """The ARN of `{"table": …}`'s stream, of `{"stream": …}` or of `{"queue": …}`."""
    kind, short = next(iter(source.items()))
    name = topology.names.of(short)
    arn: str
    if kind == "table":
        arn = clients("dynamodb").describe_table(TableName=name)["Table"]["LatestStreamArn"]
    elif kind == "stream":
        summary = clients("kinesis").describe_stream_summary(StreamName=name)
        arn = summary["StreamDescriptionSummary"]["StreamARN"]
    else:
        arn = queue_arn(clients, name)
    return arn
