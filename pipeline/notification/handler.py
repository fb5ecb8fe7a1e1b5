"""Lambda on the queue `notification`."""

from pipeline.contracts.events import parse_event
from pipeline.notification.service import notify
from pipeline.notification.store import Mailbox
from pipeline.runtime import clock, sqs
from pipeline.runtime.lambda_signals import instrumented
from pipeline.runtime.settings import RuntimeSettings

settings = RuntimeSettings()
mailbox = Mailbox(settings.names)
handler = instrumented("notification")(
    sqs.handler_of(lambda body: notify(parse_event(body), mailbox, clock.now))
)
