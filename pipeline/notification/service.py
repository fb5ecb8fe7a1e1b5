"""Use case: one mail for each state an order reaches."""

from datetime import datetime
from typing import Any, Protocol

from pipeline.contracts.events import Envelope
from pipeline.notification.domain import to_attributes, to_mail
from pipeline.runtime.clock import Clock
from pipeline.runtime.logs import get_logger

log = get_logger()


class Post(Protocol):
    def send_once(self, attributes: dict[str, Any], at: datetime) -> bool: ...


def notify(event: Envelope, post: Post, clock: Clock) -> None:
    mail = to_mail(event)
    if mail is None:
        return
    is_first = post.send_once(to_attributes(event, mail), clock())
    log.info("mail.sent" if is_first else "mail.repeated", event_id=event.event_id)
