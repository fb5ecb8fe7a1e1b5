"""Lambda on the queue `notification`."""

from pipeline.contracts.events import parse_event
from pipeline.notification.service import notify
from pipeline.notification.store import Mailbox
from pipeline.runtime import clock, logs, sqs
from pipeline.runtime.settings import RuntimeSettings

settings = RuntimeSettings()
logs.configure(settings.log_level, service="notification")
mailbox = Mailbox(settings.names)
handler = sqs.handler_of(lambda body: notify(parse_event(body), mailbox, clock.now))
