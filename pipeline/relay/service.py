"""Use case: every new version of an order becomes one event, at least once, in order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pipeline.contracts.events import Envelope, Rejected
from pipeline.relay.domain import in_waves, is_news, to_event
from pipeline.runtime.logs import get_logger

log = get_logger()


@dataclass(frozen=True, slots=True)
class Change:
    """One record of the table's stream: the order row after and before."""

    sequence_number: str
    new: Mapping[str, Any]
    old: Mapping[str, Any] | None


class Outlet(Protocol):
    def send(self, events: Sequence[Envelope]) -> None:
        """Sends all, or raises; what was sent before the failure may be sent again."""


class Aside(Protocol):
    def put(self, change: Change, rejected: Rejected) -> None:
        """Keeps a change that can never become an event where people will see it."""


def relay(changes: Sequence[Change], outlets: Sequence[Outlet], aside: Aside) -> list[Envelope]:
    """Send the events of these changes to every outlet.

    When an outlet fails this raises, and the batch is delivered again from its start: events keep
    their ids, so whoever reads them twice can tell.
    """
    events = []
    for change in changes:
        if not is_news(change.new, change.old):
            continue
        try:
            events.append(to_event(change.new))
        except Rejected as rejected:
            log.error("order.not_relayed", reason=rejected.reason, detail=rejected.detail)
            aside.put(change, rejected)
    for wave in in_waves(events):
        for outlet in outlets:
            outlet.send(wave)
    for event in events:
        log.info(
            "order.relayed", event_id=event.event_id, event_type=event.event_type,
            correlation_id=event.correlation_id,
        )  # fmt: skip
    return events
