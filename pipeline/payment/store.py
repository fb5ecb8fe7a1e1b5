"""The queue as a clock: settlements that come back later."""

from pydantic import ValidationError

from pipeline.contracts.events import Envelope, Rejected, parse_event
from pipeline.contracts.names import Names
from pipeline.contracts.payments import Settle
from pipeline.runtime import aws
from pipeline.runtime.sqs import queue_url, trace_attributes


class PaymentQueue:
    def __init__(self, names: Names) -> None:
        self._name = names.queue("payment")

    def put(self, settle: Settle, delay_s: int) -> None:
        aws.client("sqs").send_message(
            QueueUrl=queue_url(self._name),
            MessageBody=settle.model_dump_json(),
            DelaySeconds=delay_s,
            **trace_attributes(),
        )


def parse_message(body: str) -> Envelope | Settle:
    """Raises Rejected when it is neither."""
    try:
        return Settle.model_validate_json(body)
    except ValidationError as error:
        if '"command"' in body and '"event_type"' not in body:
            raise Rejected("bad_command", str(error.errors(include_input=False)[0])) from None
    return parse_event(body)
