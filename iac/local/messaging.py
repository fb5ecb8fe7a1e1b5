"""Streams, queues with their dead-letter queues, topics with filtered subscriptions."""

import json
from typing import Any

from iac.local.aws import Clients
from iac.local.topology import Change, Outcome, Topology

_DEAD_LETTER_RETENTION_S = 1_209_600  # the longest SQS allows: two weeks to look at a failure


def apply_stream(clients: Clients, name: str, declared: dict[str, Any]) -> Outcome:
    kinesis = clients("kinesis")
    try:
        actual = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    except kinesis.exceptions.ResourceNotFoundException:
        kinesis.create_stream(StreamName=name, ShardCount=declared["shards"])
        kinesis.get_waiter("stream_exists").wait(
            StreamName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
        )
        return Outcome("stream", name, "created")
    if actual["OpenShardCount"] != declared["shards"]:
        detail = f"has {actual['OpenShardCount']} shards, {declared['shards']} declared"
        return Outcome("stream", name, "skipped", detail)
    return Outcome("stream", name, "unchanged")


def apply_queue(clients: Clients, name: str, declared: dict[str, Any]) -> list[Outcome]:
    """The queue and, where receives are bounded, its dead-letter queue."""
    outcomes = []
    attributes = {
        "VisibilityTimeout": str(declared["visibility_timeout_s"]),
        "MessageRetentionPeriod": str(declared["retention_s"]),
        "DelaySeconds": str(declared["delay_s"]),
    }
    if declared["max_receives"] is not None:
        dead = f"{name}-dlq"
        retention = {"MessageRetentionPeriod": str(_DEAD_LETTER_RETENTION_S)}
        outcomes.append(_apply_attributes(clients, dead, retention))
        attributes["RedrivePolicy"] = json.dumps(
            {
                "deadLetterTargetArn": queue_arn(clients, dead),
                "maxReceiveCount": declared["max_receives"],
            }
        )
    outcomes.append(_apply_attributes(clients, name, attributes))
    return outcomes


def queue_arn(clients: Clients, name: str) -> str:
    """Raises QueueDoesNotExist."""
    sqs = clients("sqs")
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    arn: str = answer["Attributes"]["QueueArn"]
    return arn


def apply_topic(clients: Clients, topology: Topology, short: str) -> list[Outcome]:
    """The topic, and each subscribed queue with its filter and the right to be sent to."""
    name = topology.names.of(short)
    sns = clients("sns")
    known = {
        topic["TopicArn"].rsplit(":", 1)[-1]
        for page in sns.get_paginator("list_topics").paginate()
        for topic in page["Topics"]
    }
    arn = sns.create_topic(Name=name)["TopicArn"]  # idempotent: answers the existing one
    outcomes = [Outcome("topic", name, "unchanged" if name in known else "created")]
    present = {
        subscription["Endpoint"]: subscription["SubscriptionArn"]
        for page in sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=arn)
        for subscription in page["Subscriptions"]
    }
    for queue, event_filter in topology.topics[short]["subscriptions"].items():
        endpoint = queue_arn(clients, topology.names.queue(queue))
        outcomes.append(
            _apply_subscription(clients, arn, endpoint, event_filter, present.get(endpoint))
        )
        outcomes.append(_allow_topic(clients, topology.names.queue(queue), endpoint, arn))
    return outcomes


def _apply_attributes(clients: Clients, name: str, wanted: dict[str, str]) -> Outcome:
    sqs = clients("sqs")
    try:
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    except sqs.exceptions.QueueDoesNotExist:
        sqs.create_queue(QueueName=name, Attributes=wanted)
        return Outcome("queue", name, "created")
    actual = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    differing = {key: value for key, value in wanted.items() if not _same(actual.get(key), value)}
    if not differing:
        return Outcome("queue", name, "unchanged")
    sqs.set_queue_attributes(QueueUrl=url, Attributes=differing)
    return Outcome("queue", name, "changed", ", ".join(differing))


def _same(actual: str | None, wanted: str) -> bool:
    """Equal as text, or as JSON documents."""
    if actual == wanted:
        return True
    if actual is None or not wanted.startswith("{"):
        return False
    same: bool = json.loads(actual) == json.loads(wanted)
    return same


def _apply_subscription(
    clients: Clients, topic: str, endpoint: str, event_filter: dict[str, Any], present: str | None
) -> Outcome:
    sns = clients("sns")
    label = f"{topic.rsplit(':', 1)[-1]} → {endpoint.rsplit(':', 1)[-1]}"
    wanted = {"RawMessageDelivery": "true", "FilterPolicy": json.dumps(event_filter)}
    if present is None:
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=endpoint, Attributes=wanted)
        return Outcome("subscription", label, "created")
    actual = sns.get_subscription_attributes(SubscriptionArn=present)["Attributes"]
    differing = {key: value for key, value in wanted.items() if not _same(actual.get(key), value)}
    for key, value in differing.items():
        sns.set_subscription_attributes(
            SubscriptionArn=present, AttributeName=key, AttributeValue=value
        )
    change: Change = "changed" if differing else "unchanged"
    return Outcome("subscription", label, change, ", ".join(differing))


def _allow_topic(clients: Clients, queue: str, arn: str, topic: str) -> Outcome:
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "topic",
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": arn,
                "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
            }
        ],
    }
    outcome = _apply_attributes(clients, queue, {"Policy": json.dumps(policy)})
    return Outcome("queue policy", queue, outcome.change)
