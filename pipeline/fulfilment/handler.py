"""Lambda on the queue `fulfilment`: events of the topic, and its own delayed commands."""

from pydantic import Field

from pipeline.fulfilment.domain import Command
from pipeline.fulfilment.service import Fulfilment
from pipeline.fulfilment.store import DelayedCommands
from pipeline.runtime import clock, sqs
from pipeline.runtime.lambda_signals import instrumented
from pipeline.runtime.order_store import OrderStore
from pipeline.runtime.settings import RuntimeSettings


class Settings(RuntimeSettings):
    step_delay_s: int = Field(default=3, ge=0, le=900)


settings = Settings()
schedule = DelayedCommands(settings.names, settings.step_delay_s)
fulfilment = Fulfilment(OrderStore(settings.names), schedule, clock.now)


def _on_message(body: str) -> None:
    message = sqs.parse_message(body, Command)
    if isinstance(message, Command):
        fulfilment.on_command(message)
    else:
        fulfilment.on_event(message)


handler = instrumented("fulfilment")(sqs.handler_of(_on_message))
