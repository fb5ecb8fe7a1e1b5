"""The queue as a clock: commands to oneself that arrive later."""

from pydantic import ValidationError

from pipeline.contracts.events import Envelope, Rejected, parse_event
from pipeline.contracts.names import Names
from pipeline.fulfilment.domain import Command
from pipeline.runtime import aws
from pipeline.runtime.sqs import queue_url, trace_attributes


class DelayedCommands:
    """Args: `delay_s` is at most the 900 s that SQS holds a message back."""

    def __init__(self, names: Names, delay_s: int) -> None:
        self._name = names.queue("fulfilment")
        self._delay_s = delay_s

    def put(self, command: Command) -> None:
        aws.client("sqs").send_message(
            QueueUrl=queue_url(self._name),
            MessageBody=command.model_dump_json(),
            DelaySeconds=self._delay_s,
            **trace_attributes(),
        )


def parse_message(body: str) -> Envelope | Command:
    """Raises Rejected when it is neither."""
    try:
        return Command.model_validate_json(body)
    except ValidationError as error:
        if '"command"' in body and '"event_type"' not in body:
            raise Rejected("bad_command", str(error.errors(include_input=False)[0])) from None
    return parse_event(body)
