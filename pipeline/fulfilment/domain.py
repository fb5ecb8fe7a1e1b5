"""The steps between paid and delivered, and what asks for the next one."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from pipeline.contracts.events import Envelope
from pipeline.contracts.orders import ALLOWED_FROM, TERMINAL, OrderStatus

Step = Literal["pack", "ship", "deliver"]

REACHES: dict[Step, OrderStatus] = {
    "pack": OrderStatus.PACKED,
    "ship": OrderStatus.SHIPPED,
    "deliver": OrderStatus.DELIVERED,
}
_AFTER: dict[str, Step] = {
    "order.paid.v1": "pack",
    "order.packed.v1": "ship",
    "order.shipped.v1": "deliver",
}


class Command(BaseModel):
    """What fulfilment tells itself to do later; `version` is the order's when it was decided."""

    model_config = ConfigDict(frozen=True)

    command: Step
    order_id: str = Field(min_length=1, max_length=128)
    version: int = Field(ge=1)
    correlation_id: str


def next_step(event: Envelope) -> Command | None:
    """The step that an event calls for, if any."""
    step = _AFTER.get(event.event_type)
    if step is None:
        return None
    return Command(
        command=step,
        order_id=event.payload["order_id"],
        version=event.payload["version"],
        correlation_id=event.correlation_id,
    )


def is_early(status: OrderStatus, step: Step) -> bool:
    """Whether an order in this state may still come to where the step can be done."""
    goal = REACHES[step]
    reachable = {status}
    while True:
        following = {to for to, sources in ALLOWED_FROM.items() if sources & reachable}
        if following <= reachable:
            return status not in TERMINAL and bool(ALLOWED_FROM[goal] & reachable)
        reachable |= following
