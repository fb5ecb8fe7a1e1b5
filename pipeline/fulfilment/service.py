"""Use cases: decide on the next step of an order, and do it when its time has come."""

from typing import Protocol

from pipeline.contracts.events import Envelope
from pipeline.contracts.orders import OrderStatus
from pipeline.fulfilment.domain import REACHES, Command, is_early, next_step
from pipeline.runtime.clock import Clock
from pipeline.runtime.logs import get_logger
from pipeline.runtime.order_store import OrderStore, Outcome
from pipeline.runtime.sqs import RetrySoon

log = get_logger()
_COME_BACK_S = 2


class Schedule(Protocol):
    def put(self, command: Command) -> None:
        """The command comes back after the delay of a step, at least once."""


class Fulfilment:
    def __init__(self, orders: OrderStore, schedule: Schedule, clock: Clock) -> None:
        self._orders = orders
        self._schedule = schedule
        self._clock = clock

    def on_event(self, event: Envelope) -> None:
        if command := next_step(event):
            self._schedule.put(command)

    def on_command(self, command: Command) -> None:
        """Done before is done; an order that was cancelled meanwhile is left alone.

        Raises: RetrySoon when the order has not come so far yet.
        """
        goal = REACHES[command.command]
        done = self._orders.advance(command.order_id, goal, self._clock())
        status = OrderStatus(done.order["status"])
        log.info(
            "fulfilment.step", order_id=command.order_id, step=command.command,
            outcome=done.outcome.value, status=status.value,
        )  # fmt: skip
        if done.outcome is Outcome.REFUSED and is_early(status, command.command):
            raise RetrySoon(f"{command.command} is early for {status.value}", _COME_BACK_S)
