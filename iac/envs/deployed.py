"""What an account holds, in the words of the topology: to compare what two readers made of it.

Everything is listed, not only what is declared, so that a surplus shows too; hence for accounts
that hold one stage and nothing else, such as an emulator.
"""

import json
from collections.abc import Callable
from typing import Any

Clients = Callable[[str], Any]
Part = dict[str, dict[str, Any]]


def describe(clients: Clients) -> dict[str, Part]:
    """Part (`tables`, `queues` …) → full name → attributes, plain values ready to be compared."""
    return {
        "tables": _tables(clients("dynamodb")),
        "streams": _streams(clients("kinesis")),
        "queues": _queues(clients("sqs")),
        "topics": _topics(clients("sns")),
        "buckets": {b["Name"]: {} for b in clients("s3").list_buckets()["Buckets"]},
        "secrets": {s["Name"]: {} for s in clients("secretsmanager").list_secrets()["SecretList"]},
        "databases": {d["Name"]: {} for d in clients("glue").get_databases()["DatabaseList"]},
        "functions": _functions(clients("lambda")),
        "mappings": _mappings(clients("lambda")),
        "schedules": _schedules(clients("scheduler")),
        "alarms": _alarms(clients("cloudwatch")),
    }


def _tables(dynamodb: Any) -> Part:
    tables: Part = {}
    for name in dynamodb.list_tables()["TableNames"]:
        table = dynamodb.describe_table(TableName=name)["Table"]
        expiry = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        tables[name] = {
            "keys": _keys(table),
            "attributes": {
                a["AttributeName"]: a["AttributeType"] for a in table["AttributeDefinitions"]
            },
            "indexes": {
                index["IndexName"]: [_keys(index), index["Projection"]["ProjectionType"]]
                for index in table.get("GlobalSecondaryIndexes", [])
            },
            "stream": table.get("StreamSpecification", {}).get("StreamViewType"),
            "ttl": expiry.get("AttributeName"),
            "billing": table["BillingModeSummary"]["BillingMode"],
        }
    return tables


def _keys(described: dict[str, Any]) -> list[str]:
    """[hash key, range key]"""
    by_type = {key["KeyType"]: key["AttributeName"] for key in described["KeySchema"]}
    return [by_type[kind] for kind in ("HASH", "RANGE") if kind in by_type]


def _streams(kinesis: Any) -> Part:
    streams: Part = {}
    for name in kinesis.list_streams()["StreamNames"]:
        summary = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
        streams[name] = {
            "shards": summary["OpenShardCount"],
            "retention_hours": summary["RetentionPeriodHours"],
        }
    return streams


def _queues(sqs: Any) -> Part:
    queues: Part = {}
    for url in sqs.list_queues().get("QueueUrls", []):
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        redrive = json.loads(found.get("RedrivePolicy") or "{}")
        policy = json.loads(found.get("Policy") or '{"Statement": []}')
        queues[_last(found["QueueArn"])] = {
            "visibility_timeout_s": int(found["VisibilityTimeout"]),
            "retention_s": int(found["MessageRetentionPeriod"]),
            "delay_s": int(found["DelaySeconds"]),
            "dead_letters": _last(redrive["deadLetterTargetArn"]) if redrive else None,
            "max_receives": int(redrive["maxReceiveCount"]) if redrive else None,
            "allows": [
                {
                    "action": statement["Action"],
                    "service": statement["Principal"]["Service"],
                    "queue": _last(statement["Resource"]),
                    "source": _last(statement["Condition"]["ArnEquals"]["aws:SourceArn"]),
                }
                for statement in policy["Statement"]
            ],
        }
    return queues


def _topics(sns: Any) -> Part:
    topics: Part = {}
    for topic in sns.list_topics()["Topics"]:
        arn = topic["TopicArn"]
        listed = sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
        topics[_last(arn)] = {
            _last(entry["Endpoint"]): _subscription(sns, entry["SubscriptionArn"])
            for entry in listed
        }
    return topics


def _subscription(sns: Any, arn: str) -> dict[str, Any]:
    found = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    return {
        "filter": json.loads(found.get("FilterPolicy", "null")),
        "raw": found.get("RawMessageDelivery") == "true",
    }


def _functions(functions: Any) -> Part:
    return {
        found["FunctionName"]: {
            "handler": found["Handler"],
            "runtime": found["Runtime"],
            "timeout_s": found["Timeout"],
            "memory_mb": found["MemorySize"],
            "code": found["CodeSha256"],
            "service": found["Environment"]["Variables"].get("HAS_SERVICE"),
            "stage": found["Environment"]["Variables"].get("HAS_STAGE"),
        }
        for found in functions.list_functions()["Functions"]
    }


def _mappings(functions: Any) -> Part:
    """Mappings have no name: they are called `source > function` here."""
    mappings: Part = {}
    for found in functions.list_event_source_mappings()["EventSourceMappings"]:
        name = f"{_last(found['EventSourceArn'])} > {_last(found['FunctionArn'])}"
        assert name not in mappings, f"{name} exists twice"
        filters = found.get("FilterCriteria", {}).get("Filters", [])
        failures = found.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
        mappings[name] = {
            "enabled": found["State"] in ("Enabled", "Creating", "Enabling"),
            "batch_size": found["BatchSize"],
            "window_s": found.get("MaximumBatchingWindowInSeconds", 0),
            "max_concurrency": found.get("ScalingConfig", {}).get("MaximumConcurrency"),
            "starting_position": found.get("StartingPosition"),
            "response_types": found.get("FunctionResponseTypes", []),
            # Any of them lets a record through, so their order says nothing.
            "filter": sorted((json.loads(entry["Pattern"]) for entry in filters), key=json.dumps),
            "bisects": found.get("BisectBatchOnFunctionError", False),
            "max_attempts": found.get("MaximumRetryAttempts"),
            "max_record_age_s": found.get("MaximumRecordAgeInSeconds"),
            "on_failure": _last(failures) if failures else None,
        }
    return mappings


def _schedules(scheduler: Any) -> Part:
    schedules: Part = {}
    for entry in scheduler.list_schedules()["Schedules"]:
        found = scheduler.get_schedule(Name=entry["Name"])
        schedules[entry["Name"]] = {
            "expression": found["ScheduleExpression"],
            "function": _last(found["Target"]["Arn"]),
            "input": json.loads(found["Target"]["Input"]),
            "enabled": found["State"] == "ENABLED",
        }
    return schedules


def _alarms(cloudwatch: Any) -> Part:
    """Those on metrics of our own: SQS's, which only AWS has, come with Terraform's queues."""
    pages = cloudwatch.get_paginator("describe_alarms").paginate()
    return {
        found["AlarmName"]: {
            "summary": found["AlarmDescription"],
            "metric": found["MetricName"],
            "dimensions": {entry["Name"]: entry["Value"] for entry in found["Dimensions"]},
            "statistic": found["Statistic"],
            "compare": found["ComparisonOperator"],
            "threshold": found["Threshold"],
            "period_s": found["Period"],
            "periods": found["EvaluationPeriods"],
            "needed": found["DatapointsToAlarm"],
            "missing": found["TreatMissingData"],
            "tells": [_last(arn) for arn in found["AlarmActions"]],
        }
        for page in pages
        for found in page["MetricAlarms"]
        if found["Namespace"] == "HighAvailabilityShop"
    }


def _last(arn: str) -> str:
    """The name at the end of an ARN; of a table's stream, the table's."""
    resource = arn.split(":", 5)[-1].removeprefix("function:").removeprefix("stream/")
    return resource.removeprefix("table/").split("/stream/")[0]
