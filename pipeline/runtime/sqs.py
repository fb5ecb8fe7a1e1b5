"""Messages of a queue as a Lambda gets them: each handled, and failing, for itself alone."""

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from functools import cache
from typing import Any, TypeVar

import structlog
from aws_lambda_powertools.utilities.batch import (
    AsyncBatchProcessor,
    BatchProcessor,
    EventType,
    async_process_partial_response,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel, ValidationError

from pipeline.contracts.events import Envelope, Rejected, parse_event
from pipeline.runtime import aws, tracing
from pipeline.runtime.logs import get_logger
from pipeline.runtime.trace_header import TraceHeader

log = get_logger()
Handler = Callable[[dict[str, Any], Any], Any]
M = TypeVar("M", bound=BaseModel)


class RetrySoon(Exception):
    """Work that will succeed in `delay_s`, so the message comes back then and not later."""

    def __init__(self, reason: str, delay_s: int) -> None:
        super().__init__(reason)
        self.delay_s = delay_s


def handler_of(
    work: Callable[[str], None], *, joins_trace: bool = True, at_once: int = 1
) -> Handler:
    """A Lambda handler that calls `work` with each message's body.

    Args: `joins_trace` False for messages that wait so long that they would only stretch the
    trace they come from; `at_once` messages of a batch in as many threads, for work that mostly
    waits for somebody else.

    A message whose work raises is reported as failed, comes back after the queue's visibility
    timeout, and ends in its dead-letter queue after the queue's bound. One that can never succeed
    (Rejected) goes there at once.
    """

    def on_record(record: SQSRecord) -> None:
        ids, header = _traced(record)
        header = header if joins_trace else None
        with structlog.contextvars.bound_contextvars(**ids), tracing.consuming(header, **ids):
            try:
                work(record.body)
            except RetrySoon as error:
                log.warning("message.postponed", reason=str(error), delay_s=error.delay_s)
                _show_again(record, error.delay_s)
                raise
            except Rejected as error:
                log.error("message.rejected", reason=error.reason, detail=error.detail)
                _show_again(record, 0)  # spends its receives now, and is a dead letter
                raise
            except Exception:
                log.exception("message.failed")
                raise

    return _by_threads(on_record, at_once) if at_once > 1 else _in_turn(on_record)


def _in_turn(on_record: Callable[[SQSRecord], None]) -> Handler:
    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)

    def handler(event: dict[str, Any], context: Any) -> Any:
        return process_partial_response(
            event=event, record_handler=on_record, processor=processor, context=context
        )

    return handler


def _by_threads(on_record: Callable[[SQSRecord], None], threads: int) -> Handler:
    processor = AsyncBatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    pool = ThreadPoolExecutor(threads, thread_name_prefix="message")

    async def begin(record: SQSRecord) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(pool, copy_context().run, on_record, record)

    def handler(event: dict[str, Any], context: Any) -> Any:
        return async_process_partial_response(
            event=event, record_handler=begin, processor=processor, context=context
        )

    return handler


def _traced(record: SQSRecord) -> tuple[dict[str, str], TraceHeader | None]:
    """The ids that tie this message's log lines and segment to the order's, and its trace.

    An event carries its trace in the envelope; a command, in the attribute that SQS has for it.
    """
    try:
        body = json.loads(record.body)
        payload = body.get("payload") or body
        named = {"correlation_id": body.get("correlation_id"), "order_id": payload.get("order_id")}
        carried = body.get("trace_header")
    except (ValueError, AttributeError):
        named, carried = {}, None
    ids = {name: value[:128] for name, value in named.items() if isinstance(value, str)}
    carried = carried or record.raw_event.get("attributes", {}).get("AWSTraceHeader")
    header = TraceHeader.parse(carried if isinstance(carried, str) else None)
    return {"message_id": record.message_id, "correlation_id": "", **ids}, header


def trace_attributes() -> dict[str, Any]:
    """For SendMessage: the trace under way as the system attribute that SQS carries it in."""
    header = tracing.carried()
    if header is None:
        return {}
    attribute = {"DataType": "String", "StringValue": header}
    return {"MessageSystemAttributes": {"AWSTraceHeader": attribute}}


def _show_again(record: SQSRecord, delay_s: int) -> None:
    # Without this the message comes back all the same, at the queue's own pace.
    with suppress(ClientError, BotoCoreError):
        aws.client("sqs").change_message_visibility(
            QueueUrl=queue_url(record.event_source_arn.rsplit(":", 1)[-1]),
            ReceiptHandle=record.receipt_handle,
            VisibilityTimeout=delay_s,
        )


@cache
def queue_url(name: str) -> str:
    url: str = aws.client("sqs").get_queue_url(QueueName=name)["QueueUrl"]
    return url


def put_later(queue: str, message: BaseModel, delay_s: int) -> None:
    """Use a queue as a clock: a message to oneself that arrives after `delay_s`, 900 at most."""
    aws.client("sqs").send_message(
        QueueUrl=queue_url(queue),
        MessageBody=message.model_dump_json(),
        DelaySeconds=delay_s,
        **trace_attributes(),
    )


def parse_message(body: str, command: type[M]) -> Envelope | M:
    """An event of the topic, or a message to oneself. Raises Rejected when it is neither."""
    try:
        return command.model_validate_json(body)
    except ValidationError as error:
        if '"command"' in body and '"event_type"' not in body:
            raise Rejected("bad_command", str(error.errors(include_input=False)[0])) from None
    return parse_event(body)
