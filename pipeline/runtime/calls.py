"""Watches what this process asks of AWS: `DependencyDuration`, and the calls of a trace.

botocore tells when a call starts and how it ended, its own retries included.
"""

import time
from collections.abc import Mapping
from typing import Any, Literal

from pipeline.runtime import aws, tracing
from pipeline.runtime.metrics import Series, metrics, series
from pipeline.runtime.signals import settings
from pipeline.runtime.tracing import Call, Fact, Fault

Outcome = Literal["ok", "error", "throttled"]
# As events name a service -> (the dimension, the name in a trace).
DEPENDENCIES = {
    "dynamodb": ("dynamodb", "DynamoDB"),
    "kinesis": ("kinesis", "Kinesis"),
    "sqs": ("sqs", "SQS"),
    "sns": ("sns", "SNS"),
    "s3": ("s3", "S3"),
    "secrets-manager": ("secretsmanager", "SecretsManager"),
}
_THROTTLES = frozenset({
    "ThrottlingException", "Throttling", "ThrottlingError", "RequestLimitExceeded", "SlowDown",
    "ProvisionedThroughputExceededException", "ProvisionedThroughputExceeded",
    "RequestThrottled", "TooManyRequestsException", "LimitExceededException",
})  # fmt: skip
# A refusal that was asked for: the dependency did its work.
_ANSWERS = frozenset({"ConditionalCheckFailedException", "NoSuchKey", "404", "304", "NotModified"})
_BUSY_ROW = "TransactionConflict"
_STARTED, _AT, _ON = "has_started", "has_at", "has_on"
# Which parameter names the thing acted on -> how X-Ray's `aws` block calls it.
_RESOURCES = {
    "TableName": "table_name", "StreamName": "stream_name", "QueueUrl": "queue_url",
    "TopicArn": "topic_arn", "Bucket": "bucket_name",
}  # fmt: skip

_series: dict[tuple[str, Outcome], Series] = {}


def watch() -> None:
    """From now on every client of `pipeline.runtime.aws` reports its calls."""
    if settings().is_on:
        aws.watch(_watch)


def _watch(client: Any) -> None:
    if client.meta.service_model.service_id.hyphenize() in DEPENDENCIES:
        events = client.meta.events
        events.register("before-parameter-build", _on_params, unique_id="has-params")
        events.register("before-call", _on_start, unique_id="has-start")
        events.register("after-call", _on_answer, unique_id="has-answer")
        events.register("after-call-error", _on_failure, unique_id="has-failure")


def _on_params(params: Mapping[str, Any], context: dict[str, Any], **_: Any) -> None:
    if tracing.current():
        context[_ON] = resource_of(params)


def resource_of(params: Mapping[str, Any]) -> tuple[str, str] | None:
    """What a call acts on, as X-Ray names it: `("table_name", "has-local-orders")`.

    Of a transaction or a batch over several tables it is the first one's.
    """
    for parameter, name in _RESOURCES.items():
        if value := params.get(parameter):
            return name, str(value)
    if items := params.get("TransactItems"):
        return resource_of(next(iter(items[0].values()), {}))
    tables = params.get("RequestItems")
    return ("table_name", next(iter(tables))) if isinstance(tables, dict) and tables else None


def _on_start(context: dict[str, Any], **_: Any) -> None:
    context[_AT] = time.time_ns()
    context[_STARTED] = time.perf_counter_ns()


def _on_answer(parsed: Mapping[str, Any], context: dict[str, Any], **more: Any) -> None:
    outcome, fault, cause = judge(parsed)
    meta = parsed.get("ResponseMetadata", {})
    _record(more["event_name"], context, outcome, fault, cause, meta.get("RetryAttempts", 0),
            more["http_response"].status_code)  # fmt: skip


def _on_failure(exception: Exception, context: dict[str, Any], **more: Any) -> None:
    cause = tracing.cause_of(exception)
    _record(more["event_name"], context, "error", "fault", cause, 0, 0)


def judge(parsed: Mapping[str, Any]) -> tuple[Outcome, Fault, tuple[str, str] | None]:
    """What an answer means: for the metric, for the trace, and why.

    A failed condition is an answer ("ok"), though the trace shows it; a throttled call and one
    that met a busy row are "throttled": they may be made again.
    """
    error = parsed.get("Error")
    status = parsed.get("ResponseMetadata", {}).get("HTTPStatusCode", 200)
    if not error or status < 300:
        return "ok", "", None
    code = str(error.get("Code", ""))
    cause = (code, str(error.get("Message", ""))[:200])
    reasons = {reason.get("Code") for reason in parsed.get("CancellationReasons", ())}
    reasons -= {"None", None}
    if code in _THROTTLES or reasons & (_THROTTLES | {_BUSY_ROW}):
        return "throttled", "throttle", cause
    if code in _ANSWERS or (reasons and reasons <= {"ConditionalCheckFailed"}):
        return "ok", "error", cause
    return "error", "fault" if status >= 500 else "error", cause


def _record(
    event: str,
    context: dict[str, Any],
    outcome: Outcome,
    fault: Fault,
    cause: tuple[str, str] | None,
    retries: int,
    status: int,
) -> None:
    if _STARTED not in context:
        return
    spent_ns = time.perf_counter_ns() - context[_STARTED]
    key = (event, outcome)
    into = _series.get(key)
    if into is None:
        into = _series[key] = _series_of(event, outcome)
    metrics.observe_in(into, spent_ns / 1e6)
    if retries:
        _, service, operation = event.split(".")
        metrics.add(
            "DependencyRetries", retries, Service=settings().service,
            Dependency=DEPENDENCIES[service][0], Operation=operation,
        )  # fmt: skip
    if part := tracing.current():
        _, service, operation = event.split(".")
        facts: dict[str, Fact] = {"aws.operation": operation, "aws.status": status}
        if on := context.get(_ON):
            facts[f"aws.{on[0]}"] = on[1]
        if retries:
            facts["aws.retries"] = retries
        started = context[_AT]
        name = f"{DEPENDENCIES[service][1]}/{operation}"
        part.note(Call(name, started, started + spent_ns, facts, fault, cause))


def _series_of(event: str, outcome: Outcome) -> Series:
    _, service, operation = event.split(".")
    return series(
        "DependencyDuration", "Milliseconds", Service=settings().service,
        Dependency=DEPENDENCIES[service][0], Operation=operation, Outcome=outcome,
    )  # fmt: skip
